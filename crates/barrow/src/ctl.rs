//! `barrow ctl`: commands to a running node, over its binary API.

use crate::api::Server;
use crate::failed;
use barrow_client::{Error, blocking};
use barrow_messages::vlib::CliInband;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// Which commands.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    server: Server,
    /// One command; without any, each line of standard input is one.
    #[arg(trailing_var_arg = true)]
    command: Vec<String>,
}

/// Gives the commands and prints what they say. The first that fails ends it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let done = options.server.connect().and_then(|client| {
        if !options.command.is_empty() {
            return give(&client, &options.command.join(" "));
        }
        io::stdin().lock().lines().try_for_each(|line| {
            let line = line.map_err(|error| error.to_string())?;
            match line.trim() {
                "" => Ok(()),
                command => give(&client, command),
            }
        })
    });
    done.map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn give(client: &blocking::Connection, command: &str) -> Result<(), String> {
    let call = client.call(CliInband {
        cmd: command.into(),
    });
    let text = match client.wait(call) {
        Ok(reply) => reply.reply,
        Err(Error::Api(error)) => {
            let text = error
                .reply::<CliInband>()
                .map(|reply| reply.reply.to_string_lossy());
            return Err(text.map_or_else(|| error.to_string(), |text| text.trim_end().to_owned()));
        }
        Err(error) => return Err(error.to_string()),
    };
    let mut out = io::stdout().lock();
    // Whoever reads may have seen enough.
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
    Ok(())
}
