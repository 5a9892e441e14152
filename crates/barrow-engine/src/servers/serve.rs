//! Opening everything in its order, and running until told to stop.

use super::{ListenError, Servers, console::Console};
use crate::{Engine, api::TraceFile};
use barrow_runtime::{
    io::Reactor,
    signal::{Signal, Signals},
};
use std::{cell::RefCell, fs, io, os::unix::fs::MetadataExt, path::PathBuf, rc::Rc};

/// Why a node that should be served ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A socket or file could not be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The operating system refused something.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Servers {
    /// Opens what the configuration asks for, in this order: the start-up script is run to its end, then the sockets of
    /// the command line, the statistics and, last, the API appear. The main thread must be turning.
    ///
    /// A script that fails is logged; the node is served all the same, as VPP does.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub async fn open(&self, reactor: &Reactor) -> Result<(), ListenError> {
        let directory = self.runtime_directory();
        if let Some(path) = &self.settings.unix.pidfile {
            write(path.clone(), format!("{}\n", std::process::id()).as_bytes())?;
        }
        if let Some(path) = &self.settings.api_trace.save_api_table {
            write(
                path.clone(),
                &TraceFile::table_of(&self.api.table).encode_table(),
            )?;
        }
        // What failed has been logged.
        self.run_startup_script().await.ok();
        self.listen_cli(reactor)?;
        self.listen_stats(reactor, &directory)?;
        self.listen_api(reactor, &directory)
    }

    /// The directory of sockets whose paths are not configured.
    #[must_use]
    pub fn runtime_directory(&self) -> PathBuf {
        let uid = fs::metadata("/proc/self").map_or(0, |own| own.uid());
        let current = std::env::current_dir().unwrap_or_default();
        self.settings.unix.runtime_directory(uid, &current)
    }
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), ListenError> {
    fs::write(&path, bytes).map_err(|error| ListenError::Path { path, error })
}

impl Engine {
    /// Runs the node with its servers until somebody stops it; SIGTERM and SIGINT do. `ready` is called when everything
    /// is served.
    ///
    /// # Errors
    /// When a socket cannot be opened, a thread cannot be had, or the system's poller fails.
    pub fn serve(mut self, ready: impl FnOnce() + 'static) -> Result<(), ServeError> {
        self.start()?;
        let (reactor, stopper, control) = (self.reactor(), self.stopper(), self.control());
        let mut signals = Signals::new(&reactor, &[Signal::Terminate, Signal::Interrupt])?;
        let (log, stop) = (control.log().class("main"), stopper.clone());
        control.spawner().spawn_named_task("signals", async move {
            loop {
                let signal = signals.next().await;
                log.notice(format_args!("{signal:?}: the node stops"));
                stop.stop();
            }
        });
        let (servers, failed) = (self.servers().clone(), Rc::new(RefCell::new(None)));
        // Held until the node has ended: then the terminal is as it was.
        let console = servers.take_console()?;
        let input = console.as_ref().map(Console::kind);
        let failure = failed.clone();
        let spawner = control.spawner().clone();
        control.spawner().spawn_named_task("startup", async move {
            let mut opened = servers.open(&reactor).await.map_err(ServeError::from);
            if let (Ok(()), Some(kind)) = (&opened, input) {
                let console = servers.open_console(kind, &reactor, stopper.clone(), spawner.now());
                opened = console.map_err(ServeError::from);
            }
            match opened {
                Ok(()) => ready(),
                Err(error) => {
                    *failure.borrow_mut() = Some(error);
                    stopper.stop();
                }
            }
        });
        self.run()?;
        drop(console);
        let failed = failed.borrow_mut().take();
        failed.map_or(Ok(()), Err)
    }
}
