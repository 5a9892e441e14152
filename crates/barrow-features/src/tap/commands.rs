//! `create tap`, `delete tap`, `show tap`.

use super::{HostSide, NewTap, TapError, Taps};
use crate::interface::Interfaces;
use crate::interface::cli::parse_interface;
use barrow_engine::cli::{Args, CliError};
use barrow_engine::{EngineBuilder, RegisterError};
use barrow_messages::ethernet_types::MacAddress;

const CREATE: &str = "create tap [id N] [hw-addr MAC] [num-rx-queues N] [num-tx-queues N] \
     [rx-ring-size N] [tx-ring-size N] [host-if-name NAME] [host-ns NS] [host-mac-addr MAC] \
     [host-ip4-addr A/L] [host-ip6-addr A/L] [host-ip4-gw A] [host-ip6-gw A] [host-bridge NAME] \
     [host-mtu-size N] [gso] [csum-offload]";

impl From<TapError> for CliError {
    fn from(error: TapError) -> Self {
        Self::new(error.to_string())
    }
}

pub(super) fn register(
    engine: &mut EngineBuilder,
    interfaces: &Interfaces,
    taps: &Taps,
) -> Result<(), RegisterError> {
    let (table, names) = (taps.clone(), interfaces.clone());
    engine
        .cli()
        .command("create tap", CREATE, move |cx, args| {
            let index = table.create(parse(args)?)?;
            cx.print(format_args!("{}\n", names.name(index).unwrap_or_default()));
            Ok(())
        })?;
    let (table, names) = (taps.clone(), interfaces.clone());
    engine.cli().command(
        "delete tap",
        "delete tap INTERFACE | sw_if_index N",
        move |_, args| {
            let index = if args.keyword("sw_if_index") {
                crate::interface::SwIfIndex(args.number().ok_or_else(|| args.unknown_input())?)
            } else {
                parse_interface(args, &names)?
            };
            args.finish()?;
            Ok(table.delete(index)?)
        },
    )?;
    let (table, names) = (taps.clone(), interfaces.clone());
    engine
        .cli()
        .command("show tap", "show tap [INTERFACE]", move |cx, args| {
            let wanted = if args.is_empty() {
                None
            } else {
                Some(parse_interface(args, &names)?)
            };
            let mut from = 0;
            while let Some(tap) = table.next(from) {
                from = tap.id + 1;
                if wanted.is_some_and(|wanted| wanted != tap.interface) {
                    continue;
                }
                let name = names.name(tap.interface).unwrap_or_default();
                cx.print(format_args!(
                    "Interface: {name} (ifindex {})\n",
                    tap.interface
                ));
                cx.print(format_args!("  name \"{}\"\n", tap.host_name));
                let namespace = tap.new.host.namespace.as_deref().unwrap_or("(nil)");
                cx.print(format_args!("  host-ns \"{namespace}\"\n"));
                if let Some(mtu) = tap.new.host.mtu {
                    cx.print(format_args!("  host-mtu-size \"{mtu}\"\n"));
                }
                for (address, len) in &tap.new.host.addresses {
                    cx.print(format_args!("  host-addr {address}/{len}\n"));
                }
                let offloads = if tap.new.offloads { 1 } else { 0 };
                cx.print(format_args!(
                    "  gso-enabled {offloads}\n  csum-enabled {offloads}\n"
                ));
                cx.print(format_args!("  queues {}\n", tap.new.queues));
            }
            Ok(())
        })?;
    Ok(())
}

fn parse(args: &mut Args<'_>) -> Result<NewTap, CliError> {
    let mut new = NewTap {
        id: None,
        mac: None,
        queues: 1,
        offloads: false,
        host: HostSide::default(),
    };
    while !args.is_empty() {
        let before = args.rest();
        let word = args.word().unwrap_or_default();
        let taken = option(&mut new, word, args);
        taken.ok_or_else(|| CliError::unknown_input(before))?;
    }
    Ok(new)
}

/// Takes the value of one option; nothing if the word is none, or the value does not fit it.
fn option(new: &mut NewTap, word: &str, args: &mut Args<'_>) -> Option<()> {
    let host = &mut new.host;
    match word {
        "id" => new.id = Some(args.number()?),
        "hw-addr" => new.mac = Some(MacAddress(args.mac()?)),
        "num-rx-queues" | "num-tx-queues" => new.queues = new.queues.max(args.number()?),
        // The kernel sizes the queues of a tap itself.
        "rx-ring-size" | "tx-ring-size" => drop(args.number::<u16>()?),
        "host-if-name" => host.name = Some(args.word()?.to_owned()),
        "host-ns" => host.namespace = Some(args.word()?.to_owned()),
        "host-mac-addr" => host.mac = Some(MacAddress(args.mac()?)),
        "host-bridge" => host.bridge = Some(args.word()?.to_owned()),
        "host-mtu-size" => host.mtu = Some(args.number()?),
        "host-ip4-addr" | "host-ip6-addr" => {
            let (address, len) = args.prefix()?;
            host.addresses.push((address, u8::try_from(len).ok()?));
        }
        "host-ip4-gw" | "host-ip6-gw" => host.gateways.push(args.ip()?),
        "gso" | "csum-offload" => new.offloads = true,
        "no-gso" => new.offloads = false,
        _ => return None,
    }
    Some(())
}
