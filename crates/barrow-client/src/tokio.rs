//! The driver for tokio: one task a connection.

use crate::client::Client;
use crate::config::Config;
use crate::error::{Closed, Error, Lost};
use crate::mux::{ConnectionState, Hub, Step, Transmit};
use barrow_core::{Doorbell, Instant};
use std::future::{Future, poll_fn};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until, timeout_at};

/// Bytes read at once. A dump's details come in bulk.
const READ: usize = 64 << 10;

/// Reads in a row before other tasks get a turn.
const READS: usize = 16;

impl Client {
    /// Connects to the API socket at `path` with the default settings, and waits until calls can be made.
    ///
    /// # Errors
    /// Never by itself, as the default policy tries for ever: put a timeout around it, or use
    /// [`connect_with`](Self::connect_with).
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::connect_with(path, Config::default()).await
    }

    /// As [`connect`](Self::connect), with settings.
    ///
    /// # Errors
    /// [`Error::Closed`] when the policy gave up.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn connect_with(path: impl AsRef<Path>, config: Config) -> Result<Self, Error> {
        let client = Self::start(path, config);
        client.connected().await?;
        Ok(client)
    }

    /// Starts to connect and returns at once.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub fn start(path: impl AsRef<Path>, config: Config) -> Self {
        let origin = tokio::time::Instant::now();
        let bell = Arc::new(Notify::new());
        let hub = Arc::new(Hub::new(config, Bell(Arc::clone(&bell)), move || {
            let nanos = origin.elapsed().as_nanos();
            Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        }));
        let driver = Driver {
            hub: Arc::clone(&hub),
            path: path.as_ref().to_owned(),
            origin,
            bell,
            wakers: Vec::new(),
        };
        tokio::spawn(driver.run());
        Self::new(hub)
    }
}

/// What a resync hook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The generation of the connection.
    pub generation: u64,
    /// Whether the server is another process than before: what was configured is gone. `None` on the first
    /// connection.
    pub restarted: Option<bool>,
}

/// How a resync hook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resync {
    /// By itself.
    Done(Ready),
    /// Its time was over; it was dropped where it stood.
    Late(Ready),
    /// The connection was lost meanwhile; it was dropped where it stood.
    Lost(Ready),
}

impl Client {
    /// Runs `hook` each time a connection is ready, the first included, and tells `ended` how that went. Returns when
    /// the client is closed.
    ///
    /// A hook has `deadline` to end. It is dropped at its deadline, and when the connection it was to bring up to
    /// date is lost: a hook can never hold up the next one. `ended` may log, count, or close the client.
    ///
    /// # Panics
    /// Outside a tokio runtime with time.
    pub async fn resync<H: Future<Output = ()>>(
        &self,
        deadline: Duration,
        mut hook: impl FnMut(Ready) -> H,
        mut ended: impl FnMut(Resync),
    ) -> Closed {
        let mut states = self.states();
        let mut next = states.next().await;
        loop {
            match next {
                Some(ConnectionState::Connected {
                    generation,
                    restarted,
                }) => {
                    let ready = Ready {
                        generation,
                        restarted,
                    };
                    let lost = async {
                        loop {
                            match states.next().await {
                                Some(ConnectionState::Connected {
                                    generation: same, ..
                                }) if same == generation => {}
                                Some(ConnectionState::NotResponding { .. }) => {}
                                other => break other,
                            }
                        }
                    };
                    let mut lost = pin!(lost);
                    let mut hook = pin!(tokio::time::timeout(deadline, hook(ready)));
                    let mut after = None;
                    let how = poll_fn(|cx| {
                        if let Poll::Ready(state) = lost.as_mut().poll(cx) {
                            after = Some(state);
                            return Poll::Ready(Resync::Lost(ready));
                        }
                        hook.as_mut().poll(cx).map(|done| match done {
                            Ok(()) => Resync::Done(ready),
                            Err(_) => Resync::Late(ready),
                        })
                    })
                    .await;
                    ended(how);
                    next = match after {
                        Some(state) => state,
                        None => lost.await,
                    };
                }
                Some(ConnectionState::Closed(why)) => return why,
                Some(_) => next = states.next().await,
                None => return Closed::ByUser,
            }
        }
    }
}

struct Bell(Arc<Notify>);

impl Doorbell for Bell {
    fn ring(&self) {
        self.0.notify_one();
    }
}

impl Transmit for OwnedWriteHalf {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }
}

struct Driver {
    hub: Arc<Hub>,
    path: PathBuf,
    origin: tokio::time::Instant,
    bell: Arc<Notify>,
    wakers: Vec<Waker>,
}

impl Driver {
    async fn run(mut self) {
        loop {
            match self.hub.step(&mut self.wakers) {
                Step::Connect { until } => {
                    let until = self.real(until);
                    match timeout_at(until, UnixStream::connect(&self.path)).await {
                        Ok(Ok(stream)) => self.serve(stream).await,
                        Ok(Err(error)) => {
                            let why = format!("{}: {error}", self.path.display());
                            self.hub.lost(&mut self.wakers, Lost::Connect(why.into()));
                        }
                        Err(_) => self.hub.lost(&mut self.wakers, Lost::GreetingTimeout),
                    }
                }
                Step::Wait { until } | Step::Io { until } => match until {
                    Some(until) => {
                        let until = self.real(until);
                        // Either way the next step finds out what is to be done.
                        let _ = timeout_at(until, self.bell.notified()).await;
                    }
                    None => self.bell.notified().await,
                },
                Step::Finished => return,
            }
        }
    }

    fn real(&self, instant: Instant) -> tokio::time::Instant {
        self.origin + Duration::from_nanos(instant.as_nanos())
    }

    /// Moves bytes until the connection is over.
    async fn serve(&mut self, stream: UnixStream) {
        let (mut reader, writer) = stream.into_split();
        let writer = Arc::new(writer);
        let transmit: Arc<dyn Transmit> = writer.clone();
        self.hub.connected(&mut self.wakers, transmit);
        let bell = Arc::clone(&self.bell);
        let mut rung = pin!(bell.notified());
        let mut sleep = pin!(sleep_until(self.origin));
        poll_fn(|cx| {
            while rung.as_mut().poll(cx).is_ready() {
                rung.set(bell.notified());
            }
            self.poll(cx, &mut reader, &writer, sleep.as_mut())
        })
        .await;
    }

    /// Ready when the connection is over.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut OwnedReadHalf,
        writer: &OwnedWriteHalf,
        mut sleep: Pin<&mut Sleep>,
    ) -> Poll<()> {
        for _ in 0..READS {
            let read = self.hub.read(&mut self.wakers, READ, |space| {
                let mut buffer = ReadBuf::new(space);
                match Pin::new(&mut *reader).poll_read(cx, &mut buffer) {
                    Poll::Ready(result) => result.map(|()| buffer.filled().len()),
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            });
            match read {
                Ok(0) => return Poll::Ready(()),
                Ok(_) => {}
                // Everything has been read.
                Err(_) => return self.poll_rest(cx, writer, sleep),
            }
        }
        // There may be more; let others run first.
        cx.waker().wake_by_ref();
        ready!(self.poll_rest(cx, writer, sleep.as_mut()));
        Poll::Ready(())
    }

    fn poll_rest(
        &mut self,
        cx: &mut Context<'_>,
        writer: &OwnedWriteHalf,
        mut sleep: Pin<&mut Sleep>,
    ) -> Poll<()> {
        loop {
            let until = match self.hub.step(&mut self.wakers) {
                Step::Io { until } => until,
                Step::Connect { .. } | Step::Wait { .. } | Step::Finished => {
                    return Poll::Ready(());
                }
            };
            while !self.hub.write(&mut self.wakers) {
                // Writing again after it became ready, or being woken when it does.
                if writer.as_ref().poll_write_ready(cx).is_pending() {
                    break;
                }
            }
            let Some(until) = until else {
                return Poll::Pending;
            };
            let until = self.real(until);
            if sleep.deadline() != until {
                sleep.as_mut().reset(until);
            }
            ready!(sleep.as_mut().poll(cx));
        }
    }
}
