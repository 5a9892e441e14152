//! `barrow api`: VPP's interface language as files and as Rust, and its messages as calls.

mod call;
mod files;
mod show;

pub(crate) use call::Server;

use crate::failed;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the messages that a node serves: name, CRC, module.
    List,
    /// Show the definition of a message.
    Show {
        /// Its name.
        name: String,
    },
    /// Write `.api.json` files, as vpp_papi and GoVPP's generator read them.
    Json {
        /// The folder to write into; made if it is missing.
        #[arg(long)]
        out: PathBuf,
        /// `.api` files to translate; without any, what the node itself serves.
        files: Vec<PathBuf>,
    },
    /// Write Rust for `.api` or `.api.json` files.
    Gen {
        /// The folder to write into; made if it is missing.
        #[arg(long)]
        out: PathBuf,
        /// Folders to look for imported files in, beside that of each file.
        #[arg(long)]
        import: Vec<PathBuf>,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Call a running node (or FD.io VPP) by name, with JSON: prints the reply, or each item of a list, as one line.
    Call(call::Options),
    /// Compare the messages known here with those of a running node (or of FD.io VPP).
    Diff(Server),
}

/// Runs one of the commands.
pub(crate) fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::List => {
            list();
            Ok(())
        }
        Command::Show { name } => show::run(name),
        Command::Json { out, files } => files::to_json(out, files),
        Command::Gen { out, import, files } => files::to_rust(out, import, files),
        Command::Call(options) => call::run(options),
        Command::Diff(server) => call::diff(server),
    };
    done.map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn list() {
    for module in barrow_messages::catalogue() {
        for message in module.messages {
            println!("{:<48} {:08x}  {}", message.name, message.crc, module.name);
        }
    }
}
