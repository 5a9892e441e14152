//! Bindings from a build script.
//!
//! ```no_run
//! // build.rs, with `barrow-api` as a build dependency
//! barrow_api::build::Builder::new().api_dir("api").run();
//! ```
//!
//! ```ignore
//! // src/lib.rs, with `barrow-wire` as a dependency
//! pub mod api {
//!     barrow_wire::include_bindings!();
//! }
//! ```
//!
//! Files may import from the folder of another crate, whose bindings are then used instead of new ones:
//! [`Builder::import_crate`].

mod error;
mod module_file;

pub use error::BuildError;

use crate::rust::{self, Json, Options, Serde};
use crate::source::module_name;
use crate::{DirImporter, Library, Schema, json, load};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder below `OUT_DIR` that bindings are written to.
const FOLDER: &str = "barrow-api";

/// Makes bindings for interface files.
///
/// Writes `<module>.rs` for each file, `<module>.api.json` beside it, and `mod.rs`, which has all modules and their
/// list `MODULES`. In a build script it also tells Cargo which files it has read.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    api_dirs: Vec<PathBuf>,
    json_dirs: Vec<PathBuf>,
    import_dirs: Vec<PathBuf>,
    crates: Vec<(PathBuf, String)>,
    out_dir: Option<PathBuf>,
    options: Options,
    serde: Serde,
    features: bool,
    without_json: bool,
}

/// What was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Output {
    /// Where `mod.rs` is.
    pub folder: PathBuf,
    /// The modules, in the order of their names.
    pub modules: Vec<String>,
    /// Every interface file that was read.
    pub read: BTreeSet<PathBuf>,
}

impl Builder {
    /// Nothing to do yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bindings for all `.api` files below a folder. Imports are also searched there.
    #[must_use]
    pub fn api_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.api_dirs.push(folder.into());
        self
    }

    /// Bindings for all `.api.json` files below a folder, such as VPP installs.
    #[must_use]
    pub fn json_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.json_dirs.push(folder.into());
        self
    }

    /// Imports are also searched in this folder. Bindings are made for those files too.
    #[must_use]
    pub fn import_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.import_dirs.push(folder.into());
        self
    }

    /// Imports are also searched in this folder; the bindings of files there exist, as modules of `path`. For
    /// example the folder of `barrow-messages`, with `::barrow_messages`.
    #[must_use]
    pub fn import_crate(mut self, folder: impl Into<PathBuf>, path: impl Into<String>) -> Self {
        self.crates.push((folder.into(), path.into()));
        self
    }

    /// Writes to this folder instead of the build's output folder.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Where `barrow_wire` is in the crate; `::barrow_wire` unless told.
    #[must_use]
    pub fn wire_path(mut self, path: impl Into<String>) -> Self {
        self.options = self.options.wire_path(path);
        self
    }

    /// Whether types derive serde's traits.
    #[must_use]
    pub fn serde(mut self, serde: Serde) -> Self {
        self.serde = serde;
        self
    }

    /// Puts each module behind a Cargo feature of its own name. A feature has to enable those of the modules it
    /// imports.
    #[must_use]
    pub fn cargo_features(mut self) -> Self {
        self.features = true;
        self
    }

    /// Leaves the `.api.json` text out of the bindings.
    #[must_use]
    pub fn without_json(mut self) -> Self {
        self.without_json = true;
        self
    }

    /// For build scripts: makes the bindings, or tells Cargo what is wrong and ends the process with status 1.
    pub fn run(self) {
        if let Err(error) = self.compile() {
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            std::process::exit(1);
        }
    }

    /// Makes the bindings.
    ///
    /// # Errors
    /// When a file is wrong or cannot be read or written.
    pub fn compile(self) -> Result<Output, BuildError> {
        let in_build_script = std::env::var_os("OUT_DIR");
        let folder = match (&self.out_dir, &in_build_script) {
            (Some(folder), _) => folder.clone(),
            (None, Some(out_dir)) => Path::new(out_dir).join(FOLDER),
            (None, None) => return Err(BuildError::NoOutDir),
        };
        let mut sources = Sources::default();
        self.read_text(&mut sources)?;
        self.read_json(&mut sources)?;
        self.write(&folder, &sources)?;
        if in_build_script.is_some() {
            self.tell_cargo(&sources);
        }
        let modules = sources.schemas.keys().cloned().collect();
        Ok(Output {
            folder,
            modules,
            read: sources.read,
        })
    }

    /// Reads the `.api` files and, file by file, those they import that have no bindings elsewhere.
    fn read_text(&self, sources: &mut Sources) -> Result<(), BuildError> {
        let crates = self.crates.iter().map(|(folder, _)| folder);
        let importer = DirImporter::new(
            self.api_dirs
                .iter()
                .chain(&self.import_dirs)
                .chain(crates)
                .cloned(),
        );
        let mut own: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut wanted = Vec::new();
        for dir in &self.api_dirs {
            for file in files_below(dir, ".api")? {
                let path = file
                    .strip_prefix(dir)
                    .unwrap_or(&file)
                    .to_string_lossy()
                    .into_owned();
                let module = module_name(&path);
                if let Some(first) = own.insert(module.clone(), file.clone()) {
                    return Err(BuildError::two_modules(&module, &first, &file));
                }
                wanted.push(path);
            }
        }
        let mut done = BTreeSet::new();
        while let Some(path) = wanted.pop() {
            // One file can be reached by several paths.
            let file = importer.find(&path).unwrap_or_else(|| PathBuf::from(&path));
            if !done.insert(file.clone()) {
                continue;
            }
            let schema = load(&path, &importer)?;
            for import in schema.imports() {
                let file = importer.find(import).unwrap_or_default();
                match self
                    .crates
                    .iter()
                    .find(|(folder, _)| file.starts_with(folder))
                {
                    Some((_, rust)) => sources.elsewhere(&module_name(import), rust),
                    None => wanted.push(import.clone()),
                }
            }
            sources.add(file, schema)?;
        }
        sources.read.extend(importer.found().into_values());
        Ok(())
    }

    fn read_json(&self, sources: &mut Sources) -> Result<(), BuildError> {
        let mut schemas = Vec::new();
        let mut files = Vec::new();
        for dir in &self.json_dirs {
            for file in files_below(dir, ".api.json")? {
                let text = std::fs::read_to_string(&file).map_err(BuildError::io(&file))?;
                schemas.push(json::read_named(&file.to_string_lossy(), &text)?);
                files.push(file);
            }
        }
        for (file, schema) in files.into_iter().zip(Library::new(schemas).into_schemas()) {
            sources.read.insert(file.clone());
            sources.add(file, schema)?;
        }
        Ok(())
    }

    fn write(&self, folder: &Path, sources: &Sources) -> Result<(), BuildError> {
        std::fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
        for (module, (_, schema)) in &sources.schemas {
            let json_name = format!("{module}.api.json");
            let mut options = self.options.clone().serde(self.serde.clone());
            if !self.without_json {
                write_if_changed(&folder.join(&json_name), &json::to_string(schema))?;
                options = options.json(Json::Include(json_name));
            }
            for (imported, path) in &sources.elsewhere {
                let ident = module_file::ident(imported);
                options = options.module_path(imported, format!("{path}::{ident}"));
            }
            let text = rust::generate(schema, &options).map_err(|error| BuildError::Generate {
                module: module.clone(),
                error,
            })?;
            write_if_changed(&folder.join(format!("{module}.rs")), &text)?;
        }
        let schemas = sources.schemas.values().map(|(_, schema)| schema);
        let text = module_file::text(schemas, &self.options, self.features);
        write_if_changed(&folder.join("mod.rs"), &text)
    }

    /// Folders too, so that a new file is noticed.
    fn tell_cargo(&self, sources: &Sources) {
        for dir in self.api_dirs.iter().chain(&self.json_dirs) {
            println!("cargo::rerun-if-changed={}", dir.display());
        }
        for file in &sources.read {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
}

/// What has been read.
#[derive(Default)]
struct Sources {
    /// By module: the file and what it says.
    schemas: BTreeMap<String, (PathBuf, Schema)>,
    /// Modules with bindings in another crate: the Rust path of that crate's modules.
    elsewhere: BTreeMap<String, String>,
    read: BTreeSet<PathBuf>,
}

impl Sources {
    fn add(&mut self, file: PathBuf, schema: Schema) -> Result<(), BuildError> {
        let module = schema.module().to_owned();
        if let Some((first, _)) = self.schemas.get(&module) {
            return Err(BuildError::two_modules(&module, first, &file));
        }
        self.schemas.insert(module, (file, schema));
        Ok(())
    }

    fn elsewhere(&mut self, module: &str, path: &str) {
        self.elsewhere.insert(module.to_owned(), path.to_owned());
    }
}

/// The files below `dir` whose names end in `suffix`, in the order of their paths.
fn files_below(dir: &Path, suffix: &str) -> Result<Vec<PathBuf>, BuildError> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).map_err(BuildError::io(&dir))? {
            let entry = entry.map_err(BuildError::io(&dir))?;
            let (path, kind) = (
                entry.path(),
                entry.file_type().map_err(BuildError::io(&dir))?,
            );
            if kind.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Leaves the file alone if it says the same, so that nothing is compiled again.
fn write_if_changed(file: &Path, text: &str) -> Result<(), BuildError> {
    match std::fs::read_to_string(file) {
        Ok(old) if old == text => Ok(()),
        _ => std::fs::write(file, text).map_err(BuildError::io(file)),
    }
}
