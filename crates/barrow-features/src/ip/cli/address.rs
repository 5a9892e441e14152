//! `set interface ip address`, `set interface ip table`, `set interface unnumbered`.

use super::{Commands, IpCli};
use crate::interface::SwIfIndex;
use crate::interface::cli::{parse_interface, take_interface};
use crate::ip::{AddressError, InterfaceAddress};
use barrow_engine::cli::{Args, CliContext, CliError, CliResult};
use std::net::IpAddr;

pub(super) const COMMANDS: Commands = &[
    (
        "set interface ip address",
        "set interface ip address [del] <interface> <ip-addr>/<mask> | [all]",
        IpCli::address,
    ),
    (
        "set interface ip table",
        "set interface ip table <interface> <table-id>",
        IpCli::bind_table,
    ),
    (
        "set interface unnumbered",
        "set interface unnumbered [<interface> use <interface> | del <interface>]",
        IpCli::unnumbered,
    ),
    (
        "set interface ip directed-broadcast",
        "set interface ip directed-broadcast <interface> enable|disable",
        IpCli::directed_broadcast,
    ),
    (
        "enable ip4 interface",
        "enable ip4 interface <interface>",
        IpCli::enable,
    ),
    (
        "disable ip4 interface",
        "disable ip4 interface <interface>",
        IpCli::disable,
    ),
];

impl IpCli {
    fn address(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let is_del = args.keyword("del");
        let index = parse_interface(args, &self.interfaces)?;
        if is_del && args.keyword("all") {
            args.finish()?;
            let removed = self.addresses.remove_all(index);
            return removed.map_err(|error| CliError::new(error.to_string()));
        }
        let expected = || {
            let rest: String = args.rest().chars().take(64).collect();
            CliError::new(format!("expected IP4/IP6 address/length `{rest}'"))
        };
        let (address, len) = args.clone().prefix().ok_or_else(expected)?;
        let _taken = args.prefix();
        args.finish()?;
        let IpAddr::V4(address) = address else {
            return Err(CliError::new("address family not supported"));
        };
        // More than a byte holds is more than an address has.
        let len = u8::try_from(len).unwrap_or(u8::MAX);
        let address = InterfaceAddress { address, len };
        let done = if is_del {
            self.addresses.remove(index, address)
        } else {
            self.addresses.add(index, address)
        };
        done.map_err(|error| self.address_error(index, address, &error))
    }

    /// The error in VPP's words, with what is in the way.
    fn address_error(
        &self,
        index: SwIfIndex,
        address: InterfaceAddress,
        error: &AddressError,
    ) -> CliError {
        let name = |index| self.interfaces.name(index).unwrap_or_default();
        CliError::new(match error {
            AddressError::InUse => match self.addresses.conflict(index, address) {
                Ok(Some((other, held))) => format!(
                    "failed to add {address} on {} which conflicts with {held} for interface {}",
                    name(index),
                    name(other)
                ),
                _ => error.to_string(),
            },
            AddressError::NotFound => {
                format!("{address} not found for interface {}", name(index))
            }
            _ => error.to_string(),
        })
    }

    fn bind_table(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let index = parse_interface(args, &self.interfaces)?;
        let Some(id) = args.number::<u32>() else {
            let rest: String = args.rest().chars().take(64).collect();
            return Err(CliError::new(format!("expected table id `{rest}'")));
        };
        args.finish()?;
        let table = self
            .table(id)
            .ok_or_else(|| CliError::new(format!("no such table {id}")))?;
        self.addresses.set_table(index, table).map_err(|error| {
            CliError::new(match error {
                AddressError::HasAddresses => {
                    let name = self.interfaces.name(index).unwrap_or_default();
                    format!("IP addresses are still present on {name}")
                }
                error => error.to_string(),
            })
        })
    }

    fn directed_broadcast(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let index = parse_interface(args, &self.interfaces)?;
        let on = args.one_of(&["enable", "disable"]);
        let on = on.ok_or_else(|| args.unknown_input())? == "enable";
        args.finish()?;
        self.fib
            .set_directed_broadcast(index, on)
            .map_err(super::fib_error)
    }

    fn enable(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        self.want(args, true)
    }

    fn disable(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        self.want(args, false)
    }

    /// Lets an interface without address take IPv4 packets, or no longer.
    fn want(&self, args: &mut Args<'_>, on: bool) -> CliResult {
        let index = parse_interface(args, &self.interfaces)?;
        args.finish()?;
        let wanted = self.addresses.want(index, on);
        wanted.map_err(|error| CliError::new(error.to_string()))
    }

    fn unnumbered(&self, _: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
        let pair = args.attempt(|args| {
            let index = take_interface(args, &self.interfaces)?;
            let lender = args.option("use", |args| take_interface(args, &self.interfaces))?;
            Some((index, Some(lender)))
        });
        let pair = pair.or_else(|| {
            args.option("del", |args| take_interface(args, &self.interfaces))
                .map(|index| (index, None))
        });
        let Some((index, lender)) = pair else {
            let rest: String = args.rest().chars().take(64).collect();
            return Err(CliError::new(format!("parse error '{rest}'")));
        };
        args.finish()?;
        self.addresses
            .set_unnumbered(index, lender)
            .map_err(|error| {
                CliError::new(match error {
                    AddressError::DifferentTables => {
                        "When enabling unnumbered both interfaces must be in the same tables"
                            .to_owned()
                    }
                    error => error.to_string(),
                })
            })
    }
}
