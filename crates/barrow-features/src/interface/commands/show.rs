//! `show interface` in all its forms, `clear interfaces`.

use super::Shown;
use crate::fib::Fib;
use crate::interface::cli::{Centred, by_name, take_interface, thread_name};
use crate::interface::{
    Combined, InterfaceCounters, Interfaces, Mtu, Simple, SwIfIndex, SwInterface,
};
use crate::ip::{Addresses, InterfaceAddress};
use barrow_engine::cli::{Args, CliContext, CliRegistry, CliResult, DuplicateCommand};

/// What is shown of the interfaces asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Summary,
    Address,
    Features,
    Tag,
    Vtr,
    RxPlacement,
    SecondaryMac,
}

const FORMS: [(&str, Form); 6] = [
    ("address", Form::Address),
    ("features", Form::Features),
    ("tag", Form::Tag),
    ("vtr", Form::Vtr),
    ("rx-placement", Form::RxPlacement),
    ("secondary-mac-address", Form::SecondaryMac),
];

pub(super) fn register(cli: &mut CliRegistry, shown: &Shown) -> Result<(), DuplicateCommand> {
    let help = "show interface [<interface>...|<index>...] \
                [address|features|rx-placement|secondary-mac-address|tag|vtr] [verbose]";
    let own = shown.clone();
    cli.command("show interface", help, move |cx, args| {
        run(&own, Form::Summary, cx, args)
    })?;
    for (word, form) in [FORMS[4], FORMS[5]] {
        let (path, own) = (format!("show interface {word}"), shown.clone());
        let help = format!("{path} [<interface>...]");
        cli.command(&path, &help, move |cx, args| run(&own, form, cx, args))?;
    }
    let help = "Show how receive queues are served that nobody gave a mode";
    let interfaces = shown.interfaces.clone();
    cli.command("show interface default rx-mode", help, move |cx, _| {
        let mode = interfaces.default_rx_mode();
        cx.print(format_args!("Default interface rx-mode: {mode}"));
        Ok(())
    })?;
    let counters = shown.counters.clone();
    let help = "Set the counters of all interfaces to 0";
    cli.command("clear interfaces", help, move |_, _| {
        counters.clear_all();
        Ok(())
    })
}

/// Reads what is asked for, in any order, and shows it.
fn run(shown: &Shown, form: Form, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let (mut form, mut verbose, mut picked) = (form, false, Vec::new());
    let words = FORMS.map(|(word, _)| word);
    while !args.is_empty() {
        if let Some(index) = take_interface(args, &shown.interfaces) {
            picked.push(index);
        } else if let Some(word) = args.one_of(&words) {
            form = FORMS
                .iter()
                .find(|(known, _)| *known == word)
                .map_or(form, |(_, form)| *form);
        } else if args.keyword("verbose") {
            verbose = true;
        } else if let Some(number) = args.number() {
            let index = SwIfIndex(number);
            if shown.interfaces.sw(index).is_none() {
                return Err(format!("unknown interface index `{number}'").into());
            }
            picked.push(index);
        } else {
            return Err(args.unknown_input());
        }
    }
    let last = || picked.last().copied().ok_or("Interface not specified...");
    let interfaces = &shown.interfaces;
    match form {
        Form::Features => features(shown, last()?, verbose, cx),
        Form::Tag => tag(interfaces, last()?, cx),
        Form::Vtr => vtr(interfaces, last()?, cx),
        Form::RxPlacement => rx_placement(shown, &picked, cx),
        Form::SecondaryMac => secondary_mac(interfaces, &all_unless(picked, interfaces), cx),
        Form::Address => addresses(shown, &all_unless(picked, interfaces), cx)?,
        Form::Summary => {
            cx.print(header());
            for index in all_unless(picked, interfaces) {
                if let Some(sw) = interfaces.sw(index) {
                    cx.print(row(&sw, &shown.counters));
                }
            }
        }
    }
    Ok(())
}

/// What was picked, or all interfaces in the order of listings.
fn all_unless(picked: Vec<SwIfIndex>, interfaces: &Interfaces) -> Vec<SwIfIndex> {
    if picked.is_empty() {
        by_name(interfaces)
    } else {
        picked
    }
}

fn header() -> String {
    format!(
        "{}{}{}{}{}{}",
        Centred("Name", 32),
        Centred("Idx", 5),
        Centred("State", 10),
        Centred("MTU (L3/IP4/IP6/MPLS)", 21),
        Centred("Counter", 16),
        Centred("Count", 16),
    )
}

fn row(sw: &SwInterface, counters: &InterfaceCounters) -> String {
    let Mtu { l3, ip4, ip6, mpls } = sw.mtu;
    let mut row = format!(
        "{:<32}{}{}{}",
        sw.name,
        Centred(sw.index, 5),
        Centred(sw.state(), 10),
        Centred(format_args!("{l3}/{ip4}/{ip6}/{mpls}"), 21),
    );
    let indent = row.len();
    for (n, (name, count)) in counted(counters, sw.index).into_iter().enumerate() {
        if n > 0 {
            row.push_str(&format!("\n{:indent$}", ""));
        }
        row.push_str(&format!("{name:<16}{count:>16}"));
    }
    row
}

/// The counters that are not 0, by the names of listings.
fn counted(counters: &InterfaceCounters, index: SwIfIndex) -> Vec<(String, u64)> {
    let mut counted = Vec::new();
    for which in Combined::ALL {
        let sum = counters.combined(which).sum(index.0);
        if sum.packets > 0 {
            counted.push((format!("{} packets", which.name()), sum.packets));
            counted.push((format!("{} bytes", which.name()), sum.bytes));
        }
    }
    for which in Simple::ALL {
        let sum = counters.simple(which).sum(index.0);
        if sum > 0 {
            counted.push((which.name().to_owned(), sum));
        }
    }
    counted
}

/// `NAME (up):` or `NAME (dn):`.
fn state_line(sw: &SwInterface) -> String {
    let state = if sw.admin_up { "up" } else { "dn" };
    format!("{} ({state}):", sw.name)
}

fn addresses(shown: &Shown, indexes: &[SwIfIndex], cx: &mut CliContext<'_>) -> CliResult {
    let table: Addresses = shown.control.table().ok_or("the node has no IP")?;
    let fib: Option<Fib> = shown.control.table();
    for index in indexes.iter().copied() {
        let Some(sw) = shown.interfaces.sw(index) else {
            continue;
        };
        cx.print(state_line(&sw));
        let owner = sw.unnumbered.unwrap_or(index);
        if let Some(lender) = sw
            .unnumbered
            .and_then(|lender| shown.interfaces.name(lender))
        {
            cx.print(format_args!("  unnumbered, use {lender}"));
        }
        let in_table = fib.as_ref().and_then(|fib| {
            let table = fib.table(table.table_of(index).ok()?)?;
            (table.id != 0).then(|| format!(" ip4 table-id {} fib-idx {}", table.id, table.index))
        });
        let in_table = in_table.unwrap_or_default();
        for InterfaceAddress { address, len } in table.of(owner) {
            cx.print(format_args!("  L3 {address}/{len}{in_table}"));
        }
    }
    Ok(())
}

fn features(shown: &Shown, index: SwIfIndex, verbose: bool, cx: &mut CliContext<'_>) {
    let name = shown.interfaces.name(index).unwrap_or_default();
    cx.print(format_args!("Feature paths configured on {name}..."));
    let arcs = shown.control.arcs();
    // Latest first, as VPP keeps them.
    for arc in arcs.list().into_iter().rev() {
        cx.print(format_args!("\n{}:", arc.name));
        let enabled = arcs.enabled(&arc.name, index.0).unwrap_or_default();
        if enabled.is_empty() {
            cx.print("  none configured");
            continue;
        }
        for feature in enabled {
            let position = arc.features.iter().position(|known| *known == feature);
            match position.filter(|_| verbose) {
                Some(position) => cx.print(format_args!("  [{position:>2}] {feature}")),
                None => cx.print(format_args!("  {feature}")),
            }
        }
        if verbose {
            cx.print(format_args!("  [end] {}", arc.end));
        }
    }
}

fn tag(interfaces: &Interfaces, index: SwIfIndex, cx: &mut CliContext<'_>) {
    if let Some(sw) = interfaces.sw(index) {
        let tag = if sw.tag.is_empty() { "(none)" } else { &sw.tag };
        cx.print(format_args!("{}: {tag}", sw.name));
    }
}

/// Tags are never rewritten: that is a matter of bridging.
fn vtr(interfaces: &Interfaces, index: SwIfIndex, cx: &mut CliContext<'_>) {
    if let Some(name) = interfaces.name(index) {
        cx.print(format_args!("{name}:  VTR none"));
    }
}

fn secondary_mac(interfaces: &Interfaces, indexes: &[SwIfIndex], cx: &mut CliContext<'_>) {
    for index in indexes.iter().copied() {
        if let Some(sw) = interfaces.sw(index) {
            cx.print(state_line(&sw));
        }
        let further = interfaces.hw_of(index).map(|hw| hw.secondary_macs.clone());
        for mac in further.unwrap_or_default() {
            cx.print(format_args!("  {mac}"));
        }
    }
}

/// Receive queues by thread, node and name.
fn rx_placement(shown: &Shown, picked: &[SwIfIndex], cx: &mut CliContext<'_>) {
    let mut queues = Vec::new();
    for index in shown.interfaces.iter_indexes() {
        let Some(hw) = shown.interfaces.hw_of(index) else {
            continue;
        };
        let wanted = picked.is_empty() || picked.contains(&index);
        if hw.sw == index && wanted {
            let placed = hw.rx.iter().enumerate();
            let key = |(queue, placed): (usize, &crate::interface::RxPlacement)| {
                (
                    placed.thread,
                    placed.node,
                    hw.name.clone(),
                    queue,
                    placed.mode,
                )
            };
            queues.extend(placed.map(key));
        }
    }
    queues.sort_unstable_by(|a, b| (a.0, a.1, &a.2, a.3).cmp(&(b.0, b.1, &b.2, b.3)));
    let mut before = None;
    for (thread, node, name, queue, mode) in queues {
        if before.is_none_or(|(known, _)| known != thread) {
            let name = thread_name(&shown.prefix, thread);
            cx.print(format_args!("Thread {thread} ({name}):"));
            before = None;
        }
        if before != Some((thread, node)) {
            cx.print(format_args!(" node {}:", shown.control.node_name(node)));
        }
        cx.print(format_args!("    {name} queue {queue} ({mode})"));
        before = Some((thread, node));
    }
}
