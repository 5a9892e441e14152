//! Interfaces in the arguments of commands, and columns as VPP prints them, for all features.

use super::{Framing, HwIfIndex, InterfaceError, Interfaces, SwIfIndex};
use barrow_engine::cli::{Args, CliError};
use std::fmt;

/// Takes the name of an interface if that is next, and leaves the arguments alone otherwise.
pub(crate) fn take_interface(args: &mut Args<'_>, interfaces: &Interfaces) -> Option<SwIfIndex> {
    args.parsed(|word| interfaces.by_name(word))
}

/// Takes the name of an interface, which must be next.
///
/// # Errors
/// ``unknown interface `NAME'``, with what stands in its place.
pub(crate) fn parse_interface(
    args: &mut Args<'_>,
    interfaces: &Interfaces,
) -> Result<SwIfIndex, CliError> {
    take_interface(args, interfaces).ok_or_else(|| instead(args, "unknown interface"))
}

/// Takes the name of a device if that is next: not that of a sub-interface.
pub(crate) fn take_device(args: &mut Args<'_>, interfaces: &Interfaces) -> Option<HwIfIndex> {
    args.parsed(|word| interfaces.device_of(interfaces.by_name(word)?).ok())
}

/// Takes the name of a device, which must be next.
///
/// # Errors
/// ``unknown interface `NAME'``, with what stands in its place.
pub(crate) fn parse_device(
    args: &mut Args<'_>,
    interfaces: &Interfaces,
) -> Result<HwIfIndex, CliError> {
    take_device(args, interfaces).ok_or_else(|| instead(args, "unknown interface"))
}

/// The error ``COMPLAINT `…'`` with what stands in the place of what was expected.
pub(crate) fn instead(args: &Args<'_>, complaint: &str) -> CliError {
    let unknown = args.unknown_input();
    let quoted = unknown.text().trim_start_matches("unknown input ");
    CliError::new(format!("{complaint} {quoted}"))
}

impl From<InterfaceError> for CliError {
    fn from(error: InterfaceError) -> Self {
        Self::new(error.to_string())
    }
}

/// Text in the middle of a column, the larger half of the blanks before it, as VPP's `%=` has it.
#[derive(Debug)]
pub(crate) struct Centred<T>(pub(crate) T, pub(crate) usize);

impl<T: fmt::Display> fmt::Display for Centred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let blanks = self.1.saturating_sub(text.len());
        let (before, after) = (blanks.div_ceil(2), blanks / 2);
        write!(f, "{:before$}{text}{:after$}", "", "")
    }
}

/// The name of a thread: `vpp_main`, `vpp_wk_0` …
pub(crate) fn thread_name(prefix: &str, thread: usize) -> String {
    match thread.checked_sub(1) {
        None => format!("{prefix}_main"),
        Some(worker) => format!("{prefix}_wk_{worker}"),
    }
}

/// All interfaces in the order of listings: by the device's name, sub-interfaces by id behind it.
pub(crate) fn by_name(interfaces: &Interfaces) -> Vec<SwIfIndex> {
    let mut named: Vec<_> = interfaces
        .iter_indexes()
        .filter_map(|index| {
            let device = interfaces.hw_of(index)?.name.clone();
            let id = interfaces.sw(index)?.sub.map(|sub| sub.id);
            Some((device, id, index))
        })
        .collect();
    named.sort_unstable();
    named.into_iter().map(|(_, _, index)| index).collect()
}

/// The error of a command that is for Ethernet devices only.
pub(crate) fn require_ethernet(interfaces: &Interfaces, hw: HwIfIndex) -> Result<(), CliError> {
    match interfaces.hw(hw) {
        Some(hw) if hw.framing == Framing::Ethernet => Ok(()),
        _ => Err("not supported".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::test_device::{Plan, node};

    #[test]
    fn a_name_is_taken_or_said_to_be_unknown() {
        let mut bed = node();
        Plan::ethernet("eth0").add(&bed);
        bed.command("create sub-interfaces eth0 5");
        let interfaces: Interfaces = bed.table();
        let mut args = Args::new("eth0.5 eth0 more");
        assert_eq!(take_device(&mut args, &interfaces), None);
        assert_eq!(parse_interface(&mut args, &interfaces), Ok(SwIfIndex(2)));
        assert_eq!(parse_device(&mut args, &interfaces), Ok(HwIfIndex(1)));
        let unknown = CliError::new("unknown interface `more'");
        assert_eq!(parse_interface(&mut args, &interfaces), Err(unknown));
    }

    #[test]
    fn the_larger_half_of_the_blanks_stands_first() {
        assert_eq!(format!("[{}]", Centred("up", 5)), "[  up ]");
        assert_eq!(format!("[{}]", Centred("down", 4)), "[down]");
        assert_eq!(format!("[{}]", Centred("longer", 4)), "[longer]");
    }
}
