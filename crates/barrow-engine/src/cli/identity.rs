//! Who the node says it is.

use super::{CliContext, CliRegistry, DuplicateCommand};
use std::rc::Rc;

/// The node's identity, as clients of VPP ask for it. All of it is ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The program that `show_version` answers: `vpe`, which clients expect.
    pub program: String,
    /// The version, such as `26.06-barrow.0.1.0`.
    pub version: String,
    /// When it was built.
    pub build_date: String,
    /// Where it was built; not a path of somebody's machine.
    pub build_directory: String,
    /// Who built it.
    pub built_by: String,
    /// On which machine.
    pub build_host: String,
    /// With which compiler.
    pub compiler: String,
    /// The words of the command line, for `show version cmdline`.
    pub command_line: Vec<String>,
    /// The process.
    pub process_id: u32,
}

impl Identity {
    /// The identity of this build, without a command line.
    pub fn of_this_build(process_id: u32) -> Self {
        Self {
            program: "vpe".into(),
            version: concat!("26.06-barrow.", env!("CARGO_PKG_VERSION")).into(),
            build_date: "unknown".into(),
            build_directory: "unknown".into(),
            built_by: "barrow".into(),
            build_host: "unknown".into(),
            compiler: "rustc".into(),
            command_line: Vec::new(),
            process_id,
        }
    }
}

/// Registers `show version [verbose|cmdline]`.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_identity(
    cli: &mut CliRegistry,
    identity: Rc<Identity>,
) -> Result<(), DuplicateCommand> {
    cli.command(
        "show version",
        "show version [verbose] [cmdline]",
        move |cx, args| {
            let (mut verbose, mut command_line) = (false, false);
            loop {
                if args.keyword("verbose") {
                    verbose = true;
                } else if args.keyword("cmdline") {
                    command_line = true;
                } else {
                    break;
                }
            }
            if verbose {
                show_verbose(cx, &identity);
            } else if !command_line {
                let Identity {
                    version,
                    built_by,
                    build_host,
                    build_date,
                    ..
                } = &*identity;
                cx.print(format_args!(
                    "vpp v{version} built by {built_by} on {build_host} at {build_date}"
                ));
            }
            if command_line {
                cx.print("Command line arguments:");
                for word in &identity.command_line {
                    cx.print(format_args!("  {word}"));
                }
            }
            Ok(())
        },
    )
}

fn show_verbose(cx: &mut CliContext<'_>, identity: &Identity) {
    let process_id = identity.process_id.to_string();
    let lines = [
        (
            "Program:",
            "Barrow, a software-defined-network node that speaks VPP's protocols",
        ),
        ("Version:", &identity.version),
        ("Compiled by:", &identity.built_by),
        ("Compile host:", &identity.build_host),
        ("Compile date:", &identity.build_date),
        ("Compile location:", &identity.build_directory),
        ("Compiler:", &identity.compiler),
        ("Current PID:", &process_id),
    ];
    for (what, value) in lines {
        let version = if what == "Version:" { "v" } else { "" };
        cx.print(format_args!("{what:<25} {version}{value}"));
    }
}
