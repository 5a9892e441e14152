//! Calls by name to a running node.

use barrow_client::dynamic::Dynamic;
use barrow_client::{Config, DEFAULT_SOCKET, Reconnect, blocking};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Which server.
#[derive(clap::Args)]
pub(crate) struct Server {
    /// The API socket.
    #[arg(long, default_value = DEFAULT_SOCKET)]
    socket: PathBuf,
    /// Seconds that a call may take.
    #[arg(long, default_value_t = 5.0)]
    timeout: f64,
}

/// What to call.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The name of the request, for example `sw_interface_dump`.
    name: String,
    /// Its fields as a JSON object; what is left out has its default.
    #[arg(default_value = "{}")]
    fields: String,
    #[command(flatten)]
    server: Server,
    /// Use the definitions of 26.06 built in here, rather than ask the server for its own (which 24.06 and later
    /// tell).
    #[arg(long)]
    builtin: bool,
}

impl Server {
    /// Connects, once.
    pub(crate) fn connect(&self) -> Result<blocking::Connection, String> {
        let timeout = Duration::try_from_secs_f64(self.timeout)
            .map_err(|error| format!("--timeout {}: {error}", self.timeout))?;
        let config = Config {
            name: "barrow".into(),
            timeout: Some(timeout),
            reconnect: Reconnect::never(),
            ..Config::default()
        };
        blocking::connect(&self.socket, config)
            .map_err(|error| format!("{error}; is a node running there? (--socket)"))
    }
}

/// Makes the call and prints what answers it.
pub(super) fn run(options: &Options) -> Result<(), String> {
    let fields = serde_json::from_str(&options.fields)
        .map_err(|error| format!("the fields are no JSON: {error}"))?;
    let client = options.server.connect()?;
    let dynamic = match options.builtin {
        true => Dynamic::of_bindings(),
        false => client.wait(Dynamic::of_server(&client)),
    }
    .map_err(|error| error.to_string())?;
    let mut answer = dynamic
        .call(&client.channel(), &options.name, &fields)
        .map_err(|error| format!("{error} (barrow api show {})", options.name))?;
    let mut out = io::stdout().lock();
    while let Some(object) = client.wait(answer.next()) {
        let object = object.map_err(|error| error.to_string())?;
        match writeln!(out, "{object}") {
            Ok(()) => {}
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// Prints how the messages known here compare with the server's.
pub(super) fn diff(server: &Server) -> Result<(), String> {
    let client = server.connect()?;
    let report = client.compatibility(barrow_messages::catalogue());
    println!("{report}");
    Ok(())
}
