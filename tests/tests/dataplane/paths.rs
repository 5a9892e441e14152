//! Several next hops.

use barrow_tests::{Attach, Routed, report};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// An address that both hosts on the right have.
const ANYCAST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PORT: u16 = 4000;
const FLOWS: u8 = 64;
const ROUNDS: usize = 8;

#[test]
fn flows_spread_over_two_next_hops_and_each_stays_with_one() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host, Attach::Tap]).start()?;
        net.acquaint();
        let receivers: Vec<UdpSocket> = net.sides[1..]
            .iter()
            .map(|side| {
                side.netns.ip(&format!("addr add {ANYCAST}/32 dev lo"));
                let bound = side.netns.run(|| UdpSocket::bind((ANYCAST, PORT)));
                let socket = bound.expect("an address of the host");
                let patience = Some(Duration::from_secs(5));
                socket
                    .set_read_timeout(patience)
                    .expect("a duration above zero");
                socket
            })
            .collect();
        net.node
            .set(&format!("ip route add {ANYCAST}/32 via 10.1.0.2"));
        net.node
            .set(&format!("ip route add {ANYCAST}/32 via 10.2.0.2"));
        // The usual hash takes ports.
        let senders: Vec<UdpSocket> = net.left().netns.run(|| {
            let bind =
                |_| UdpSocket::bind((net.left().address, 0)).expect("an address of the host");
            (0..FLOWS).map(bind).collect()
        });
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        for _ in 0..ROUNDS {
            for (flow, sender) in senders.iter().enumerate() {
                sender
                    .send_to(&[flow as u8], (ANYCAST, PORT))
                    .expect("the host sends");
            }
            let mut arrived = 0;
            for (receiver, seen) in receivers.iter().zip(&mut seen) {
                let mut datagram = [0; 16];
                // The first one has some when all is well; what is left is the other's.
                while arrived < usize::from(FLOWS) {
                    receiver
                        .set_read_timeout(Some(Duration::from_secs(1)))
                        .expect("above zero");
                    let Ok((1, _)) = receiver.recv_from(&mut datagram) else {
                        break;
                    };
                    seen.insert(datagram[0]);
                    arrived += 1;
                }
            }
            assert_eq!(arrived, usize::from(FLOWS), "a datagram was lost");
        }
        let [one, other] = seen;
        assert!(!one.is_empty() && !other.is_empty(), "{one:?} {other:?}");
        assert!(one.is_disjoint(&other), "flows moved: {one:?} {other:?}");
        assert_eq!(one.len() + other.len(), usize::from(FLOWS));
        Ok(())
    });
}
