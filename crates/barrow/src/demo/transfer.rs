//! A TCP transfer from one host to the other.

use super::net::{Net, RIGHT};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const PORT: u16 = 5001;
const CHUNK: usize = 256 * 1024;

/// What was transferred.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transfer {
    /// Bytes that arrived.
    pub(super) bytes: u64,
    /// From the first to the last.
    pub(super) time: Duration,
}

impl Transfer {
    /// Bits a second.
    pub(super) fn rate(&self) -> f64 {
        self.bytes as f64 * 8.0 / self.time.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Sends from left to right for so long.
pub(super) fn transfer(net: &Net, how_long: Duration) -> io::Result<Transfer> {
    let to = SocketAddr::from((RIGHT, PORT));
    let listener = net.right.run(move || TcpListener::bind(to))??;
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || receive(&listener));
        let sent = net.left.run(move || send(to, how_long))?;
        let received = receiver
            .join()
            .map_err(|_| io::Error::other("the receiver panicked"))?;
        sent?;
        received
    })
}

fn send(to: SocketAddr, how_long: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
    let chunk = vec![0x5a; CHUNK];
    let begin = Instant::now();
    while begin.elapsed() < how_long {
        stream.write_all(&chunk)?;
    }
    Ok(())
}

fn receive(listener: &TcpListener) -> io::Result<Transfer> {
    let (mut stream, _) = listener.accept()?;
    let begin = Instant::now();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => {
                return Ok(Transfer {
                    bytes,
                    time: begin.elapsed(),
                });
            }
            n => bytes += n as u64,
        }
    }
}
