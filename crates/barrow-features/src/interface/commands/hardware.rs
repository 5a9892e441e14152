//! `show hardware-interfaces`, `clear hardware-interfaces`.

use super::Shown;
use crate::interface::cli::{Centred, by_name, take_device, thread_name};
use crate::interface::{Framing, HwIfIndex, HwInterface, Interfaces};
use barrow_engine::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};
use std::fmt::{self, Write};

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Name, index, link, speed and queues.
    Brief,
    /// And the address, and what the device says of itself.
    Verbose,
    /// And all that it says.
    Full,
}

pub(super) fn register(cli: &mut CliRegistry, shown: &Shown) -> Result<(), DuplicateCommand> {
    let help = "show hardware-interfaces [brief|verbose|detail] [<interface>...|<index>...]";
    let own = shown.clone();
    cli.command("show hardware-interfaces", help, move |cx, args| {
        show(&own, cx, args)
    })?;
    let interfaces = shown.interfaces.clone();
    let help = "clear hardware-interfaces [<interface>...|<index>...]";
    cli.command("clear hardware-interfaces", help, move |_, args| {
        let (_, devices) = asked(&interfaces, args)?;
        for hw in devices {
            interfaces.with_device(hw, |device| {
                device.clear_counters(hw);
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Reads which devices are asked for, and how much of them; all devices unless any is named.
fn asked(
    interfaces: &Interfaces,
    args: &mut Args<'_>,
) -> Result<(Detail, Vec<HwIfIndex>), CliError> {
    let (mut detail, mut devices) = (Detail::Verbose, Vec::new());
    while !args.is_empty() {
        if let Some(hw) = take_device(args, interfaces) {
            devices.push(hw);
        } else if let Some(number) = args.number() {
            let hw = HwIfIndex(number);
            if interfaces.hw(hw).is_none() {
                return Err(format!("unknown hardware interface index `{number}'").into());
            }
            devices.push(hw);
        } else {
            detail = match args.one_of(&["brief", "verbose", "detail"]) {
                Some("brief") => Detail::Brief,
                Some("verbose") => Detail::Verbose,
                Some(_) => Detail::Full,
                None => return Err(args.unknown_input()),
            };
        }
    }
    if devices.is_empty() {
        let all = by_name(interfaces).into_iter();
        devices = all
            .filter_map(|index| interfaces.device_of(index).ok())
            .collect();
    }
    Ok((detail, devices))
}

fn show(shown: &Shown, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let (detail, devices) = asked(&shown.interfaces, args)?;
    cx.print(format_args!(
        "{}{}{}Hardware",
        Centred("Name", 32),
        Centred("Idx", 6),
        Centred("Link", 8),
    ));
    for hw in devices {
        if let Some(hw) = shown.interfaces.hw(hw) {
            let mut text = String::new();
            describe(&hw, detail, &shown.prefix, &mut text).map_err(|e| e.to_string())?;
            cx.print(text);
        }
    }
    Ok(())
}

fn describe(hw: &HwInterface, detail: Detail, prefix: &str, out: &mut String) -> fmt::Result {
    let link = if hw.link_up { "up" } else { "down" };
    let (index, link) = (Centred(hw.index, 6), Centred(link, 8));
    writeln!(out, "{:<32}{index}{link}{}", hw.name, hw.device_name)?;
    writeln!(out, "  Link speed: {}", Speed(hw.link_speed))?;
    describe_queues(hw, prefix, out)?;
    if detail < Detail::Verbose {
        return Ok(());
    }
    match hw.framing {
        Framing::Ethernet => writeln!(out, "  Ethernet address {}", hw.mac)?,
        Framing::Ip4 | Framing::Ip6 => writeln!(out, "  {}", hw.device.link_class())?,
    }
    let mut own = String::new();
    hw.device.describe(detail == Detail::Full, &mut own)?;
    own.lines().try_for_each(|line| writeln!(out, "  {line}"))
}

fn describe_queues(hw: &HwInterface, prefix: &str, out: &mut String) -> fmt::Result {
    if !hw.rx.is_empty() {
        writeln!(
            out,
            "  RX Queues:\n    {:<6}{:<15}{:<10}",
            "queue", "thread", "mode"
        )?;
    }
    for (queue, placed) in hw.rx.iter().enumerate() {
        let name = match placed.thread {
            0 => "main".to_owned(),
            thread => thread_name(prefix, thread),
        };
        let thread = format!("{name} ({})", placed.thread);
        writeln!(
            out,
            "    {queue:<6}{thread:<15}{:<10}",
            placed.mode.to_string()
        )?;
    }
    if !hw.tx.is_empty() {
        writeln!(
            out,
            "  TX Queues:\n    {:<6}{:<7}{:<15}",
            "queue", "shared", "thread(s)"
        )?;
    }
    for (queue, threads) in hw.tx.iter().enumerate() {
        let shared = if threads.len() > 1 { "yes" } else { "no" };
        writeln!(out, "    {queue:<6}{shared:<7}{}", Ranges(threads))?;
    }
    Ok(())
}

/// A link speed given in kbit/s.
struct Speed(u32);

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 | u32::MAX => f.write_str("unknown"),
            kilo @ 1_000_000.. => write!(f, "{} Gbps", f64::from(kilo) / 1e6),
            kilo @ 1000.. => write!(f, "{} Mbps", f64::from(kilo) / 1e3),
            kilo => write!(f, "{kilo} Kbps"),
        }
    }
}

/// Ascending numbers as `0,2-4`.
struct Ranges<'a>(&'a [usize]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.chunk_by(|a, b| a + 1 == *b);
        for (n, run) in runs.enumerate() {
            if n > 0 {
                f.write_char(',')?;
            }
            match run {
                [only] => write!(f, "{only}")?,
                [first, .., last] => write!(f, "{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_told_in_the_largest_unit() {
        let told = [0, 64, 100_000, 1_000_000, 2_500_000].map(|speed| Speed(speed).to_string());
        assert_eq!(
            told,
            ["unknown", "64 Kbps", "100 Mbps", "1 Gbps", "2.5 Gbps"]
        );
    }

    #[test]
    fn numbers_in_a_row_are_told_as_a_range() {
        let told = |numbers: &[usize]| Ranges(numbers).to_string();
        assert_eq!(told(&[0]), "0");
        assert_eq!(told(&[0, 2, 3, 4, 7]), "0,2-4,7");
        assert_eq!(told(&[]), "");
    }
}
