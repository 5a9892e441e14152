//! `barrow-client` against the node: what each way of use gives, with real values.

use barrow_client::{Config, ConnectionState, Error, Event, Reconnect, blocking};
use barrow_messages::errors::Retval;
use barrow_messages::graph::GraphNodeGet;
use barrow_messages::interface::{
    CreateLoopback, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags, WantInterfaceEvents,
};
use barrow_messages::interface_types::{IfStatusFlags, InterfaceIndex};
use barrow_messages::memclnt::ControlPing;
use barrow_messages::vlib::CliInband;
use barrow_messages::vpe::ShowVersion;
use barrow_tests::{Node, Skip, skip};
use std::time::Duration;

const UP: IfStatusFlags = IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP;

fn node() -> Option<Node> {
    match Node::builder().start() {
        Ok(node) => Some(node),
        Err(Skip(why)) => {
            skip(why);
            None
        }
    }
}

fn connect(node: &Node) -> blocking::Connection {
    let config = Config {
        reconnect: Reconnect {
            first: Duration::from_millis(10),
            ..Reconnect::default()
        },
        ..Config::default()
    };
    blocking::connect(node.folder().join("api.sock"), config).expect("the node serves")
}

fn loopback(client: &blocking::Connection) -> InterfaceIndex {
    let created = client.wait(client.call(CreateLoopback::default()));
    created.expect("a loopback can be had").sw_if_index
}

fn names(client: &blocking::Connection) -> Vec<String> {
    let list = client.wait(client.dump(SwInterfaceDump::default()).collect());
    list.expect("interfaces are listed")
        .iter()
        .map(|interface| interface.interface_name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn calls_lists_and_error_numbers() {
    let Some(node) = node() else { return };
    let client = connect(&node);
    let version = client
        .wait(client.call(ShowVersion {}))
        .expect("it has one");
    assert!(
        version
            .version
            .to_string_lossy()
            .starts_with("26.06-barrow.")
    );
    loopback(&client);
    assert_eq!(names(&client), ["local0", "loop0"]);
    let error = client
        .wait(client.call(SwInterfaceSetFlags {
            sw_if_index: InterfaceIndex(99),
            flags: UP,
        }))
        .expect_err("there are but two");
    assert_eq!(error.retval(), Some(Retval::INVALID_SW_IF_INDEX));
    let shown = client.wait(client.call(CliInband {
        cmd: "show version".into(),
    }));
    assert!(
        shown
            .expect("it is known")
            .reply
            .to_string_lossy()
            .contains("v26.06-barrow.")
    );
}

#[test]
fn every_message_of_ours_is_the_nodes_too() {
    let Some(node) = node() else { return };
    let client = connect(&node);
    let report = client.compatibility(barrow_messages::catalogue());
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_list_in_runs_ends() {
    let Some(node) = node() else { return };
    let client = connect(&node);
    let nodes = client.stream(GraphNodeGet {
        index: u32::MAX,
        ..GraphNodeGet::default()
    });
    let nodes = client.wait(nodes.collect()).expect("there are nodes");
    assert!(nodes.iter().any(|node| node.name == "ip4-lookup"));
    assert!(nodes.len() > 20, "{} nodes", nodes.len());
}

#[test]
fn events_come_typed_and_survive_a_restart_of_the_node() {
    let Some(node) = node() else { return };
    let client = connect(&node);
    let index = loopback(&client);
    let mut events = client
        .wait(client.subscribe(WantInterfaceEvents::default().with_pid(7)))
        .expect("events can be had");
    let up = |client: &blocking::Connection| {
        let up = SwInterfaceSetFlags {
            sw_if_index: index,
            flags: UP,
        };
        client.wait(client.call(up)).expect("it goes up");
    };
    up(&client);
    let event = |event: Option<Result<Event<SwInterfaceEvent>, Error>>| {
        event.expect("the stream goes on").expect("it is an event")
    };
    match event(client.wait(events.next())) {
        Event::Event(told) => {
            assert_eq!((told.pid, told.sw_if_index), (7, index));
            assert!(told.flags.contains(UP));
        }
        other => panic!("{other:?}"),
    }

    let mut states = client.states();
    let node = node.kill_and_restart(Node::builder());
    loop {
        match client.wait(states.next()).expect("it goes on") {
            ConnectionState::Connected {
                generation: 2,
                restarted,
            } => {
                assert_eq!(restarted, Some(true));
                break;
            }
            ConnectionState::Closed(why) => panic!("{why}"),
            _ => {}
        }
    }
    while event(client.wait(events.next())) != (Event::Gap { generation: 2 }) {}
    loopback(&client);
    up(&client);
    assert!(matches!(event(client.wait(events.next())), Event::Event(_)));
    drop(node);
}

#[test]
fn calls_from_many_threads_while_the_node_is_killed_again_and_again_all_end() {
    let Some(mut node) = node() else { return };
    let client = connect(&node);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (mut answered, mut failed) = (0, 0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut answered, mut failed) = (0_u32, 0_u32);
                    while !stop.load(std::sync::atomic::Ordering::Acquire) {
                        match client.wait(client.call(ControlPing {})) {
                            Ok(_) => answered += 1,
                            Err(_) => {
                                failed += 1;
                                let _ = client.wait(client.connected());
                            }
                        }
                    }
                    (answered, failed)
                })
            })
            .collect();
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(50));
            node = node.kill_and_restart(Node::builder());
            client.wait(client.connected()).expect("it never gives up");
        }
        stop.store(true, std::sync::atomic::Ordering::Release);
        for thread in threads {
            let (a, f) = thread.join().expect("no panic");
            answered += a;
            failed += f;
        }
    });
    assert!(
        answered > 0 && failed > 0,
        "{answered} answered, {failed} failed"
    );
    let status = client.status();
    assert_eq!(
        (status.in_flight, status.waiting, status.contexts),
        (0, 0, 0)
    );
    assert_eq!(status.generation, 6);
}
