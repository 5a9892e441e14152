//! The section `ip-neighbor` of the start-up configuration. VPP has no such section.

use barrow_engine::config::{ConfigRegistry, SectionAlreadyRegistered};
use std::cell::Cell;
use std::rc::Rc;

/// Registers the section: `ip-neighbor { hold N }`. What it gives is `hold` until the section is read.
pub(super) fn register(
    config: &mut ConfigRegistry,
    hold: usize,
) -> Result<Rc<Cell<usize>>, SectionAlreadyRegistered> {
    let hold = Rc::new(Cell::new(hold));
    let read = hold.clone();
    config.section("ip-neighbor", move |words| {
        while words.keyword(&["hold"])?.is_some() {
            read.set(words.number()?);
        }
        Ok(())
    })?;
    Ok(hold)
}
