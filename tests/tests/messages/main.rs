//! Every message that a node serves, by value, over the API socket of the built binary.
//!
//! The cases are data: `*.json` beside this file, each a list of `{"ask": MESSAGE, "get": [ANSWER ...]}` that
//! one node gets in order, so that a case may build on those before. An answer need only say what is to be
//! looked at; `"some": [...]` instead of `get` says what must be among the answers. `"from"` tells where the
//! number of an error comes from: `retvals` for `vpp/retvals.json` (captured from VPP 26.06), else the place in
//! VPP's source. `"cannot_fail"` and `"cannot_succeed"` say why a message has no case of the other kind.
//! In texts, `$DIR` is the node's folder, `$UNIQUE` a text of this run, `$RANGE(pg)` the name of a module's range of ids, and `"$NODE(ip4-input)"`
//! the index of a node.

mod client;

use barrow_tests::{Netns, Node, Skip, skip, unique, workspace};
use client::Client;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// What must be there, by name.
const SERVED: [(&str, &str); 5] = [
    (
        "session",
        "control_ping get_first_msg_id api_versions get_api_json memclnt_keepalive cli_inband \
         show_version show_vpe_system_time show_threads log_dump get_node_index add_node_next get_next_index \
         get_node_graph get_f64_endian_value get_f64_increment_by_one cli",
    ),
    (
        "interfaces",
        "sw_interface_dump sw_interface_set_flags sw_interface_set_mtu hw_interface_set_mtu \
         sw_interface_set_promisc sw_interface_set_mac_address sw_interface_get_mac_address \
         sw_interface_add_del_mac_address sw_interface_set_interface_name sw_interface_tag_add_del \
         sw_interface_clear_stats sw_interface_add_del_address sw_interface_address_replace_begin \
         sw_interface_address_replace_end sw_interface_set_table sw_interface_get_table \
         sw_interface_set_unnumbered sw_interface_set_ip_directed_broadcast sw_interface_set_rx_mode \
         sw_interface_set_default_rx_mode sw_interface_get_default_rx_mode \
         sw_interface_ip4_enable_disable collect_detailed_interface_stats \
         want_interface_events create_loopback create_loopback_instance delete_loopback create_subif \
         create_vlan_subif delete_subif pg_create_interface pg_create_interface_v2 pg_create_interface_v3 \
         pg_delete_interface pg_interface_enable_disable_coalesce pg_capture pg_enable_disable \
         feature_enable_disable feature_is_enabled pcap_trace_on pcap_trace_off pcap_set_filter_function",
    ),
    (
        "devices",
        "tap_create_v2 tap_create_v3 tap_delete_v2 sw_interface_tap_v2_dump af_packet_create af_packet_create_v2 \
         af_packet_create_v3 af_packet_delete af_packet_set_l4_cksum_offload af_packet_dump \
         sw_interface_set_rx_placement sw_interface_rx_placement_dump sw_interface_set_tx_placement \
         sw_interface_tx_placement_get interface_name_renumber",
    ),
    (
        "ipv4",
        "ip_table_add_del ip_table_add_del_v2 ip_table_allocate ip_table_dump ip_table_replace_begin \
         ip_table_replace_end ip_table_flush ip_route_add_del ip_route_add_del_v2 ip_route_dump ip_route_v2_dump \
         ip_route_lookup ip_route_lookup_v2 ip_dump ip_address_dump ip_unnumbered_dump set_ip_flow_hash \
         set_ip_flow_hash_v2 set_ip_flow_hash_v3 set_ip_flow_hash_router_id ip_path_mtu_update ip_path_mtu_get \
         ip_path_mtu_replace_begin ip_path_mtu_replace_end ip_neighbor_add_del ip_neighbor_dump \
         ip_neighbor_config ip_neighbor_config_get ip_neighbor_replace_begin ip_neighbor_replace_end \
         ip_neighbor_flush want_ip_neighbor_events want_ip_neighbor_events_v2 proxy_arp_add_del proxy_arp_dump \
         proxy_arp_intfc_enable_disable proxy_arp_intfc_dump",
    ),
    (
        "trace",
        "trace_set_filters trace_capture_packets trace_clear_capture trace_clear_cache trace_dump trace_v2_dump \
         graph_node_get",
    ),
];

/// Messages of later issues: a client is told that there is no such message.
const ABSENT: &str = "sw_interface_ip6_enable_disable sw_interface_ip6_set_link_local_address \
    sw_interface_ip6nd_ra_config ip6nd_proxy_add_del bridge_domain_add_del_v2 sw_interface_set_l2_bridge \
    l2fib_add_del mpls_table_add_del mpls_route_add_del ip_mroute_add_del ip_mtable_dump policer_add \
    policer_add_del punt_socket_register set_punt punt_reason_dump ip_neighbor_config_unknown";

/// Runs the cases of a file against a node of their own.
fn cases(name: &str, node: &Node) {
    let mut client = Client::connect(&node.api_socket());
    let file = workspace().join(format!("tests/tests/messages/{name}.json"));
    let text = std::fs::read_to_string(&file).expect("it is beside this file");
    let unique = format!("barrow-messages-{}", unique());
    let mut text = text
        .replace("$DIR", &node.folder().to_string_lossy())
        .replace("$UNIQUE", &unique);
    for module in barrow_messages::catalogue() {
        text = text.replace(&format!("$RANGE({})", module.name), module.range_name);
    }
    while let Some((name, rest)) = text
        .split_once("\"$NODE(")
        .and_then(|(_, rest)| rest.split_once(')'))
    {
        assert!(rest.starts_with('"'), "{name}");
        let ask = json!({"_msgname": "get_node_index", "node_name": name});
        let index = client.ask(&ask)[0]["node_index"].to_string();
        text = text.replace(&format!("\"$NODE({name})\""), &index);
    }
    let cases: Vec<Json> = serde_json::from_str(&text).expect("a list of cases");
    let (mut by_value, mut by_error) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    for case in &cases {
        let message = case["ask"]["_msgname"].as_str().expect("a message");
        let answers = client.ask(&case["ask"]);
        let (wanted, all) = match (case["get"].as_array(), case["some"].as_array()) {
            (Some(get), None) => (get, true),
            (None, Some(some)) => (some, false),
            _ => panic!("either `get` or `some` in {case}"),
        };
        let right = if all {
            answers.len() == wanted.len() && wanted.iter().zip(&answers).all(|(w, a)| says(a, w))
        } else {
            wanted
                .iter()
                .all(|wanted| answers.iter().any(|answer| says(answer, wanted)))
        };
        if !right {
            let answers = Json::from(answers);
            wrong.push(format!(
                "{}\n  gives  {answers}\n  wanted {}",
                case["ask"],
                Json::from(wanted.clone())
            ));
        }
        let refused = wanted
            .iter()
            .any(|w| w["retval"].as_i64().is_some_and(|n| n < 0));
        // Nothing at all is what a dump gives of what does not exist.
        if refused || (all && wanted.is_empty()) || case["fails"] == json!(true) {
            by_error.insert(message.to_owned());
        } else {
            by_value.insert(message.to_owned());
        }
        if case["cannot_fail"].is_string() {
            by_error.insert(message.to_owned());
        }
        if case["cannot_succeed"].is_string() {
            by_value.insert(message.to_owned());
        }
    }
    // Captures are in `/tmp`, whatever their name.
    drop(std::fs::remove_file(format!("/tmp/{unique}.pcap")));
    let served = SERVED
        .iter()
        .find(|(part, _)| *part == name)
        .expect("a part")
        .1;
    for message in served.split_whitespace() {
        for (kind, known) in [("by value", &by_value), ("of an error", &by_error)] {
            if !known.contains(message) {
                wrong.push(format!("{message}: no case {kind}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{name}:\n{}\nThe node said:\n{}",
        wrong.join("\n"),
        node.log()
    );
}

/// Whether an answer says what is wanted of it; where `wanted` is silent, anything will do.
fn says(answer: &Json, wanted: &Json) -> bool {
    match (answer, wanted) {
        (Json::Object(answer), Json::Object(wanted)) => wanted
            .iter()
            .all(|(name, wanted)| answer.get(name).is_some_and(|answer| says(answer, wanted))),
        (Json::Array(answers), Json::Array(wanted)) => {
            answers.len() == wanted.len() && answers.iter().zip(wanted).all(|(a, w)| says(a, w))
        }
        (answer, wanted) => answer == wanted,
    }
}

fn run(name: &str) {
    match Node::builder().start() {
        Ok(node) => cases(name, &node),
        Err(Skip(why)) => skip(why),
    }
}

/// As [`run`], in a namespace with the links `one`, `two` and `three`.
fn run_with_links(name: &str) -> Result<(), Skip> {
    let netns = Netns::new("messages")?;
    for link in ["one", "two", "three"] {
        netns.ip(&format!("link add {link} type veth peer name {link}-peer"));
        netns.ip(&format!("link set {link} up"));
    }
    cases(name, &Node::builder().netns(&netns).start()?);
    Ok(())
}

#[test]
fn session_messages_answer_with_values_and_vpps_errors() {
    run("session");
}

#[test]
fn interface_messages_answer_with_values_and_vpps_errors() {
    run("interfaces");
}

#[test]
fn device_messages_answer_with_values_and_vpps_errors() {
    if let Err(Skip(why)) = run_with_links("devices") {
        skip(why);
    }
}

#[test]
fn ipv4_messages_answer_with_values_and_vpps_errors() {
    run("ipv4");
}

#[test]
fn trace_messages_answer_with_values_and_vpps_errors() {
    run("trace");
}

#[test]
fn a_session_ends_when_its_client_asks() {
    let node = match Node::builder().start() {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    let mut client = Client::connect(&node.api_socket());
    // vpp:src/vlibmemory/socket_api.c: 1 is success.
    assert_eq!(client.leave()["response"], 1);
    Client::connect(&node.api_socket());
}

#[test]
fn messages_of_later_issues_are_absent_and_all_others_there() {
    let node = match Node::builder().start() {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    let client = Client::connect(&node.api_socket());
    let absent: Vec<_> = ABSENT
        .split_whitespace()
        .filter(|name| client.knows(name))
        .collect();
    assert_eq!(absent, [""; 0]);
    for (_, served) in SERVED {
        let missing: Vec<_> = served
            .split_whitespace()
            .filter(|name| !client.knows(name))
            .collect();
        assert_eq!(missing, [""; 0]);
    }
}
