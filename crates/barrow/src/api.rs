//! `barrow api`: VPP's interface language, as files and as Rust.

use crate::failed;
use barrow_api::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the messages that a node serves: name, CRC, module.
    List,
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
}

/// Runs one of the commands.
pub(crate) fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::List => {
            list();
            Ok(())
        }
        Command::Json { out, files } if files.is_empty() => write_own(out),
        Command::Json { out, files } => files.iter().try_for_each(|file| translate(file, out)),
        Command::Gen { out, import, files } => files
            .iter()
            .try_for_each(|file| generate(file, import, out)),
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

/// The definitions of the messages that the node serves, one file a module.
fn write_own(out: &Path) -> Result<(), String> {
    make(out)?;
    barrow_messages::catalogue()
        .iter()
        .try_for_each(|module| write(&out.join(format!("{}.api.json", module.name)), module.json))
}

fn translate(file: &Path, out: &Path) -> Result<(), String> {
    make(out)?;
    let schema = load(file, &[])?;
    let name = stem(file)?;
    write(
        &out.join(format!("{name}.api.json")),
        &json::to_string(&schema),
    )
}

fn generate(file: &Path, import: &[PathBuf], out: &Path) -> Result<(), String> {
    make(out)?;
    let schema = load(file, import)?;
    let options = barrow_api::rust::Options::default();
    let text = barrow_api::rust::generate(&schema, &options).map_err(|error| error.to_string())?;
    write(&out.join(format!("{}.rs", stem(file)?)), &text)
}

fn load(file: &Path, import: &[PathBuf]) -> Result<barrow_api::Schema, String> {
    let shown = file.display();
    if file
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
        return json::read_named(&shown.to_string(), &text).map_err(|error| error.to_string());
    }
    let own = file.parent().map(Path::to_path_buf);
    let folders = own
        .iter()
        .chain(import)
        .map(|folder| match folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => folder.clone(),
        });
    let importer = barrow_api::DirImporter::new(folders);
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    barrow_api::load(name, &importer).map_err(|error| error.to_string())
}

fn stem(file: &Path) -> Result<&str, String> {
    let name = file.file_name().and_then(|name| name.to_str());
    let stem = name
        .and_then(|name| name.split('.').next())
        .filter(|stem| !stem.is_empty());
    stem.ok_or_else(|| format!("{}: not the name of a file", file.display()))
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}
