//! The definitions say what VPP 26.06 says.

#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

#[macro_use]
mod all_messages;
mod shared;

use std::collections::{BTreeMap, BTreeSet};

use barrow_api::schema::{Definition, Field, Schema, TypeName};
use barrow_messages::{ModuleInfo, catalogue};
use barrow_wire::{Message, MessageKind};

/// The committed table: module, message, CRC, in the order of ids.
fn table() -> Vec<(String, String, u32)> {
    let lines = include_str!("crcs.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().expect("three words a line");
        (
            word(),
            word(),
            u32::from_str_radix(&word(), 16).expect("a CRC"),
        )
    };
    lines.map(entry).collect()
}

fn schema(module: &ModuleInfo) -> Schema {
    barrow_api::json::read(module.json).unwrap()
}

fn module(name: &str) -> &'static ModuleInfo {
    catalogue()
        .iter()
        .find(|module| module.name == name)
        .unwrap()
}

#[test]
fn computed_crcs_equal_the_committed_table() {
    let mut expected: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (module, message, crc) in table() {
        expected.entry(module).or_default().push((message, crc));
    }
    for module in catalogue() {
        let messages = module.messages.iter();
        let found: Vec<_> = messages
            .map(|message| (message.name.to_owned(), message.crc))
            .collect();
        assert_eq!(
            found,
            expected.remove(module.name).unwrap_or_default(),
            "{}",
            module.name
        );
    }
    assert!(
        expected.is_empty(),
        "modules without definitions: {:?}",
        expected.keys()
    );
}

#[test]
fn the_types_are_those_of_the_table() {
    fn note<M: Message>(found: &mut Vec<(String, String, u32)>) {
        assert_eq!(M::NAME_CRC, format!("{}_{:08x}", M::NAME, M::CRC));
        found.push((M::MODULE.to_owned(), M::NAME.to_owned(), M::CRC));
    }
    let mut found = Vec::new();
    for_each_message!(note(&mut found));
    assert_eq!(found, table());
}

#[test]
fn memclnt_has_the_28_messages_with_fixed_ids() {
    let messages = module("memclnt").messages;
    assert_eq!(messages.len(), 28);
    let id = |name| {
        messages
            .iter()
            .position(|message| message.name == name)
            .unwrap()
            + 1
    };
    assert_eq!(id("memclnt_create"), 1);
    assert_eq!(id("sockclnt_create"), 15);
    assert_eq!(id("sockclnt_create_reply"), 16);
    assert_eq!(id("control_ping"), 23);
    assert_eq!(id("control_ping_reply"), 24);
    assert_eq!(id("get_api_json_reply"), 28);
}

#[test]
fn the_catalogue_holds_together() {
    for module in catalogue() {
        let schema = schema(module);
        assert_eq!(schema.module(), module.name);
        assert_eq!(schema.version(), module.version);
        assert_eq!(schema.crc(), module.crc);
        let names: BTreeSet<_> = module.messages.iter().map(|message| message.name).collect();
        for service in module.services {
            let answers = service
                .reply
                .iter()
                .chain(&service.details)
                .chain(service.events);
            for name in answers.chain([&service.request]) {
                assert!(names.contains(name), "{name}");
            }
        }
        for (message, definition) in module.messages.iter().zip(schema.messages()) {
            assert_eq!(message.name_crc, definition.name_crc());
            assert_ne!(message.kind, MessageKind::Unused, "{}", message.name);
        }
    }
}

#[test]
fn names_and_texts_are_ascii() {
    for module in catalogue() {
        assert!(module.json.is_ascii(), "{}", module.name);
    }
}

#[test]
fn every_message_says_what_it_is_for() {
    for module in catalogue() {
        let schema = schema(module);
        for message in schema.messages() {
            let plain_reply = message.name.ends_with("_reply") && message.body().len() == 1;
            let documented = message
                .comment
                .as_deref()
                .is_some_and(|comment| comment.len() > 12);
            assert!(documented || plain_reply, "{}", message.name);
        }
    }
}

/// VPP's schema of a module.
fn vpp_schema(name: &str) -> Option<Schema> {
    let api = shared::vpp()?.join("api-json");
    let file = format!("{name}.api.json");
    let paths = [
        api.join("core").join(&file),
        api.join("plugins").join(&file),
    ];
    let path = paths.iter().find(|path| path.is_file());
    let path = path.unwrap_or_else(|| panic!("VPP has no module {name}"));
    Some(barrow_api::json::read(&shared::read(path)).unwrap())
}

/// What reaches the wire: comments and the definition's place left out.
fn fields(fields: &[Field]) -> Vec<String> {
    let field = |field: &Field| {
        let options: Vec<_> = field
            .options
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{} {} {:?} {options:?}", field.ty, field.name, field.bounds)
    };
    fields.iter().map(field).collect()
}

fn type_text(definition: Definition<'_>) -> String {
    match definition {
        Definition::Structure(block) => format!("typedef {:?}", fields(&block.fields)),
        Definition::Union(block) => format!("union {:?}", fields(&block.fields)),
        Definition::Enum(enumeration) | Definition::Flags(enumeration) => {
            let items = enumeration
                .items
                .iter()
                .map(|item| (&item.name, item.value));
            let flags = matches!(definition, Definition::Flags(_));
            format!(
                "enum {flags} {:?} {:?}",
                enumeration.base,
                items.collect::<Vec<_>>()
            )
        }
        Definition::Alias(alias) => format!("alias {} {:?}", alias.ty, alias.len),
    }
}

#[test]
fn messages_types_and_services_equal_those_of_vpp() {
    for module in catalogue() {
        let Some(theirs) = vpp_schema(module.name) else {
            return;
        };
        let ours = schema(module);
        assert_eq!(ours.version(), theirs.version());
        let served: BTreeSet<_> = ours
            .messages()
            .iter()
            .map(|message| &message.name)
            .collect();
        let theirs_of_ours: Vec<_> = theirs
            .messages()
            .iter()
            .filter(|message| served.contains(&message.name))
            .collect();
        assert_eq!(
            ours.messages().len(),
            theirs_of_ours.len(),
            "{}",
            module.name
        );
        for (our, their) in ours.messages().iter().zip(theirs_of_ours) {
            assert_eq!(our.name, their.name, "order");
            assert_eq!(our.crc, their.crc, "{}", our.name);
            assert_eq!(fields(&our.fields), fields(&their.fields), "{}", our.name);
            let mut options = our.options.clone();
            for (name, value) in their.options.iter().filter(|(name, _)| *name != "vat_help") {
                options.set(name, value.clone());
            }
            assert_eq!(our.options, options, "{}", our.name);
            assert_eq!(
                ours.service(&our.name),
                theirs.service(&their.name),
                "{}",
                our.name
            );
        }
        for definition in ours.definitions() {
            let name = definition.name();
            let their = theirs
                .definition(name)
                .unwrap_or_else(|| panic!("VPP has no {name}"));
            assert_eq!(type_text(definition), type_text(their), "{name}");
        }
    }
}

/// File CRCs cover the order of everything in a file, so that they are equal only where a file of
/// ours is complete.
#[test]
fn file_crcs_of_complete_modules_equal_those_of_vpp() {
    let Some(vpp) = shared::vpp() else { return };
    let manifest = shared::read(&vpp.join("api-json/manifest.json"));
    let manifest: Vec<serde_json::Value> = serde_json::from_str(&manifest).unwrap();
    for module in catalogue()
        .iter()
        .filter(|module| !["dhcp", "ip", "tracedump"].contains(&module.name))
    {
        let entry = manifest
            .iter()
            .find(|entry| entry["module"] == module.name)
            .unwrap();
        assert_eq!(
            entry["vl_api_version"],
            format!("{:#x}", module.crc),
            "{}",
            module.name
        );
        if let Some(range_name) = entry["range_name"].as_str() {
            assert_eq!(module.range_name, range_name);
        }
    }
}

/// A type that no message of ours reaches is there for users who import it: only in files that
/// hold types and nothing else.
#[test]
fn modules_with_messages_define_no_type_they_do_not_use() {
    for module in catalogue()
        .iter()
        .filter(|module| !module.messages.is_empty())
    {
        let schema = schema(module);
        let own = barrow_api::load(
            &format!("{}.api", module.name),
            &barrow_api::DirImporter::new([concat!(env!("CARGO_MANIFEST_DIR"), "/api")]),
        );
        let own = own.unwrap();
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Field> = schema
            .messages()
            .iter()
            .flat_map(|message| &message.fields)
            .collect();
        while let Some(field) = open.pop() {
            let TypeName::Defined(name) = &field.ty else {
                continue;
            };
            if reached.insert(name.clone())
                && let Some(Definition::Structure(block) | Definition::Union(block)) =
                    schema.definition(name)
            {
                open.extend(&block.fields);
            }
        }
        let is_own = |definition: &Definition<'_>| {
            definition.origin().module().as_deref() == Some(module.name)
        };
        for definition in own.definitions().filter(is_own) {
            assert!(reached.contains(definition.name()), "{}", definition.name());
        }
    }
}

#[test]
fn definitions_of_a_user_import_from_the_folder_with_vpps_paths() {
    let text = r#"
        import "vnet/ip/ip_types.api";
        import "vnet/interface_types.api";
        autoreply define watch {
            u32 client_index;
            u32 context;
            vl_api_interface_index_t sw_if_index;
            vl_api_prefix_t prefix;
        };
    "#;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/api");
    let importer = barrow_api::DirImporter::new([folder]);
    let schema = barrow_api::resolve(&barrow_api::parse(text).unwrap(), &importer).unwrap();
    assert_eq!(schema.message("watch").unwrap().body().len(), 2);
    assert!(schema.definition("prefix").is_some());
}
