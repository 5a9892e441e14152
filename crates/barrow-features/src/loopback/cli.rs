//! `create loopback interface`, `delete loopback interface`, and their other names.

use super::Loopbacks;
use crate::interface::Interfaces;
use crate::interface::cli::take_interface;
use barrow_engine::cli::{Args, CliContext, CliRegistry, CliResult, DuplicateCommand};
use barrow_messages::ethernet_types::MacAddress;

pub(super) fn register(
    cli: &mut CliRegistry,
    interfaces: &Interfaces,
    loopbacks: &Loopbacks,
) -> Result<(), DuplicateCommand> {
    for path in ["create loopback interface", "loopback create-interface"] {
        let (interfaces, loopbacks) = (interfaces.clone(), loopbacks.clone());
        let help = format!("{path} [mac <mac>] [instance <number>]");
        cli.command(path, &help, move |cx, args| {
            create(&interfaces, &loopbacks, cx, args)
        })?;
    }
    for path in ["delete loopback interface", "loopback delete-interface"] {
        let (interfaces, loopbacks) = (interfaces.clone(), loopbacks.clone());
        let help = format!("{path} intfc <interface>");
        cli.command(path, &help, move |_, args| {
            let index = args.option("intfc", |args| take_interface(args, &interfaces));
            Ok(loopbacks.delete(index.ok_or("interface not specified")?)?)
        })?;
    }
    Ok(())
}

/// Makes one and prints its name. What it does not understand is left for the next command, as in VPP.
fn create(
    interfaces: &Interfaces,
    loopbacks: &Loopbacks,
    cx: &mut CliContext<'_>,
    args: &mut Args<'_>,
) -> CliResult {
    let (mut mac, mut instance) = (MacAddress::default(), None);
    loop {
        if let Some(given) = args.option("mac", Args::mac) {
            mac = MacAddress(given);
        } else if let Some(given) = args.option("instance", Args::number::<u32>) {
            instance = Some(given);
        } else {
            break;
        }
    }
    let index = loopbacks.create(mac, instance)?;
    if let Some(name) = interfaces.name(index) {
        cx.print(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::interface::Interfaces;
    use crate::interface::test_device::node;
    use barrow_engine::testing::Testbed;

    fn run(bed: &mut Testbed, command: &str) -> (i32, String) {
        let ran = bed.command(command);
        (ran.retval, ran.text)
    }

    #[test]
    fn a_loopback_is_made_and_named() {
        let mut bed = node();
        assert_eq!(
            run(&mut bed, "create loopback interface"),
            (0, "loop0\n".into())
        );
        let with = "loopback create-interface mac 02:00:00:00:00:09 instance 5";
        assert_eq!(run(&mut bed, with), (0, "loop5\n".into()));
        let interfaces: Interfaces = bed.table();
        let index = interfaces.by_name("loop5").unwrap();
        assert_eq!(interfaces.hw_of(index).unwrap().mac.0, [2, 0, 0, 0, 0, 9]);
        let (retval, text) = run(&mut bed, "create loopback interface instance 5");
        assert_eq!(retval, -1);
        assert_eq!(
            text,
            "create loopback interface: interface exists already\n"
        );
    }

    #[test]
    fn what_it_does_not_understand_is_the_next_command() {
        let mut bed = node();
        let (retval, text) = run(&mut bed, "create loopback interface mac zz");
        assert_eq!(
            (retval, text.as_str()),
            (-1, "loop0\nunknown input `mac zz'\n")
        );
    }

    #[test]
    fn a_loopback_is_deleted_by_name() {
        let mut bed = node();
        run(&mut bed, "create loopback interface");
        run(&mut bed, "create loopback interface");
        assert_eq!(run(&mut bed, "delete loopback interface intfc loop0").0, 0);
        assert_eq!(run(&mut bed, "loopback delete-interface intfc loop1").0, 0);
        let interfaces: Interfaces = bed.table();
        assert_eq!(interfaces.iter_indexes().count(), 1);
        let (retval, text) = run(&mut bed, "delete loopback interface");
        assert_eq!(retval, -1);
        assert_eq!(text, "delete loopback interface: interface not specified\n");
        assert_eq!(
            run(&mut bed, "delete loopback interface intfc local0").0,
            -1
        );
    }
}
