//! The commands that make neighbours and their limits again: those set for good. What was heard is heard again.

use super::table::{NeighborConfig, Neighbors, Origin};
use crate::interface::Interfaces;
use barrow_engine::{ConfigStage, RunningConfig};

/// Writes all of it.
pub(super) fn write(neighbors: &Neighbors, interfaces: &Interfaces, config: &mut RunningConfig) {
    let limits = neighbors.config();
    if limits != NeighborConfig::default() {
        let (limit, age) = (limits.max_number, limits.max_age.as_secs());
        let recycle = if limits.recycle {
            "recycle"
        } else {
            "norecycle"
        };
        let command = format_args!("set ip neighbor-config ip4 limit {limit} age {age} {recycle}");
        config.line(ConfigStage::Settings, 0, command);
    }
    let mut last = None;
    while let Some((key, entry)) = neighbors.next(last) {
        last = Some(key);
        let (address, mac) = (key.address, entry.mac);
        if let (Origin::Static, Some(name)) = (entry.origin, interfaces.name(key.interface)) {
            let no_route = if entry.no_fib_entry {
                " no-fib-entry"
            } else {
                ""
            };
            let command = format_args!("set ip neighbor {name} {address} {mac} static{no_route}");
            config.line(ConfigStage::Neighbors, 0, command);
        }
    }
}
