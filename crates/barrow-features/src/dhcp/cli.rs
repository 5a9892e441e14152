//! `set dhcp client`, `show dhcp client`. Words and lines are VPP's (`vpp:src/plugins/dhcp/client.c`).

use super::clients::{Clients, DhcpError, Settings, View};
use super::machine::Phase;
use crate::interface::Interfaces;
use crate::interface::cli::take_interface;
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, DuplicateCommand};
use barrow_engine::{ConfigStage, Instant, RunningConfig};
use std::fmt::Write;
use std::net::Ipv4Addr;

const SET: &str = "set dhcp client [del] intfc <interface> [hostname <name>]";
const SHOW: &str = "show dhcp client [intfc <intfc>][verbose]";

pub(super) fn register(
    cli: &mut CliRegistry,
    clients: &Clients,
    interfaces: &Interfaces,
    now: impl Fn() -> Instant + 'static,
) -> Result<(), DuplicateCommand> {
    let (own, known) = (clients.clone(), interfaces.clone());
    cli.command("set dhcp client", SET, move |_, args| {
        set(&own, &known, args)
    })?;
    let (own, known) = (clients.clone(), interfaces.clone());
    cli.command("show dhcp client", SHOW, move |cx, args| {
        let (mut only, mut verbose) = (None, false);
        loop {
            if let Some(index) = args.option("intfc", |args| take_interface(args, &known)) {
                only = Some(index);
            } else if args.keyword("verbose") {
                verbose = true;
            } else {
                break;
            }
        }
        args.finish()?;
        let views = own.list();
        let shown = |view: &&View| only.is_none_or(|only| view.index == only);
        for (number, view) in views.iter().enumerate() {
            if shown(&view) {
                let name = known.name(view.index).unwrap_or_default();
                cx.print(line(number, &name, view, verbose.then(&now)));
            }
        }
        if let Some(only) = only
            && !views.iter().any(|view| view.index == only)
        {
            let name = known.name(only).unwrap_or_default();
            return Err(CliError::new(format!("dhcp client not enabled on {name}")));
        }
        Ok(())
    })
}

/// Writes the commands that make the clients again.
pub(super) fn write(clients: &Clients, interfaces: &Interfaces, config: &mut RunningConfig) {
    for view in clients.list() {
        let Some(name) = interfaces.name(view.index) else {
            continue;
        };
        let host_name = String::from_utf8_lossy(&view.settings.host_name).into_owned();
        let host_name = match host_name.as_str() {
            "" => String::new(),
            host_name => format!(" hostname {}", RunningConfig::argument(host_name)),
        };
        let command = format_args!("set dhcp client intfc {name}{host_name}");
        config.line(ConfigStage::Features, view.index.0, command);
    }
}

fn set(clients: &Clients, interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let (mut index, mut del) = (None, false);
    let mut settings = Settings {
        broadcast: true,
        ..Settings::default()
    };
    loop {
        if let Some(given) = args.option("intfc", |args| take_interface(args, interfaces)) {
            index = Some(given);
        } else if let Some(name) = args.option("hostname", Args::word) {
            settings.host_name = name.bytes().take(63).collect();
        } else if args.keyword("del") {
            del = true;
        } else {
            break;
        }
    }
    args.finish()?;
    let index = index.ok_or("interface not specified")?;
    if del {
        clients.remove(index)
    } else {
        let mac = interfaces.outputs().mac(index).unwrap_or_default();
        let text = mac.map(|byte| format!("{byte:02x}")).join(":");
        settings.client_id = text.into_bytes();
        clients.add(index, settings)
    }
    .map_err(|error| {
        let name = interfaces.name(index).unwrap_or_default();
        match error {
            DhcpError::NoSuchInterface => CliError::new(format!("{name} has no link address")),
            error => CliError::new(format!("{error} on {name}")),
        }
    })
}

/// One client; with the time now also how long its lease lasts.
fn line(number: usize, name: &str, view: &View, verbose: Option<Instant>) -> String {
    let state = match view.phase {
        Phase::Looking | Phase::Ended => "DHCP_DISCOVER",
        Phase::Requesting | Phase::Checking => "DHCP_REQUEST",
        Phase::Bound | Phase::Renewing | Phase::Rebinding => "DHCP_BOUND",
    };
    let installed = u8::from(view.installed);
    let mut text = format!("[{number}] {name} state {state} installed {installed}");
    // Writing to a string does not fail.
    let mut add = |piece: std::fmt::Arguments<'_>| text.write_fmt(piece).unwrap_or_default();
    if view.settings.dscp != 0 {
        add(format_args!(" dscp {}", view.settings.dscp));
    }
    match &view.lease {
        None => add(format_args!(" no address")),
        Some(lease) => {
            let router = lease.router.unwrap_or(Ipv4Addr::UNSPECIFIED);
            add(format_args!(
                " addr {}/{} gw {router} server {}",
                lease.address, lease.prefix_len, lease.server
            ));
            for server in &lease.domain_servers {
                add(format_args!(" dns {server}"));
            }
        }
    }
    if let Some(now) = verbose {
        let lease = view.lease.as_ref();
        let expires = lease
            .and_then(|l| l.expires_at())
            .map_or(0.0, Instant::as_secs_f64);
        add(format_args!(
            "\n lease: lifetime:{} renewal-interval:{} expires:{expires:.2} (now:{:.2})",
            lease.map_or(0, |lease| lease.seconds),
            lease.map_or(0, |lease| lease.renewal),
            now.as_secs_f64()
        ));
        let next = view.next.map_or(0.0, Instant::as_secs_f64);
        add(format_args!(
            "\n retry-count:{}, next-xmt:{next:.2}",
            view.attempts
        ));
    }
    text
}
