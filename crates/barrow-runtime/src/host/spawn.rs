//! Workers on threads of their own.

use std::fmt;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use super::meter::Meter;
use super::remote::Remote;
use super::worker::{Host, Options, Stopper, Worker};
use crate::io::Bell;
use crate::sys::Clock;

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError<E> {
    /// The system gave no thread, processor or descriptor.
    #[error("cannot start a worker: {0}")]
    System(#[from] io::Error),
    /// Its state could not be made.
    #[error("cannot start a worker: {0}")]
    State(E),
    /// Making its state panicked.
    #[error("cannot start a worker: making its state panicked")]
    Panicked,
}

/// A worker on another thread; dropped, it is stopped and waited for.
pub struct Handle<T> {
    remote: Remote<T>,
    stopper: Stopper,
    bell: Bell,
    meter: Meter,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// Starts a worker on a new thread and waits until its state is made.
///
/// `make` runs on that thread; what it makes need not be `Send`.
///
/// # Errors
/// When the thread cannot be started, named processors are not available, or `make` fails.
pub fn spawn<T: 'static, E: Send + 'static>(
    options: Options,
    clock: Clock,
    make: impl FnOnce(&mut Host) -> Result<T, E> + Send + 'static,
) -> Result<Handle<T>, SpawnError<E>> {
    spawn_with_end(options, clock, make, |_| Ok(()))
}

/// As [`spawn`]; once the worker is stopped, `end` runs on its thread: to
/// [shut it down](Worker::shutdown) with time to finish, for example.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_with_end<T: 'static, E: Send + 'static>(
    options: Options,
    clock: Clock,
    make: impl FnOnce(&mut Host) -> Result<T, E> + Send + 'static,
    end: impl FnOnce(&mut Worker<T>) -> io::Result<()> + Send + 'static,
) -> Result<Handle<T>, SpawnError<E>> {
    let (report, started) = mpsc::sync_channel(1);
    let run = move || {
        let made = Worker::new(options, clock, |host| make(host).map_err(SpawnError::State));
        let mut worker = match made {
            Ok(worker) => worker,
            Err(error) => {
                // The starter waits for it.
                let _ = report.send(Err(error));
                return Ok(());
            }
        };
        let bell = worker.host().reactor.bell();
        let handles = (worker.remote(), worker.stopper(), bell, worker.meter());
        let _ = report.send(Ok(handles));
        worker.run()?;
        end(&mut worker)
    };
    let thread = thread::Builder::new().spawn(run)?;
    let (remote, stopper, bell, meter) = started.recv().map_err(|_| SpawnError::Panicked)??;
    Ok(Handle {
        remote,
        stopper,
        bell,
        meter,
        thread: Some(thread),
    })
}

impl<T> Handle<T> {
    /// Reaches the worker's state.
    #[must_use]
    pub fn remote(&self) -> Remote<T> {
        self.remote.clone()
    }

    /// How busy the worker is.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Ends the worker's present sleep: after its clock was moved forward, for example.
    pub fn ring(&self) {
        self.bell.ring();
    }

    /// Stops the worker after its present turn; does not wait.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// Stops the worker and waits for its end.
    ///
    /// # Errors
    /// The error of its loop. A panic of the loop itself goes on here.
    pub fn join(mut self) -> io::Result<()> {
        self.end()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// As [`Handle::join`], with the worker's panic as a value.
    ///
    /// # Errors
    /// The payload of the panic that ended its loop.
    pub fn wait(mut self) -> thread::Result<io::Result<()>> {
        self.end()
    }

    fn end(&mut self) -> thread::Result<io::Result<()>> {
        self.stop();
        self.thread.take().map_or(Ok(Ok(())), JoinHandle::join)
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // Whoever wants to know calls `join`.
        let _ = self.end();
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
