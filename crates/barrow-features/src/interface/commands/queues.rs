//! `set interface rx-mode`, `rx-placement`, `tx-queue` and `default rx-mode`.

use crate::interface::cli::{instead, take_device};
use crate::interface::{HwIfIndex, InterfaceError, Interfaces, RxMode};
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, DuplicateCommand};

/// Threads that a list in a command may name.
const MOST_THREADS: usize = 4096;

pub(super) fn register(
    cli: &mut CliRegistry,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let own = interfaces.clone();
    let help = "set interface rx-mode <interface> [queue <n>] polling|interrupt|adaptive";
    cli.command("set interface rx-mode", help, move |_, args| {
        rx_mode(&own, args)
    })?;
    let own = interfaces.clone();
    let help = "set interface default rx-mode polling|interrupt|adaptive";
    cli.command("set interface default rx-mode", help, move |cx, args| {
        let mode = mode(args).ok_or("parse error: expected polling|interrupt|adaptive")?;
        own.set_default_rx_mode(mode);
        cx.print(format_args!("Default interface rx-mode set to {mode}"));
        Ok(())
    })?;
    let own = interfaces.clone();
    let help = "set interface rx-placement <interface> [queue <n>] worker <n>|main";
    cli.command("set interface rx-placement", help, move |_, args| {
        rx_placement(&own, args)
    })?;
    let own = interfaces.clone();
    let help = "set interface tx-queue <interface> queue <n> threads <list>";
    cli.command("set interface tx-queue", help, move |_, args| {
        tx_queue(&own, args)
    })
}

fn mode(args: &mut Args<'_>) -> Option<RxMode> {
    RxMode::from_name(args.one_of(&RxMode::ALL.map(RxMode::name))?)
}

fn rx_mode(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let (mut hw, mut queue, mut wanted) = (None, None, None);
    while !args.is_empty() {
        if let Some(found) = take_device(args, interfaces) {
            hw = Some(found);
        } else if let Some(number) = args.option("queue", Args::number::<u32>) {
            queue = Some(number);
        } else if let Some(found) = mode(args) {
            wanted = Some(found);
        } else {
            return Err(instead(args, "parse error:"));
        }
    }
    let hw = hw.ok_or("please specify valid interface name")?;
    let wanted = wanted.ok_or("please specify valid rx-mode")?;
    let set = interfaces.set_rx_mode(hw, queue, wanted);
    set.map_err(|error| told(interfaces, hw, queue.unwrap_or(0), error))
}

fn rx_placement(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let (mut hw, mut queue, mut thread) = (None, 0, None);
    while !args.is_empty() {
        if let Some(found) = take_device(args, interfaces) {
            hw = Some(found);
        } else if let Some(number) = args.option("queue", Args::number::<u32>) {
            queue = number;
        } else if let Some(worker) = args.option("worker", Args::number::<u32>) {
            thread = Some(worker as usize + 1);
        } else if args.keyword("main") {
            thread = Some(0);
        } else {
            return Err(instead(args, "parse error:"));
        }
    }
    let hw = hw.ok_or("please specify valid interface name")?;
    let thread = thread.ok_or("please specify valid worker thread or main")?;
    let placed = interfaces.place_rx(hw, queue, thread);
    placed.map_err(|error| told(interfaces, hw, queue, error))
}

fn tx_queue(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let (mut hw, mut queue, mut wanted) = (None, 0, None);
    while !args.is_empty() {
        if let Some(found) = take_device(args, interfaces) {
            hw = Some(found);
        } else if let Some(number) = args.option("queue", Args::number::<u32>) {
            queue = number;
        } else if let Some(list) = args.option("threads", threads) {
            wanted = Some(list);
        } else {
            return Err(instead(args, "parse error:"));
        }
    }
    let hw = hw.ok_or("please specify valid interface name")?;
    let wanted = wanted.unwrap_or_default();
    let placed = interfaces.place_tx(hw, queue, &wanted);
    placed.map_err(|error| match error {
        InterfaceError::InvalidValue(_) => {
            let last = wanted.iter().max().copied().unwrap_or(0);
            format!("please specify valid thread(s) - last thread index {last}").into()
        }
        _ => told(interfaces, hw, queue, error),
    })
}

/// A list of numbers and ranges, `0,2-4`.
fn threads(args: &mut Args<'_>) -> Option<Vec<usize>> {
    args.parsed(|word| {
        let mut threads = Vec::new();
        for part in word.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            if last >= MOST_THREADS {
                return None;
            }
            threads.extend(first..=last);
        }
        (threads.len() <= MOST_THREADS).then_some(threads)
    })
}

/// The error in VPP's words.
fn told(interfaces: &Interfaces, hw: HwIfIndex, queue: u32, error: InterfaceError) -> CliError {
    let name = interfaces
        .hw(hw)
        .map(|hw| hw.name.clone())
        .unwrap_or_default();
    match error {
        InterfaceError::NoSuchQueue => format!("unknown queue {queue} on interface {name}").into(),
        InterfaceError::NoSuchWorker => "please specify valid worker thread or main".into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_listed_by_numbers_and_ranges() {
        let list = |text| threads(&mut Args::new(text));
        assert_eq!(list("0"), Some(vec![0]));
        assert_eq!(list("0,2-4"), Some(vec![0, 2, 3, 4]));
        for bad in ["", "x", "1-", "0-4096", "4-99999999999999999999"] {
            assert_eq!(list(bad), None, "{bad}");
        }
    }
}
