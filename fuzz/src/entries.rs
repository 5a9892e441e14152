/// Bytes of the API socket: framing, then decoding of whatever message a frame names.
pub fn api_frame(data: &[u8]) {
    let mut decoder = barrow_wire::frame::FrameDecoder::default();
    for chunk in data.chunks(97) {
        decoder.push(chunk);
        while let Ok(Some(message)) = decoder.next_message() {
            let _ = barrow_wire::message_id(message);
        }
    }
}

/// Any message of the node by name, then any bytes for it.
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
}

/// The language of `.api` files.
pub fn api_language(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = barrow_api::parse(text);
    }
}

/// The grammar of `startup.conf`.
pub fn startup_grammar(data: &[u8]) {
    use barrow_engine::config::{Config, Settings, Source};
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(config) = Config::parse(Source::file("fuzz", text)) {
        let _ = Settings::read(&config);
    }
}

/// A node with one loopback interface, for commands and packets.
fn node() -> barrow_engine::testing::Testbed {
    use barrow_features as f;
    let mut bed = barrow_engine::testing::Testbed::builder()
        .feature(f::interface::InterfaceFeature)
        .feature(f::ethernet::EthernetFeature)
        .feature(f::ip::IpFeature)
        .feature(f::neighbor::NeighborFeature::default())
        .feature(f::arp::ArpFeature)
        .feature(f::loopback::LoopbackFeature)
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

/// A line of the command language, on a node of its own.
pub fn cli_line(data: &[u8]) {
    thread_local! {
        static BED: std::cell::RefCell<Option<barrow_engine::testing::Testbed>> =
            const { std::cell::RefCell::new(None) };
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // These read or write files of the machine, or wait.
    if [
        "exec", "save", "pcap", "wait", "ping", "graphviz", "trace", "tap", "host",
    ]
    .iter()
    .any(|word| text.contains(word))
    {
        return;
    }
    BED.with_borrow_mut(|bed| {
        let _ = bed.get_or_insert_with(node).command(text);
    });
}

/// A frame on the wire: Ethernet, ARP, IPv4, ICMP.
pub fn packet_input(data: &[u8]) {
    use barrow_engine::testing::{TestPacket, Testbed};
    thread_local! {
        static BED: std::cell::RefCell<Option<Testbed>> = const { std::cell::RefCell::new(None) };
    }
    let Some((shape, frame)) = data.split_first() else {
        return;
    };
    BED.with_borrow_mut(|bed| {
        let bed = bed.get_or_insert_with(node);
        let mut packet = TestPacket::new(frame).rx(1);
        if shape.is_multiple_of(4) {
            packet = packet.segments_of(usize::from(shape / 4).max(60));
        }
        bed.inject("ethernet-input", packet);
        for _ in 0..64 {
            if !bed.round() {
                break;
            }
        }
    });
}
