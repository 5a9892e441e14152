//! Plain threads: a connection that those who wait for it drive themselves.
//!
//! ```no_run
//! use barrow_client::{Config, blocking};
//! use barrow_messages::vpe::ShowVersion;
//!
//! let client = blocking::connect("/run/vpp/api.sock", Config::default())?;
//! let version = client.wait(client.call(ShowVersion {}))?;
//! println!("{}", version.version);
//! # Ok::<(), barrow_client::Error>(())
//! ```
//!
//! A thread in [`Connection::wait`] moves the bytes of the connection itself, so that a single call costs a write and
//! a read and no change of threads. When several wait, one of them does it for all. When nobody waits, a thread of the
//! connection does: it answers probes, takes in events and reconnects.

mod driver;
mod role;

use crate::client::Client;
use crate::config::Config;
use crate::error::Error;
use crate::mux::Hub;
use barrow_core::{Doorbell, Instant};
use driver::Driver;
use role::{Role, Woken};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

/// A [`Client`] for threads. Cheap to clone; usable from any thread.
#[derive(Clone, Debug)]
pub struct Connection {
    client: Client,
    role: Arc<Role>,
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Connects to the API socket at `path` and waits until calls can be made.
///
/// # Errors
/// [`Error::Closed`] when the policy gave up.
///
/// # Panics
/// When there is no descriptor or thread to be had.
pub fn connect(path: impl AsRef<Path>, config: Config) -> Result<Connection, Error> {
    let connection = start(path, config);
    connection.wait(connection.connected())?;
    Ok(connection)
}

/// Starts to connect and returns at once.
///
/// # Panics
/// When there is no descriptor or thread to be had.
pub fn start(path: impl AsRef<Path>, config: Config) -> Connection {
    let origin = std::time::Instant::now();
    let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
    let bell = Arc::new(bell.expect("an eventfd can be had"));
    let hub = Arc::new(Hub::new(config, Bell(Arc::clone(&bell)), move || {
        Instant::from_nanos(u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }));
    let driver = Driver::new(
        Arc::clone(&hub),
        path.as_ref().to_owned(),
        Arc::clone(&bell),
    );
    let role = Arc::new(Role::new(driver, bell));
    let keeper = Arc::clone(&role);
    thread::Builder::new()
        .name("barrow-client".into())
        .spawn(move || keeper.keep())
        .expect("a thread can be had");
    Connection {
        client: Client::new(hub),
        role,
    }
}

impl Connection {
    /// Waits on this thread for a call, a list's next item or any other future, and moves the connection's bytes
    /// meanwhile.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        Woken::with(|woken, waker| {
            let mut cx = Context::from_waker(waker);
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            self.role
                .wait(woken, || match future.as_mut().poll(&mut cx) {
                    Poll::Ready(output) => Some(output),
                    Poll::Pending => None,
                })
        })
    }
}

/// Waits on this thread for any future, and leaves the moving of bytes to others.
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    Woken::with(|woken, waker| {
        let mut cx = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => return output,
                Poll::Pending => woken.park(),
            }
        }
    })
}

struct Bell(Arc<OwnedFd>);

impl Doorbell for Bell {
    fn ring(&self) {
        ring(&self.0);
    }
}

fn ring(bell: &OwnedFd) {
    // Full only when it has rung 2^64 times unheard.
    let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
}
