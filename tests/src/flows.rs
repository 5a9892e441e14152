//! Numbered datagrams: what was lost on the way, and what overtook what.

use crate::Netns;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

/// Datagrams on the way at a time, of all flows together: fewer than any queue on the way holds ...
const WINDOW: usize = 64;
/// ... and bytes of them: fewer than a socket's usual buffer holds, with what the kernel counts beside them.
const WINDOW_BYTES: usize = 48 << 10;
/// How long a datagram may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Flow and number, at the start of a datagram.
const HEADER: usize = 12;

/// Flows of UDP datagrams from one host to another, each from a port of its own.
///
/// Each datagram carries its flow, its number and a pattern. A flow's datagrams must arrive whole, once
/// each, and in order.
#[derive(Debug)]
pub struct Flows {
    senders: Vec<UdpSocket>,
    receiver: UdpSocket,
    to: SocketAddrV4,
    sent: Vec<u64>,
    received: Vec<u64>,
}

impl Flows {
    /// Flows from a host's address to another host's.
    ///
    /// # Panics
    /// When a socket cannot be made.
    #[must_use]
    #[track_caller]
    pub fn between(
        from: &Netns,
        source: Ipv4Addr,
        to: &Netns,
        target: Ipv4Addr,
        flows: usize,
    ) -> Self {
        let bind =
            |address: Ipv4Addr| UdpSocket::bind((address, 0)).expect("an address of the host");
        let receiver = to.run(|| bind(target));
        receiver
            .set_read_timeout(Some(PATIENCE))
            .expect("a duration above zero");
        let port = receiver.local_addr().expect("it is bound").port();
        Self {
            senders: from.run(|| (0..flows).map(|_| bind(source)).collect()),
            receiver,
            to: SocketAddrV4::new(target, port),
            sent: vec![0; flows],
            received: vec![0; flows],
        }
    }

    /// Sends `rounds` datagrams of `size` bytes in each flow and receives them all.
    ///
    /// # Panics
    /// When one is lost, changed, doubled or overtaken.
    #[track_caller]
    pub fn exchange(&mut self, rounds: u64, size: usize) {
        let mut left = rounds;
        self.exchange_while(size, || {
            left = left.saturating_sub(1);
            left > 0
        });
    }

    /// Sends rounds of datagrams, one a flow, until `more` says no after one, and receives them all.
    /// Gives how many there were.
    ///
    /// # Panics
    /// As [`Flows::exchange`].
    #[track_caller]
    pub fn exchange_while(&mut self, size: usize, mut more: impl FnMut() -> bool) -> u64 {
        let mut buffer = vec![0; 1 << 16];
        let window = (WINDOW_BYTES / size.max(1)).clamp(1, WINDOW);
        let (mut total, mut open) = (0, 0);
        loop {
            for flow in 0..self.senders.len() {
                if open == window {
                    self.receive(&mut buffer);
                    open -= 1;
                }
                self.send(flow, size.max(HEADER));
                open += 1;
                total += 1;
            }
            if !more() {
                break;
            }
        }
        for _ in 0..open {
            self.receive(&mut buffer);
        }
        total
    }

    #[track_caller]
    fn send(&mut self, flow: usize, size: usize) {
        let number = self.sent[flow];
        self.sent[flow] += 1;
        let datagram = datagram(flow as u32, number, size);
        let sent = self.senders[flow].send_to(&datagram, self.to);
        assert_eq!(sent.expect("the host sends"), size);
    }

    #[track_caller]
    fn receive(&mut self, buffer: &mut [u8]) {
        let len = match self.receiver.recv_from(buffer) {
            Ok((len, _)) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("lost: sent {:?}, received {:?}", self.sent, self.received)
            }
            Err(error) => panic!("{error}"),
        };
        let got = &buffer[..len];
        assert!(len >= HEADER, "a datagram of {len} bytes");
        let flow = u32::from_be_bytes(*got[..4].first_chunk().expect("4 bytes"));
        let number = u64::from_be_bytes(*got[4..HEADER].first_chunk().expect("8 bytes"));
        let expected = &mut self.received[flow as usize];
        assert_eq!(number, *expected, "flow {flow}: lost, doubled or overtaken");
        assert!(
            got == datagram(flow, number, len),
            "flow {flow} number {number}: changed"
        );
        *expected += 1;
    }
}

fn datagram(flow: u32, number: u64, size: usize) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(size);
    datagram.extend_from_slice(&flow.to_be_bytes());
    datagram.extend_from_slice(&number.to_be_bytes());
    datagram.extend((HEADER..size).map(|at| (at as u64 + number) as u8));
    datagram
}
