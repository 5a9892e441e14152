//! Packets of 9,020 bytes, which take several buffers each.

use barrow_tests::{Attach, Flows, Routed, report};

const MTU: u32 = 9100;
/// UDP payload of an IPv4 packet of 9,020 bytes.
const SIZE: usize = 9020 - 28;

#[test]
fn packets_of_9020_bytes_pass_taps_and_host_interfaces() {
    report(|| {
        for pair in [
            [Attach::Tap, Attach::Host],
            [Attach::Host, Attach::Tap],
            [Attach::Host, Attach::Host],
            [Attach::Tap, Attach::Tap],
        ] {
            let net = Routed::of(&pair).mtu(MTU).start()?;
            net.acquaint();
            let (left, right) = (net.left(), net.right());
            let mut flows =
                Flows::between(&left.netns, left.address, &right.netns, right.address, 2);
            flows.exchange(50, SIZE);
            // Sizes around those of one, two and more buffers.
            for size in [1992, 2020, 2048, 4000, 4096, 6144, 8192, SIZE] {
                flows.exchange(2, size);
            }
        }
        Ok(())
    });
}

#[test]
fn packets_of_9020_bytes_from_the_packet_generator_arrive_whole() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host]).mtu(MTU).start()?;
        net.acquaint();
        let right = net.right();
        let socket = right.netns.run(|| {
            std::net::UdpSocket::bind((right.address, 4000)).expect("an address of the host")
        });
        let patience = Some(std::time::Duration::from_secs(10));
        socket
            .set_read_timeout(patience)
            .expect("a duration above zero");
        let made = net
            .node
            .cli("create packet-generator interface pg0 mode ip4");
        assert!(!made.contains("unknown"), "{made}");
        net.node.set("set interface state pg0 up");
        net.node.set("set interface ip address pg0 10.9.0.1/24");
        net.node.set(&format!(
            "packet-generator new {{ name large limit 8 size 9020-9020 interface pg0 \
             node ip4-input data {{ UDP: 10.9.0.2 -> {} UDP: 1234 -> 4000 length 9000 checksum 0 \
             incrementing 8992 }} }}",
            right.address
        ));
        net.node.set("packet-generator enable-stream large");
        let mut buffer = vec![0; 1 << 16];
        for _ in 0..8 {
            let (len, _) = socket.recv_from(&mut buffer).expect("a packet");
            assert_eq!(len, SIZE);
            assert!(
                (0..SIZE).all(|at| buffer[at] == at as u8),
                "changed on the way"
            );
        }
        Ok(())
    });
}
