//! `set interface …` but for queues; `clear interface tag`, `renumber interface`, `test interface`.

use crate::interface::cli::{
    instead, parse_device, parse_interface, require_ethernet, take_device, take_interface,
};
use crate::interface::{InterfaceError, Interfaces, Mtu};
use barrow_engine::cli::{Args, CliError, CliRegistry, CliResult, DuplicateCommand};
use barrow_messages::ethernet_types::MacAddress;

/// A command of this file.
type Run = fn(&Interfaces, &mut Args<'_>) -> CliResult;

const COMMANDS: [(&str, &str, Run); 11] = [
    (
        "set interface state",
        "set interface state <interface> up|down|punt|enable",
        state,
    ),
    (
        "set interface mtu",
        "set interface mtu [packet|ip4|ip6|mpls] <bytes> ... <interface>",
        mtu,
    ),
    (
        "set interface promiscuous",
        "set interface promiscuous on|off <interface>",
        promiscuous,
    ),
    (
        "set interface mac address",
        "set interface mac address <interface> <mac>",
        mac_address,
    ),
    (
        "set interface secondary-mac-address",
        "set interface secondary-mac-address <interface> <mac> add|del",
        secondary_mac_address,
    ),
    (
        "set interface name",
        "set interface name <interface> <new name>",
        name,
    ),
    (
        "set interface tag",
        "set interface tag <interface> <tag>",
        tag,
    ),
    (
        "clear interface tag",
        "clear interface tag <interface>",
        no_tag,
    ),
    (
        "renumber interface",
        "renumber interface <interface> <number>",
        renumber,
    ),
    (
        "set interface detailed-stats",
        "set interface detailed-stats <interface> enable|disable",
        detailed_stats,
    ),
    (
        "test interface link-state",
        "test interface link-state <interface> up|down",
        link_state,
    ),
];

pub(super) fn register(
    cli: &mut CliRegistry,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    for (path, help, run) in COMMANDS {
        let interfaces = interfaces.clone();
        cli.command(path, help, move |_, args| run(&interfaces, args))?;
    }
    Ok(())
}

fn state(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let index = parse_interface(args, interfaces)?;
    let state = args.one_of(&["up", "down", "punt", "enable"]);
    let state = state.ok_or_else(|| instead(args, "unknown flags"))?;
    let set = match state {
        "up" | "down" => interfaces.set_admin(index, state == "up"),
        _ => interfaces.set_punt(index, state == "punt"),
    };
    Ok(set?)
}

/// Sets the device's MTU, or those of the protocols that are named, the others' to 0. (VPP takes one protocol a command.)
fn mtu(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let unknown = args.unknown_input();
    let mut mtu = None;
    while let Some(protocol) = args.one_of(&["packet", "ip4", "ip6", "mpls"]) {
        let size: u32 = args.number().ok_or_else(|| unknown.clone())?;
        let mtu: &mut Mtu = mtu.get_or_insert_default();
        match protocol {
            "packet" => mtu.l3 = size,
            "ip4" => mtu.ip4 = size,
            "ip6" => mtu.ip6 = size,
            _ => mtu.mpls = size,
        }
    }
    if let Some(mtu) = mtu {
        let index = take_interface(args, interfaces).ok_or(unknown)?;
        return Ok(interfaces.set_mtu(index, mtu)?);
    }
    let size: u32 = args.number().ok_or_else(|| unknown.clone())?;
    let hw = take_device(args, interfaces).ok_or(unknown)?;
    require_ethernet(interfaces, hw)?;
    interfaces
        .set_hw_mtu(hw, size)
        .map_err(|error| match error {
            InterfaceError::Unsupported => CliError::new(
                "Unsupported (underlying driver doesn't support changing Max Frame Size)",
            ),
            _ => error.into(),
        })
}

fn promiscuous(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let unknown = args.unknown_input();
    let on = args.one_of(&["on", "off"]).ok_or_else(|| unknown.clone())? == "on";
    let hw = take_device(args, interfaces).ok_or(unknown)?;
    require_ethernet(interfaces, hw)?;
    Ok(interfaces.set_promiscuous(hw, on)?)
}

fn mac_address(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let hw = parse_device(args, interfaces)?;
    let mac = parse_mac(args)?;
    interfaces.set_mac(hw, mac).map_err(|error| match error {
        InterfaceError::Unsupported => {
            "MAC Address Change is not supported on this interface".into()
        }
        InterfaceError::NotEthernet => {
            format!("mac address change is not supported for interface index {hw}").into()
        }
        _ => error.into(),
    })
}

fn secondary_mac_address(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let index = parse_interface(args, interfaces)?;
    let mac = parse_mac(args)?;
    let add = args.one_of(&["add", "del"]);
    let add = add.ok_or("must choose one of add or del")? == "add";
    let hw = interfaces.hw_of(index).map(|hw| hw.index);
    let hw = hw.ok_or(InterfaceError::NoSuchInterface)?;
    interfaces
        .add_del_mac(hw, mac, add)
        .map_err(|error| match error {
            InterfaceError::NotEthernet => {
                format!("Secondary MAC Addresses not supported for interface index {hw}").into()
            }
            _ => error.into(),
        })
}

fn parse_mac(args: &mut Args<'_>) -> Result<MacAddress, CliError> {
    let mac = args.mac().map(MacAddress);
    mac.ok_or_else(|| instead(args, "expected mac address"))
}

fn name(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let hw = take_device(args, interfaces);
    let name = args.word();
    let (Some(hw), Some(name)) = (hw, name) else {
        return Err("please specify valid interface name".into());
    };
    args.finish()?;
    let index = interfaces.hw(hw).map(|hw| hw.sw);
    Ok(interfaces.set_name(index.ok_or(InterfaceError::NoSuchInterface)?, name)?)
}

fn tag(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let unknown = args.unknown_input();
    let index = take_interface(args, interfaces).ok_or_else(|| unknown.clone())?;
    let tag = args.string().ok_or(unknown)?;
    Ok(interfaces.set_tag(index, tag)?)
}

fn no_tag(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let index = take_interface(args, interfaces).ok_or_else(|| args.unknown_input())?;
    Ok(interfaces.set_tag(index, "")?)
}

fn renumber(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let hw = take_device(args, interfaces);
    let hw = hw.ok_or_else(|| instead(args, "unknown hardware interface"))?;
    let number = args.number().ok_or("new dev instance missing")?;
    Ok(interfaces.renumber(hw, number)?)
}

/// Counts packets by kind of destination, too; VPP has this in its API only.
fn detailed_stats(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let index = parse_interface(args, interfaces)?;
    let on = args.one_of(&["enable", "disable"]);
    let on = on.ok_or_else(|| args.unknown_input())? == "enable";
    Ok(interfaces.set_detailed_stats(index, on)?)
}

/// Makes the node believe that a link came or went.
fn link_state(interfaces: &Interfaces, args: &mut Args<'_>) -> CliResult {
    let index = parse_interface(args, interfaces)?;
    let up = args.one_of(&["up", "down"]);
    let up = up.ok_or_else(|| args.unknown_input())? == "up";
    let hw = interfaces.hw_of(index).map(|hw| hw.index);
    Ok(interfaces.set_link(hw.ok_or(InterfaceError::NoSuchInterface)?, up)?)
}
