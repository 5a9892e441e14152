use barrow_engine::servers::fuzz;
use barrow_engine::testing::{TestPacket, Testbed};

/// The stream of one client of the API socket, on a node.
pub fn api_frame(data: &[u8]) {
    if !reaches_outside(data) {
        on_node(|bed| fuzz::api_connection(bed.servers(), data));
    }
}

/// Any message of the node, then any bytes for it: through its handler, and through the dynamic codec.
pub fn any_message(data: &[u8]) {
    use std::sync::OnceLock;
    static CODEC: OnceLock<(barrow_messages::dynamic::Codec, Vec<String>)> = OnceLock::new();
    let (codec, names) = CODEC.get_or_init(|| {
        let codec = barrow_messages::dynamic::Codec::of_this_crate();
        let names = codec
            .definitions()
            .map(|definition| definition.name().to_owned())
            .collect();
        (codec, names)
    });
    let Some((choice, rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let name = &names[usize::from(u16::from_be_bytes(*choice)) % names.len()];
    if let Ok(message) = codec.decode(name, rest) {
        let again = codec
            .encode(&message)
            .expect("what was decoded can be encoded");
        assert!(codec.decode(name, &again).is_ok());
    }
    if !reaches_outside(data) {
        on_node(|bed| fuzz::api_message(bed.servers(), data));
    }
}

/// What a server says to a client that makes a call now and then.
pub fn client_session(data: &[u8]) {
    use barrow_client::session::{Incoming, Session};
    use barrow_messages::interface::{SwInterfaceDump, SwInterfaceEvent};
    use barrow_messages::memclnt::ControlPing;
    let mut session = Session::new("fuzz", 64 << 10);
    session.begin();
    for (turn, chunk) in (0_u64..).zip(data.chunks(61)) {
        let now = barrow_core::Instant::from_millis(turn);
        let deadline = Some(barrow_core::Instant::from_millis(turn + 5));
        session.space(chunk.len())[..chunk.len()].copy_from_slice(chunk);
        let mut over = Vec::new();
        let taken = session.received(chunk.len(), |incoming| {
            if let Incoming::Ended(call) = incoming {
                over.push(call);
            }
        });
        session.handle_timeout(now, |call, waited| over.extend(waited.then_some(call)));
        for call in over {
            let ended = session.finish(call, |_| ());
            assert!(ended.is_some(), "what has ended can be fetched");
        }
        if taken.is_err() {
            session.lose(|_| ());
            session.begin();
        }
        // Each is refused where the server lacks it, or before the greeting.
        let _ = session.expect::<SwInterfaceEvent>();
        let _ = session.request(&ControlPing::default(), deadline);
        let _ = session.dump(&SwInterfaceDump::default(), None, 1000);
        let sent = session.unsent().len();
        session.sent(sent);
    }
    session.lose(|_| ());
}

/// What a DHCP server sends: reading it, and a client that hears it in each of its phases.
pub fn dhcp_message(data: &[u8]) {
    use barrow_core::Machine;
    use barrow_features::dhcp::message::{Identity, Reply};
    use barrow_features::dhcp::{DhcpClient, Input, Output};
    let _ = Reply::read(data);
    let identity = Identity {
        mac: [2, 0, 0, 0, 0, 1],
        ..Identity::default()
    };
    let mut now = barrow_core::Instant::ZERO;
    let mut client = DhcpClient::new(identity, 1, now);
    for options in data.chunks(64) {
        for _ in 0..4 {
            client.handle_timeout(now);
            while let Some(output) = client.poll_output(now) {
                // The server's answer to what the client said, with any options.
                if let Output::Broadcast(message) | Output::Unicast { message, .. } = output {
                    let mut answer = message[..240].to_vec();
                    answer[0] = 2;
                    answer[16..20].copy_from_slice(&[10, 0, 0, 7]);
                    answer.extend_from_slice(options);
                    client.handle_input(now, Input::Message(&answer));
                }
            }
            now = client.poll_timeout().unwrap_or(now).max(now);
        }
    }
}

/// The language of `.api` files.
pub fn api_language(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = barrow_api::parse(text);
    }
}

/// The grammar of `startup.conf`, as a file and as arguments.
pub fn startup_grammar(data: &[u8]) {
    fuzz::startup_config(data);
}

/// Requests of the command language, and the stream of a session at a terminal.
pub fn cli_line(data: &[u8]) {
    if !reaches_outside(data) {
        on_node(|bed| {
            fuzz::command(bed.servers(), data);
            fuzz::cli_session(bed.servers(), data);
        });
    }
}

/// A frame on the wire: Ethernet, ARP, IPv4, ICMP.
pub fn packet_input(data: &[u8]) {
    let Some((shape, frame)) = data.split_first() else {
        return;
    };
    on_node(|bed| {
        let mut packet = TestPacket::new(frame).rx(1);
        if shape.is_multiple_of(4) {
            packet = packet.segments_of(usize::from(shape / 4).max(60));
        }
        bed.inject("ethernet-input", packet);
    });
}

/// Runs that one node serves: what they configure adds up.
const RUNS: u32 = 1000;

/// Does something with a node, and lets the node do what came of it.
fn on_node(run: impl FnOnce(&mut Testbed)) {
    thread_local! {
        static NODE: std::cell::RefCell<Option<(Testbed, u32)>> =
            const { std::cell::RefCell::new(None) };
    }
    NODE.with_borrow_mut(|kept| {
        let (bed, runs) = kept.get_or_insert_with(|| (node(), 0));
        run(bed);
        for _ in 0..64 {
            if !bed.round() {
                break;
            }
        }
        *runs += 1;
        if *runs == RUNS {
            *kept = None;
        }
    });
}

/// A node with one loopback interface, without the features that reach outside its process.
fn node() -> Testbed {
    use barrow_features as f;
    let mut bed = Testbed::builder()
        .feature(f::interface::InterfaceFeature)
        .feature(f::ethernet::EthernetFeature)
        .feature(f::arcs::ArcsFeature)
        .feature(f::ip::IpFeature)
        .feature(f::neighbor::NeighborFeature::default())
        .feature(f::arp::ArpFeature)
        .feature(f::loopback::LoopbackFeature)
        .feature(f::trace::TraceFeature)
        .build()
        .expect("the features fit together");
    for line in [
        "create loopback interface",
        "set interface state loop0 up",
        "set interface ip address loop0 10.0.0.1/24",
        "ip route add 0.0.0.0/0 via 10.0.0.2 loop0",
    ] {
        let ran = bed.command(line);
        assert_eq!(ran.retval, 0, "{line}: {}", ran.text);
    }
    bed
}

/// Whether a command in there may read or write files of the machine.
fn reaches_outside(data: &[u8]) -> bool {
    ["exec", "save", "dump", "graphviz"]
        .iter()
        .any(|word| data.windows(word.len()).any(|text| text == word.as_bytes()))
}

/// What a peer of an RPC session sends, in pieces, to a session that answers every call. The first
/// byte says whether the peer has greeted, and how the rest is cut.
pub fn rpc_session(data: &[u8]) {
    use barrow_core::{Instant, Machine};
    use barrow_runtime::rpc::{Command, Event, Input, Limits, Output, Session};
    let Some((shape, bytes)) = data.split_first() else {
        return;
    };
    let limits = Limits {
        max_frame: 4096,
        max_calls: 8,
        ..Limits::default()
    };
    let mut now = Instant::ZERO;
    let mut session = Session::new(now, limits);
    let hello = match session.poll_output(now) {
        Some(Output::Bytes(bytes)) => bytes,
        other => panic!("a session greets first: {other:?}"),
    };
    let greeting: &[u8] = if shape % 2 == 0 { &hello } else { &[] };
    let pieces = bytes.chunks(usize::from(shape / 2).max(1));
    for piece in std::iter::once(greeting).chain(pieces) {
        session.handle_input(now, Input::Bytes(piece));
        let mut said = 0;
        while let Some(output) = session.poll_output(now) {
            match output {
                Output::Bytes(bytes) => said += bytes.len(),
                Output::Event(Event::Called {
                    call, body, window, ..
                }) => {
                    let command = match window {
                        None => Command::Reply { call, body },
                        Some(_) => Command::Item { call, body },
                    };
                    session.handle_input(now, Input::Command(command));
                }
                Output::Event(_) => {}
            }
        }
        // An answer is never much larger than what caused it.
        assert!(
            said <= 256 + 64 * piece.len(),
            "{said} bytes for {}",
            piece.len()
        );
        now += std::time::Duration::from_millis(700);
        if session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
        }
    }
}
