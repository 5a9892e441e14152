//! `show api …` and `api trace …`.

use super::{ApiTable, ApiTrace, Clients, TableHandle, TraceFile};
use crate::cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand};
use barrow_messages::dynamic::{Codec, CodecError};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// The longest trace file that is shown.
const MAX_FILE: u64 = 256 << 20;

/// What the commands show.
#[derive(Debug, Clone)]
pub struct ApiCommands {
    /// Who is connected.
    pub clients: Clients,
    /// The message table.
    pub table: TableHandle,
    /// The recording.
    pub trace: ApiTrace,
    /// Where `api trace save` writes; `/tmp` as in VPP.
    pub trace_directory: PathBuf,
}

/// Registers `show api clients|message-table|plugin|trace-status|counters` and `api trace …`.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_api_commands(
    cli: &mut CliRegistry,
    api: &ApiCommands,
) -> Result<(), DuplicateCommand> {
    cli.group("show api", "Show API information");
    let clients = api.clients.clone();
    cli.command("show api clients", "Client information", move |cx, _| {
        show_clients(cx, &clients);
        Ok(())
    })?;
    let clients = api.clients.clone();
    cli.command(
        "show api counters",
        "What happened to clients",
        move |cx, _| {
            for (what, count) in clients.counters().list() {
                cx.print(format_args!("{count:>12}  {what}"));
            }
            Ok(())
        },
    )?;
    let table = api.table.clone();
    cli.command(
        "show api message-table",
        "Message Table",
        move |cx, args| {
            let table = table.get().ok_or("the message table does not exist yet")?;
            show_table(cx, &table, args.keyword("verbose"));
            Ok(())
        },
    )?;
    let table = api.table.clone();
    cli.command("show api plugin", "show api plugin", move |cx, _| {
        let table = table.get().ok_or("the message table does not exist yet")?;
        show_ranges(cx, &table);
        Ok(())
    })?;
    let trace = api.trace.clone();
    cli.command(
        "show api trace-status",
        "Display API trace status",
        move |cx, _| {
            let state = if trace.is_enabled() {
                "enabled"
            } else {
                "disabled"
            };
            cx.print(format_args!("RX Trace {state}"));
            cx.print("TX Trace disabled");
            Ok(())
        },
    )?;
    let api = api.clone();
    let help = "api trace [on|off|free|status] [nitems <n>] [save|save-json <name>] [dump|dump-json [<file>]] \
                [tojson <file>]";
    cli.command("api trace", help, move |cx, args| {
        trace_command(cx, args, &api)
    })
}

fn show_clients(cx: &mut CliContext<'_>, clients: &Clients) {
    let clients = clients.list();
    if clients.is_empty() {
        return;
    }
    cx.print("Socket clients");
    cx.print(format_args!("{:>20} {:>8}", "Name", "Fildesc"));
    for client in clients {
        cx.print(format_args!(
            "{:>20} {:>8}",
            client.name(),
            client.descriptor()
        ));
    }
}

fn show_table(cx: &mut CliContext<'_>, table: &ApiTable, verbose: bool) {
    if verbose {
        cx.print(format_args!(
            "{:<4} {:<40} {:>6} {:>7}",
            "ID", "Name", "Bounce", "MP-safe"
        ));
    } else {
        cx.print(format_args!("{:<4} {}", "ID", "Name"));
    }
    for (id, message) in table.messages() {
        let name = if table.is_handled(id) {
            message.name
        } else {
            "  [no handler]"
        };
        if verbose {
            // Handlers run on the main thread and stop no worker.
            cx.print(format_args!("{id:<4} {name:<40} {:>6} {:>7}", 0, 1));
        } else {
            cx.print(format_args!("{id:<4} {name}"));
        }
    }
}

fn show_ranges(cx: &mut CliContext<'_>, table: &ApiTable) {
    let mut ranges: Vec<_> = table.ranges().collect();
    ranges.sort_by_key(|range| range.module.range_name);
    cx.print("Plugin API message ID ranges...\n");
    cx.print(format_args!(
        "{:<50}{:>9}{:>9}",
        "Name", "First-ID", "Last-ID"
    ));
    for range in ranges {
        let name = range.module.range_name;
        cx.print(format_args!(
            "{name:<50}{:>9}{:>9}",
            range.first_id, range.last_id
        ));
    }
}

fn trace_command(cx: &mut CliContext<'_>, args: &mut Args<'_>, api: &ApiCommands) -> CliResult {
    if args.is_empty() {
        return Err(args.unknown_input());
    }
    let mut items = None;
    let mut enable = false;
    while !args.is_empty() {
        if let Some(number) = args.option("nitems", Args::number) {
            items = Some(number);
        } else if args.keyword("on") || args.keyword("enable") {
            enable = true;
        } else if args.keyword("rx") {
            // What is received is the only thing that is recorded.
        } else if args.keyword("off") || args.keyword("disable") {
            api.trace.disable();
            enable = false;
        } else if args.keyword("free") {
            api.trace.free();
        } else if args.keyword("status") {
            cx.print(api.trace.status());
            cx.print("TX trace: not yet configured.");
        } else if let Some(name) = args.option("save", Args::string) {
            save(cx, name, api, Form::Binary)?;
        } else if let Some(name) = args.option("save-json", Args::string) {
            save(cx, name, api, Form::Json)?;
        } else if args.keyword("dump-file") || args.keyword("dump") {
            dump(cx, args.string(), api)?;
        } else if ["dump-json", "dump-file-json", "tojson"]
            .iter()
            .any(|word| args.keyword(word))
        {
            let json = json_of(&source(args.string(), api)?, api)?;
            cx.print(json);
        } else {
            return Err(args.unknown_input());
        }
    }
    if enable {
        api.trace.enable(items);
    }
    Ok(())
}

/// How a recording is saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// VPP's file.
    Binary,
    /// An array of the messages.
    Json,
}

/// The messages of a recording as an array, an element a line.
fn json_of(trace: &TraceFile, api: &ApiCommands) -> Result<String, CliError> {
    let table = api
        .table
        .get()
        .ok_or("the message table does not exist yet")?;
    let printer = Printer::new(&table, trace);
    let messages: Vec<_> = trace
        .messages
        .iter()
        .map(|message| printer.json(message))
        .collect();
    Ok(format!("[\n{}\n]\n", messages.join(",\n")))
}

/// What a file holds, or what is recorded now.
fn source(name: Option<&str>, api: &ApiCommands) -> Result<TraceFile, CliError> {
    let table = api
        .table
        .get()
        .ok_or("the message table does not exist yet")?;
    match name {
        Some(name) => read(Path::new(name)),
        None => api
            .trace
            .to_file(&table)
            .ok_or_else(|| "API Trace data not present".into()),
    }
}

/// Writes the recording to a new file of this name.
fn save(cx: &mut CliContext<'_>, name: &str, api: &ApiCommands, form: Form) -> CliResult {
    if name.contains('/') || name.contains("..") {
        return Err(CliError::new(format!(
            "illegal characters in filename '{name}'"
        )));
    }
    let path = api.trace_directory.join(name);
    let trace = source(None, api)?;
    let bytes = match form {
        Form::Binary => trace.encode(),
        Form::Json => json_of(&trace, api)?.into_bytes(),
    };
    // A new file of the node's own: whatever has that name already, also a link, is left alone.
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(CliError::new(format!("file exists: {}", path.display())));
        }
        Err(error) => {
            return Err(CliError::new(format!(
                "Couldn't create {}: {error}",
                path.display()
            )));
        }
    };
    file.write_all(&bytes)
        .map_err(|error| CliError::new(format!("failed to save api trace: {error}")))?;
    cx.print(format_args!("API trace saved to {}", path.display()));
    Ok(())
}

/// Shows a file, or what is recorded now.
fn dump(cx: &mut CliContext<'_>, name: Option<&str>, api: &ApiCommands) -> CliResult {
    let table = api
        .table
        .get()
        .ok_or("the message table does not exist yet")?;
    let trace = source(name, api)?;
    let printer = Printer::new(&table, &trace);
    for (number, message) in trace.messages.iter().enumerate() {
        cx.print(format_args!("---------- trace {number} -----------"));
        cx.print(printer.text(message));
        if cx.output().is_full() {
            break;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<TraceFile, CliError> {
    let failed =
        |error: std::io::Error| CliError::new(format!("Couldn't open {}: {error}", path.display()));
    let not_plausible = |why: &dyn std::fmt::Display| {
        CliError::new(format!("File not plausible: {}: {why}", path.display()))
    };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        return Err(not_plausible(&"no file of a reasonable size"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    TraceFile::decode(&bytes).map_err(|error| not_plausible(&error))
}

/// Turns recorded messages into text, by the table of whoever recorded them and the definitions of this node.
struct Printer<'a> {
    names: HashMap<u16, &'a str>,
    served: HashMap<&'static str, &'static str>,
    codec: Option<Codec>,
}

impl<'a> Printer<'a> {
    fn new(table: &ApiTable, trace: &'a TraceFile) -> Self {
        let schemas: Vec<_> = table
            .modules()
            .filter_map(|module| barrow_api::json::read(module.json).ok())
            .collect();
        Self {
            names: trace
                .table
                .iter()
                .map(|(id, name)| (*id, name.as_str()))
                .collect(),
            served: table
                .messages()
                .map(|(_, info)| (info.name_crc, info.name))
                .collect(),
            codec: Codec::new(&schemas).ok(),
        }
    }

    fn text(&self, message: &[u8]) -> String {
        let Some(id) = barrow_wire::message_id(message) else {
            return "a message without id".into();
        };
        let Some(name_crc) = self.names.get(&id) else {
            return format!("unknown msg id {id}");
        };
        match self.served.get(name_crc) {
            None => format!("{name_crc}: {} bytes, not known here", message.len()),
            Some(name) => match self.fields(name, message) {
                Some(Ok(fields)) => format!("vl_api_{name}_t:{fields}"),
                Some(Err(error)) => format!("vl_api_{name}_t: {error}"),
                None => format!("vl_api_{name}_t: {} bytes", message.len()),
            },
        }
    }

    /// The message in VPP's JSON form; what is not known here says so.
    fn json(&self, message: &[u8]) -> String {
        let id = barrow_wire::message_id(message);
        let name = id
            .and_then(|id| self.names.get(&id))
            .copied()
            .unwrap_or("unknown");
        let known = self.served.get(name).zip(self.codec.as_ref());
        let json = known.and_then(|(name, codec)| {
            let message = codec.decode(name, message).ok()?;
            codec.to_json(&message).ok()
        });
        match json {
            Some(json) => json.to_string(),
            None => format!("{{\"_msgname\":{name:?},\"_bytes\":{}}}", message.len()),
        }
    }

    /// One line a field, indented.
    fn fields(&self, name: &str, message: &[u8]) -> Option<Result<String, CodecError>> {
        let codec = self.codec.as_ref()?;
        let decoded = codec
            .decode(name, message)
            .and_then(|message| codec.to_json(&message));
        Some(decoded.map(|json| {
            let fields = json.as_object().into_iter().flatten();
            let shown = fields.filter(|(name, _)| !name.starts_with('_'));
            shown
                .map(|(name, value)| format!("\n    {name}: {value}"))
                .collect()
        }))
    }
}
