//! Calls by name, with JSON, against a server that does what it is told.

use barrow_client::dynamic::{Dynamic, DynamicError};
use barrow_client::testing::FakeServer;
use barrow_client::{Config, blocking};
use barrow_messages::errors::Retval;
use barrow_messages::graph::{self, GraphNodeDetails, GraphNodeGet, GraphNodeGetReply};
use barrow_messages::interface::{
    self, SwInterfaceDetails, SwInterfaceDump, SwInterfaceSetFlags, SwInterfaceSetFlagsReply,
};
use serde_json::{Value as Json, json};

/// Lists two interfaces, three nodes in two runs, and knows one interface.
fn server() -> (FakeServer, blocking::Connection) {
    let server = FakeServer::start(&[&interface::MODULE, &graph::MODULE], |request, answer| {
        if request.is::<SwInterfaceDump>() {
            for name in ["a", "b"] {
                answer.reply(&SwInterfaceDetails {
                    interface_name: name.try_into().expect("it fits"),
                    ..Default::default()
                });
            }
        } else if let (true, Ok(get)) = (request.is::<GraphNodeGet>(), request.decode()) {
            let get: GraphNodeGet = get;
            let (nodes, retval) = if get.cursor == 0 { (2, -165) } else { (1, 0) };
            for index in get.cursor..get.cursor + nodes {
                answer.reply(&GraphNodeDetails {
                    index,
                    ..Default::default()
                });
            }
            answer.reply(&GraphNodeGetReply {
                retval,
                cursor: get.cursor + nodes,
            });
        } else if let (true, Ok(flags)) = (request.is::<SwInterfaceSetFlags>(), request.decode()) {
            let flags: SwInterfaceSetFlags = flags;
            let retval = if flags.sw_if_index.0 == 1 { 0 } else { -2 };
            answer.reply(&SwInterfaceSetFlagsReply { retval });
        }
    })
    .expect("a socket can be had");
    let client = blocking::connect(server.path(), Config::default()).expect("it listens");
    (server, client)
}

fn call(
    client: &blocking::Connection,
    name: &str,
    fields: &Json,
) -> Result<Vec<Json>, DynamicError> {
    let dynamic = Dynamic::of_bindings()?;
    client.wait(dynamic.call(&client.channel(), name, fields)?.collect())
}

#[test]
fn a_request_gives_its_reply_and_a_dump_its_items() {
    let (_server, client) = server();
    let fields = json!({ "sw_if_index": 1, "flags": "IF_STATUS_API_FLAG_ADMIN_UP" });
    let reply = call(&client, "sw_interface_set_flags", &fields).unwrap();
    assert_eq!(reply[0]["_msgname"], "sw_interface_set_flags_reply");
    let list = call(&client, "sw_interface_dump", &json!({})).unwrap();
    let names: Vec<_> = list.iter().map(|item| &item["interface_name"]).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_list_in_runs_goes_on_from_its_cursor() {
    let (_server, client) = server();
    let list = call(&client, "graph_node_get", &json!({})).unwrap();
    let nodes: Vec<_> = list.iter().map(|item| item["index"].as_u64()).collect();
    assert_eq!(nodes, [Some(0), Some(1), Some(2)]);
}

#[test]
fn an_error_number_comes_with_the_reply() {
    let (_server, client) = server();
    match call(
        &client,
        "sw_interface_set_flags",
        &json!({ "sw_if_index": 5 }),
    ) {
        Err(DynamicError::Api { retval, reply, .. }) => {
            assert_eq!(retval, Retval::INVALID_SW_IF_INDEX);
            assert_eq!(reply["retval"], -2);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn mistakes_are_named() {
    let (_server, client) = server();
    let text = |name, fields| call(&client, name, &fields).unwrap_err().to_string();
    let close = text("sw_interface_dmp", json!({}));
    assert_eq!(
        close,
        "no message sw_interface_dmp; did you mean sw_interface_dump?"
    );
    let misspelt = text("sw_interface_dump", json!({ "sw_if_idx": 1 }));
    assert!(misspelt.contains("sw_if_idx"), "{misspelt}");
    let answer = text("sw_interface_details", json!({}));
    assert!(
        answer.contains("no message sw_interface_details"),
        "{answer}"
    );
}
