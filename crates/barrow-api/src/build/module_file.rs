//! The file that holds all modules together.

use crate::Schema;
use crate::rust::Options;
use std::fmt::Write;

/// The module's name as Rust needs it.
pub(super) fn ident(module: &str) -> String {
    crate::rust::module_ident(module)
}

pub(super) fn text<'s>(
    schemas: impl Iterator<Item = &'s Schema> + Clone,
    options: &Options,
    features: bool,
) -> String {
    let gate = |module: &str, indent: &str| match features {
        true => format!("{indent}#[cfg(feature = \"{module}\")]\n"),
        false => String::new(),
    };
    let mut text = String::from("// Made by barrow-api. Do not edit.\n");
    for schema in schemas.clone() {
        let (module, version) = (schema.module(), schema.version());
        let version = if version.is_empty() {
            String::new()
        } else {
            format!(", version {version}")
        };
        let _ = write!(
            text,
            "\n/// Bindings of `{module}.api`{version}.\n{}pub mod {};\n",
            gate(module, ""),
            ident(module),
        );
    }
    let wire = options.wire();
    let _ = write!(
        text,
        "\n/// What is known of each module at run time.\npub static MODULES: &[&{wire}::ModuleInfo] = &[\n"
    );
    for schema in schemas {
        let module = schema.module();
        let _ = writeln!(
            text,
            "{}    &{}::MODULE,",
            gate(module, "    "),
            ident(module)
        );
    }
    text.push_str("];\n");
    text
}
