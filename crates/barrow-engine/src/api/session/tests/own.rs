//! The session's own messages, commands in band, and the recording.

use super::*;

#[test]
fn commands_run_in_band() {
    let server = Server::new();
    let mut peer = server.connect();
    let cases = [
        ("show version", 0, "probe v1\n"),
        ("show version\n", 0, "probe v1\n"),
        ("show version\nsh ver\n", 0, "probe v1\nprobe v1\n"),
        ("no such command", -1, "unknown input `no such command'\n"),
        ("show nothing", -1, "show: unknown input `nothing'\n"),
        ("", 0, ""),
    ];
    for (command, retval, text) in cases {
        peer.send(
            1,
            &CliInband {
                cmd: VarString::from(command),
            },
        );
        let (_, reply) = peer.receive::<CliInbandReply>();
        assert_eq!(
            (reply.retval, &*reply.reply.to_string_lossy()),
            (retval, text),
            "{command}"
        );
    }
}

#[test]
fn a_command_by_address_is_refused_and_logged() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(
        1,
        &barrow_messages::vlib::Cli {
            cmd_in_shmem: 0x1234,
        },
    );
    let (_, reply) = peer.receive::<barrow_messages::vlib::CliReply>();
    assert_eq!((reply.retval, reply.reply_in_shmem), (-126, 0));
    assert!(server.logged().contains("cli is refused"));
}

#[test]
fn floating_point_numbers_are_little_endian() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(1, &GetF64EndianValue { f64_one: 1.0 });
    assert_eq!(
        peer.received.pop_front().unwrap()[2..],
        bytes("00000001 00000000 000000000000f03f")
    );
    peer.send(
        1,
        &GetF64EndianValue {
            f64_one: f64::from_bits(1.0_f64.to_bits().swap_bytes()),
        },
    );
    let (_, reply) = peer.receive::<GetF64EndianValueReply>();
    assert_eq!(
        (reply.retval.cast_signed(), reply.f64_one_result.to_bits()),
        (-159, 1.0_f64.to_bits())
    );
}

#[test]
fn the_first_id_of_a_module_is_told_by_its_range_name() {
    let server = Server::new();
    let mut peer = server.connect();
    let range = *server
        .table
        .ranges()
        .find(|range| range.module.name == "vlib")
        .unwrap();
    peer.send(
        1,
        &GetFirstMsgId {
            name: FixedString::truncated(range.module.range_name),
        },
    );
    let (_, reply) = peer.receive::<GetFirstMsgIdReply>();
    assert_eq!((reply.retval, reply.first_msg_id), (0, range.first_id));
    peer.send(
        1,
        &GetFirstMsgId {
            name: FixedString::truncated("acl_9cde599d"),
        },
    );
    let (_, reply) = peer.receive::<GetFirstMsgIdReply>();
    assert_eq!((reply.retval, reply.first_msg_id), (-7, 0xffff));
}

#[test]
fn the_definitions_are_an_array_with_one_byte_more_than_they_need() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.send(1, &GetApiJson {});
    let message = peer.received.pop_front().unwrap();
    let (_, reply) = decode_message::<GetApiJsonReply>(&message).unwrap();
    let text = reply.json.to_str().unwrap();
    assert_eq!(message.len(), 14 + text.len() + 1);
    assert!(text.starts_with("[\n{") && text.ends_with("}\n]\n"));
    for module in ["vlib", "vpe", "graph", "interface"] {
        assert!(text.contains(&format!("\"{module}\"")), "{module}");
    }
    assert!(!text.contains("sockclnt_create"));
}

#[test]
fn what_clients_send_is_recorded_while_it_is_switched_on() {
    let server = Server::new();
    let mut peer = server.connect();
    assert!(server.trace.to_file(&server.table).is_none());
    peer.pings();
    server.trace.enable(Some(2));
    peer.send(1, &SockclntCreate::default());
    for context in 1..=3 {
        peer.send(context, &ControlPing {});
    }
    server.trace.disable();
    peer.send(4, &ControlPing {});
    assert_eq!(
        server.trace.status(),
        "RX trace: used 2 of 2 items, is not enabled, has wrapped"
    );
    let file = server.trace.to_file(&server.table).unwrap();
    assert!(file.wrapped);
    assert_eq!(
        file.messages,
        [
            bytes("0017 80000001 00000002"),
            bytes("0017 80000001 00000003")
        ]
    );
    assert!(file.table.contains(&(23, "control_ping_51077d14".into())));
    server.trace.free();
    assert_eq!(server.trace.status(), "RX trace: not yet configured.");
}

#[test]
fn the_log_is_dumped_from_a_time_on() {
    let clients = Clients::new(Rc::default(), Rc::default());
    let mut api = ApiRegistry::new(clients.clone(), barrow_messages::catalogue());
    register_memclnt(&mut api, 1).unwrap();
    let seconds = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(100));
    let clock = seconds.clone();
    let now = move || Duration::from_secs(clock.load(std::sync::atomic::Ordering::Relaxed));
    let log = Logger::new(Default::default(), now, crate::log::NullSink);
    register_log_dump(&mut api, log.clone()).unwrap();
    let table = api.build();
    for (at, text) in [(100, "early"), (200, "late")] {
        seconds.store(at, std::sync::atomic::Ordering::Relaxed);
        log.class("test/sub").notice(format_args!("{text}"));
    }
    let client = clients.connect(3).unwrap();
    let index = client.index().get();
    let session = Session::new(
        table.clone(),
        &clients,
        client,
        ApiTrace::default(),
        log.class("api"),
    );
    let mut peer = Peer {
        session,
        table,
        index,
        now: START,
        received: VecDeque::new(),
        unread: Vec::new(),
    };
    peer.send(
        1,
        &LogDump {
            start_timestamp: barrow_messages::vpe_types::Timestamp(150.0),
        },
    );
    let (_, details) = peer.receive::<LogDetails>();
    assert_eq!(details.message.to_string_lossy(), "late");
    assert_eq!(details.msg_class.to_string_lossy(), "test/sub");
    assert_eq!(
        (details.level.0, details.timestamp.0.to_bits()),
        (5, 200.0_f64.to_bits())
    );
    assert!(peer.received.is_empty());
}

#[test]
fn handlers_are_registered_once_and_for_known_messages_only() {
    let clients = Clients::new(Rc::default(), Rc::default());
    let mut api = ApiRegistry::new(clients.clone(), &[]);
    let unknown = api.request(|_, _: ControlPing| Ok(ControlPingReply::default()));
    assert!(matches!(
        unknown,
        Err(ApiRegisterError::UnknownModule { .. })
    ));
    let memclnt = barrow_messages::catalogue()
        .iter()
        .find(|m| m.name == "memclnt")
        .unwrap();
    api.module(memclnt).unwrap();
    assert_eq!(
        api.module(memclnt),
        Err(ApiRegisterError::DuplicateModule("memclnt"))
    );
    register_memclnt(&mut api, 1).unwrap();
    let again = api.request(|_, _: ControlPing| Ok(ControlPingReply::default()));
    assert_eq!(again, Err(ApiRegisterError::Duplicate("control_ping")));
}

#[test]
fn a_client_that_may_only_look_is_refused_everything_else() {
    let server = Server::new();
    let mut peer = server.connect();
    peer.session.client().set_read_only(true);
    peer.pings();
    peer.send(
        1,
        &WantInterfaceEvents {
            enable_disable: 1,
            pid: 1,
        },
    );
    let (_, reply) = peer.receive::<barrow_messages::interface::WantInterfaceEventsReply>();
    assert_eq!(reply.retval, 0);
    // Named neither as a question nor as a dump.
    peer.send(2, &barrow_messages::vlib::Cli { cmd_in_shmem: 0 });
    let (context, reply) = peer.receive::<barrow_messages::vlib::CliReply>();
    assert_eq!((context, reply.retval), (2, ApiError::FEATURE_DISABLED.0));
    let command = |command| CliInband {
        cmd: VarString::from(command),
    };
    peer.send(3, &command("show version"));
    let (_, reply) = peer.receive::<CliInbandReply>();
    assert_eq!(reply.reply.to_string_lossy(), "probe v1\n");
}
