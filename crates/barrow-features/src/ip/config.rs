//! The section `ip` of the start-up configuration (`vpp:src/vnet/fib/ip4_fib.c`).

use crate::fib::{Fib, FibIndex};
use barrow_engine::config::{ConfigRegistry, SectionAlreadyRegistered};

/// Registers the section: `ip { default-table-name NAME heap-size N }`.
pub(super) fn register(
    config: &mut ConfigRegistry,
    fib: &Fib,
) -> Result<(), SectionAlreadyRegistered> {
    let fib = fib.clone();
    config.section("ip", move |words| {
        while let Some(word) = words.keyword(&["default-table-name", "heap-size"])? {
            if word == "heap-size" {
                // VPP reserves memory for its tables; here they take what they need.
                words.size()?;
            } else {
                let name = words.text("a name")?;
                fib.set_table_name(FibIndex::DEFAULT, name);
            }
        }
        Ok(())
    })
}
