//! The demo's own ping.

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrV4, SocketType, ipproto, recv, sendto, sockopt,
};
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes behind the ICMP header.
const PAYLOAD: usize = 56;

/// What became of a round of pings.
#[derive(Clone, Debug, Default)]
pub(super) struct Pings {
    pub(super) sent: u32,
    pub(super) answered: u32,
    pub(super) times: Vec<Duration>,
}

impl Pings {
    /// The time in the middle.
    pub(super) fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

/// Sends `count` echo requests to `target`, each after the answer to the one before, from the namespace of
/// this thread.
pub(super) fn ping(target: Ipv4Addr, count: u16) -> io::Result<Pings> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP))?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
    let id = (std::process::id() & 0xffff) as u16;
    let mut pings = Pings::default();
    for sequence in 0..count {
        let begin = Instant::now();
        let address = SocketAddrV4::new(target, 0);
        sendto(
            &socket,
            &request(id, sequence),
            SendFlags::empty(),
            &address,
        )?;
        pings.sent += 1;
        if answered(&socket, id, sequence, begin)? {
            pings.answered += 1;
            pings.times.push(begin.elapsed());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(pings)
}

/// Waits for the answer to one request.
fn answered(
    socket: &impl rustix::fd::AsFd,
    id: u16,
    sequence: u16,
    begin: Instant,
) -> io::Result<bool> {
    let mut buffer = [0; 2048];
    while begin.elapsed() < PATIENCE {
        let len = match recv(socket, &mut buffer, RecvFlags::empty()) {
            Ok((len, _)) => len,
            Err(error) if error == rustix::io::Errno::AGAIN => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // A raw socket gives the IPv4 header too.
        let header = usize::from(buffer[0] & 0x0f) * 4;
        let Some(icmp) = buffer.get(header..len.min(buffer.len())) else {
            continue;
        };
        let wanted = [&id.to_be_bytes()[..], &sequence.to_be_bytes()].concat();
        if icmp.first() == Some(&0) && icmp.get(4..8) == Some(&wanted[..]) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn request(id: u16, sequence: u16) -> Vec<u8> {
    let mut message = vec![8, 0, 0, 0];
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend((0..PAYLOAD).map(|n| n as u8));
    let sum = barrow_features::ip::checksum::Sum::new()
        .bytes(&message)
        .finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}
