//! `create sub-interfaces`, `delete sub-interface`.

use crate::interface::cli::{instead, parse_device, take_interface};
use crate::interface::{InterfaceError, Interfaces, SubInterface, SwIfIndex, VlanMatch};
use barrow_engine::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};
use std::ops::RangeInclusive;

pub(super) fn register(
    cli: &mut CliRegistry,
    interfaces: &Interfaces,
) -> Result<(), DuplicateCommand> {
    let own = interfaces.clone();
    let help = "create sub-interfaces <interface> <id> [default|untagged] | <id>-<id> | \
                <id> dot1q|dot1ad <vlan>|any [inner-dot1q <vlan>|any] [exact-match]";
    cli.command("create sub-interfaces", help, move |cx, args| {
        create(&own, cx, args)
    })?;
    let own = interfaces.clone();
    let help = "delete sub-interface <interface>";
    cli.command("delete sub-interface", help, move |_, args| {
        let index = take_interface(args, &own).ok_or("interface doesn't exist")?;
        Ok(own.delete_sub(index)?)
    })
}

/// Makes the sub-interfaces that do not exist and prints their names.
fn create(interfaces: &Interfaces, cx: &mut CliContext<'_>, args: &mut Args<'_>) -> CliResult {
    let hw = parse_device(args, interfaces)?;
    let parent = interfaces.hw(hw).map(|hw| hw.sw);
    let parent = parent.ok_or(InterfaceError::NoSuchInterface)?;
    let (ids, vlan) = parse(args)?;
    for id in ids.clone() {
        let vlan = match vlan {
            Some(vlan) => vlan,
            None => VlanMatch::dot1q(vlan_id(id)?),
        };
        match interfaces.create_sub(SubInterface { parent, id, vlan }) {
            Ok(index) => print_name(interfaces, index, cx),
            Err(InterfaceError::SubInterfaceExists) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn print_name(interfaces: &Interfaces, index: SwIfIndex, cx: &mut CliContext<'_>) {
    if let Some(name) = interfaces.name(index) {
        cx.print(name);
    }
}

/// Reads the ids, and the frames that are meant; without those, an id is that of its VLAN.
fn parse(args: &mut Args<'_>) -> Result<(RangeInclusive<u32>, Option<VlanMatch>), CliError> {
    let wrong = instead(args, "expected ID or ID MIN-MAX, got");
    let first: u32 = args.number().ok_or_else(|| wrong.clone())?;
    if args.literal("-") {
        let last: u32 = args.number().ok_or_else(|| wrong.clone())?;
        if first > last {
            return Err(wrong);
        }
        vlan_id(last)?;
        return Ok((first..=last, None));
    }
    let vlan = match args.one_of(&["default", "untagged", "dot1q", "dot1ad"]) {
        None => None,
        Some("default") => Some(VlanMatch {
            default: true,
            ..VlanMatch::default()
        }),
        Some("untagged") => Some(VlanMatch {
            exact: true,
            ..VlanMatch::default()
        }),
        Some(kind) => Some(parse_tags(kind == "dot1ad", args)?),
    };
    Ok((first..=first, vlan))
}

/// `N|any [inner-dot1q N|any] [exact-match]`
fn parse_tags(dot1ad: bool, args: &mut Args<'_>) -> Result<VlanMatch, CliError> {
    let wrong = instead(args, "expected dot1q config, got");
    let mut vlan = VlanMatch {
        tags: 1,
        dot1ad,
        ..VlanMatch::default()
    };
    match parse_id(args).ok_or_else(|| wrong.clone())? {
        Some(id) => vlan.outer_id = vlan_id(id)?,
        None => vlan.outer_any = true,
    }
    if args.keyword("inner-dot1q") {
        vlan.tags = 2;
        match parse_id(args).ok_or(wrong)? {
            Some(id) => vlan.inner_id = vlan_id(id)?,
            None => vlan.inner_any = true,
        }
    }
    vlan.exact = args.abbreviation("exact-match", 5);
    vlan.check()?;
    Ok(vlan)
}

/// A number, or `any`, which gives `Some(None)`.
fn parse_id(args: &mut Args<'_>) -> Option<Option<u32>> {
    if args.keyword("any") {
        Some(None)
    } else {
        args.number().map(Some)
    }
}

fn vlan_id(id: u32) -> Result<u16, CliError> {
    let id = u16::try_from(id)
        .ok()
        .filter(|id| *id <= VlanMatch::LAST_ID);
    id.ok_or_else(|| InterfaceError::InvalidValue("vlan id").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(text: &str) -> VlanMatch {
        parse(&mut Args::new(text)).unwrap().1.unwrap()
    }

    #[test]
    fn every_form_means_what_it_says() {
        let one = VlanMatch {
            tags: 1,
            outer_id: 100,
            ..VlanMatch::default()
        };
        assert_eq!(tags("7 dot1q 100"), one);
        assert_eq!(
            tags("7 dot1q 100 exact-match"),
            VlanMatch { exact: true, ..one }
        );
        assert_eq!(
            tags("7 dot1ad 100"),
            VlanMatch {
                dot1ad: true,
                ..one
            }
        );
        let any = VlanMatch {
            outer_id: 0,
            outer_any: true,
            ..one
        };
        assert_eq!(tags("7 dot1q any"), any);
        let two = VlanMatch {
            tags: 2,
            inner_id: 200,
            ..one
        };
        assert_eq!(tags("7 dot1q 100 inner-dot1q 200"), two);
        let inner_any = VlanMatch {
            inner_id: 0,
            inner_any: true,
            ..two
        };
        assert_eq!(tags("7 dot1q 100 inner-dot1q any"), inner_any);
        let both = VlanMatch {
            outer_id: 0,
            outer_any: true,
            ..inner_any
        };
        assert_eq!(tags("7 dot1q any inner-dot1q any"), both);
        assert!(tags("7 default").default);
        let untagged = tags("7 untagged");
        assert!(untagged.tags == 0 && untagged.exact);
        assert_eq!(parse(&mut Args::new("7")).unwrap(), (7..=7, None));
        assert_eq!(parse(&mut Args::new("7-9")).unwrap(), (7..=9, None));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for bad in [
            "",
            "x",
            "9-7",
            "7-4096",
            "7-",
            "7 dot1q",
            "7 dot1q x",
            "7 dot1q 4096",
            "7 dot1q 1 inner-dot1q",
            "7 dot1q 1 inner-dot1q any exact-match",
        ] {
            assert!(parse(&mut Args::new(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[ 0-9a-z-]{0,40}") {
            let mut args = Args::new(&text);
            if let Ok((ids, _)) = parse(&mut args) {
                prop_assert!(ids.start() <= ids.end());
            }
        }
    }
}
