//! VPP's own interface files, as JSON: all are read, written back the same, and their CRCs recomputed.

mod common;

use barrow_api::schema::{Definition, Schema};
use barrow_api::{Library, crc, json};
use std::collections::BTreeSet;

#[test]
fn all_files_are_read_and_written_back_the_same() {
    let files = common::vpp_files();
    for (name, text) in &files {
        let schema = json::read_named(name, text).unwrap_or_else(|error| panic!("{error}"));
        let written = json::to_string(&schema);
        assert_eq!(json::read_named(name, &written).unwrap(), schema, "{name}");
        assert_eq!(written.trim_end(), text.trim_end(), "{name}");
    }
    assert!(files.is_empty() || files.len() == 150);
}

/// The enumerations with items that are `backwards_compatible`, which JSON does not tell (binary-api.md, 5.5).
const NOT_TOLD: [&str; 8] = [
    "sr_behavior",
    "tunnel_encap_decap_flags",
    "ipsec_crypto_alg",
    "ipsec_sad_flags",
    "virtio_flags",
    "af_packet_flags",
    "af_xdp_flag",
    "tap_flags",
];

#[test]
fn all_crcs_that_json_can_tell_are_recomputed() {
    let schemas = common::vpp_schemas();
    let (mut equal, mut different) = (0, 0);
    for schema in &schemas {
        for message in schema.messages() {
            if crc::message(schema, message) == message.crc {
                equal += 1;
            } else {
                different += 1;
                let types = message.fields.iter().filter_map(|field| field.ty.defined());
                let reached: BTreeSet<_> = types.flat_map(|name| reach(schema, name)).collect();
                assert!(
                    NOT_TOLD.iter().any(|name| reached.contains(*name)),
                    "{}",
                    message.name
                );
            }
        }
    }
    assert!(
        schemas.is_empty() || (equal, different) == (2065, 28),
        "{equal} {different}"
    );
}

fn reach<'s>(schema: &'s Schema, name: &'s str) -> BTreeSet<&'s str> {
    let mut reached = BTreeSet::from([name]);
    if let Some(Definition::Structure(block) | Definition::Union(block)) = schema.definition(name) {
        let inner = block.fields.iter().filter_map(|field| field.ty.defined());
        reached.extend(inner.flat_map(|name| reach(schema, name)));
    }
    reached
}

#[test]
fn sizes_are_those_of_the_reference() {
    let library = Library::new(common::vpp_schemas());
    let sizes = [
        ("ip_types", "address_union", 16),
        ("ip_types", "address", 17),
        ("ip_types", "prefix", 18),
        ("ip_types", "address_with_prefix", 18),
        ("ip_types", "mprefix", 35),
        ("fib_types", "fib_path", 167),
        ("ip", "ip_route", 27),
        ("tunnel_types", "tunnel", 51),
        ("ipsec_types", "key", 129),
        ("flow_types", "flow_v2", 2052),
        ("lisp_types", "eid_address", 18),
    ];
    for (module, name, size) in sizes {
        if let Some(schema) = library.schema(module) {
            assert_eq!(schema.layout(name).min_len, size, "{name}");
        }
    }
    if let Some(ip) = library.schema("ip") {
        assert!(ip.layout("ip_route").variable);
        assert!(!ip.layout("fib_path").variable);
    }
}

#[test]
fn a_library_knows_where_types_are_defined() {
    let library = Library::new(common::vpp_schemas());
    let home = |module: &str, name: &str| {
        let schema = library.schema(module)?;
        schema.definition(name)?.origin().module()
    };
    if library.schemas().is_empty() {
        return;
    }
    assert_eq!(
        home("interface", "mac_address").as_deref(),
        Some("ethernet_types")
    );
    assert_eq!(home("punt", "prefix").as_deref(), Some("ip_types"));
    assert_eq!(home("punt", "punt").as_deref(), Some("punt"));
    assert_eq!(home("ip", "ip_route").as_deref(), Some("ip"));
}

#[test]
fn every_message_is_in_a_service_but_five() {
    let schemas = common::vpp_schemas();
    let mut unused = BTreeSet::new();
    for schema in &schemas {
        let mut used = BTreeSet::new();
        for service in schema.services() {
            used.insert(service.request.as_str());
            used.extend(service.sent_by_server());
        }
        let names = schema
            .messages()
            .iter()
            .map(|message| message.name.as_str());
        unused.extend(names.filter(|name| !used.contains(name)));
    }
    let expected = [
        "gre_tunnel_dump_reply",
        "gre_tunnel_v2_dump_reply",
        "mactime_dump_reply",
        "qos_mark_details_reply",
        "snort_instance_v2_details_reply",
    ];
    assert!(
        schemas.is_empty() || unused == BTreeSet::from(expected),
        "{unused:?}"
    );
}
