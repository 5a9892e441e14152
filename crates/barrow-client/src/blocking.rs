//! Plain threads: a connection driven by a thread of its own, and a way to wait for its futures.
//!
//! ```no_run
//! use barrow_client::{Config, blocking};
//! use barrow_messages::vpe::ShowVersion;
//!
//! let client = blocking::connect("/run/vpp/api.sock", Config::default())?;
//! let version = blocking::wait(client.call(ShowVersion {}))?;
//! println!("{}", version.version);
//! # Ok::<(), barrow_client::Error>(())
//! ```

use crate::client::Client;
use crate::config::Config;
use crate::error::{Error, Lost};
use crate::mux::{Hub, Step, Transmit};
use barrow_core::{Doorbell, Instant};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// Bytes read at once.
const READ: usize = 64 << 10;

/// Connects to the API socket at `path` and waits until calls can be made.
///
/// # Errors
/// [`Error::Closed`] when the policy gave up.
///
/// # Panics
/// When there is no descriptor or thread to be had.
pub fn connect(path: impl AsRef<Path>, config: Config) -> Result<Client, Error> {
    let client = start(path, config);
    wait(client.connected())?;
    Ok(client)
}

/// Starts to connect and returns at once.
///
/// # Panics
/// When there is no descriptor or thread to be had.
pub fn start(path: impl AsRef<Path>, config: Config) -> Client {
    let origin = std::time::Instant::now();
    let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
    let bell = Arc::new(bell.expect("an eventfd can be had"));
    let hub = Arc::new(Hub::new(config, Bell(Arc::clone(&bell)), move || {
        Instant::from_nanos(u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }));
    let driver = Driver {
        hub: Arc::clone(&hub),
        path: path.as_ref().to_owned(),
        bell,
        wakers: Vec::new(),
    };
    thread::Builder::new()
        .name("barrow-client".into())
        .spawn(move || driver.run())
        .expect("a thread can be had");
    Client::new(hub)
}

/// Waits on this thread for a call, a list's next item or any other future.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    thread_local! {
        static WAKER: Waker = Arc::new(Unpark(thread::current())).into();
    }
    let mut future = pin!(future);
    WAKER.with(|waker| {
        let mut cx = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    })
}

struct Bell(Arc<OwnedFd>);

impl Doorbell for Bell {
    fn ring(&self) {
        // Full only when it has rung 2^64 times unheard.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

impl Transmit for UnixStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }
}

struct Driver {
    hub: Arc<Hub>,
    path: PathBuf,
    bell: Arc<OwnedFd>,
    wakers: Vec<Waker>,
}

impl Driver {
    fn run(mut self) {
        loop {
            match self.hub.step(&mut self.wakers) {
                // A Unix socket connects at once or waits for a listener with a full queue.
                Step::Connect { .. } => match UnixStream::connect(&self.path)
                    .and_then(|stream| stream.set_nonblocking(true).map(|()| stream))
                {
                    Ok(stream) => self.serve(&Arc::new(stream)),
                    Err(error) => {
                        let why = format!("{}: {error}", self.path.display());
                        self.hub.lost(&mut self.wakers, Lost::Connect(why.into()));
                    }
                },
                Step::Wait { until } | Step::Io { until } => self.park(None, false, until),
                Step::Finished => return,
            }
        }
    }

    /// Moves bytes until the connection is over.
    fn serve(&mut self, stream: &Arc<UnixStream>) {
        let transmit: Arc<dyn Transmit> = Arc::<UnixStream>::clone(stream);
        self.hub.connected(&mut self.wakers, transmit);
        loop {
            let until = match self.hub.step(&mut self.wakers) {
                Step::Io { until } => until,
                Step::Connect { .. } | Step::Wait { .. } | Step::Finished => return,
            };
            let all = self.hub.write(&mut self.wakers);
            self.park(Some(stream), !all, until);
            loop {
                let read = self
                    .hub
                    .read(&mut self.wakers, READ, |space| (&**stream).read(space));
                match read {
                    Ok(0) => return,
                    Ok(READ..) => {}
                    // Less than there was room for: there is no more.
                    Ok(_) | Err(_) => break,
                }
            }
        }
    }

    /// Waits for the stream, the bell, or the instant.
    fn park(&self, stream: Option<&UnixStream>, write: bool, until: Option<Instant>) {
        let timeout = until.map(|until| {
            let left = until - self.hub.now();
            // Rounded up, so that the instant has come.
            Timespec::try_from(left + Duration::from_nanos(1)).unwrap_or(Timespec {
                tv_sec: i64::MAX,
                tv_nsec: 0,
            })
        });
        let mut wanted = PollFlags::IN;
        wanted.set(PollFlags::OUT, write);
        let bell = PollFd::new(&self.bell, PollFlags::IN);
        // An interrupted wait is a short one: the loop looks again.
        let _ = match stream {
            Some(stream) => poll(&mut [bell, PollFd::new(stream, wanted)], timeout.as_ref()),
            None => poll(&mut [bell], timeout.as_ref()),
        };
        let mut rings = [0; 8];
        let _ = rustix::io::read(&self.bell, &mut rings);
    }
}
