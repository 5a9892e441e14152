//! Standard error as a sink that never blocks its user.

use super::LogSink;
use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Lines that may wait for a reader of standard error; later ones are dropped and counted.
const WAITING_LINES: usize = 1024;

/// How long the end of the program waits for lines that nobody may ever read.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Writes lines to standard error from a thread of its own.
#[derive(Debug)]
pub struct StderrSink {
    lines: Mutex<Option<SyncSender<String>>>,
    dropped: Arc<AtomicU64>,
    /// Closed by the writer when it is done.
    done: Mutex<Receiver<()>>,
    writer: Option<JoinHandle<()>>,
}

impl StderrSink {
    /// Starts the writer.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start() -> std::io::Result<Self> {
        let (lines, waiting) = sync_channel::<String>(WAITING_LINES);
        let (finished, done) = sync_channel(0);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = dropped.clone();
        let writer = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || {
                let _finished: SyncSender<()> = finished;
                let mut told = 0;
                for line in waiting {
                    let mut stderr = std::io::stderr().lock();
                    let lost = lost.load(Ordering::Relaxed);
                    // A closed standard error takes nothing; there is nobody to tell.
                    if lost != told {
                        writeln!(stderr, "log: {} message(s) were lost here", lost - told).ok();
                        told = lost;
                    }
                    writeln!(stderr, "{line}").ok();
                }
            })?;
        let (lines, done) = (Mutex::new(Some(lines)), Mutex::new(done));
        Ok(Self {
            lines,
            dropped,
            done,
            writer: Some(writer),
        })
    }

    /// Lines that could not be written.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl LogSink for StderrSink {
    fn write(&self, line: &str) {
        let lines = self
            .lines
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(lines) = lines.as_ref() else { return };
        match lines.try_send(line.to_owned()) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for StderrSink {
    /// Gives the writer a moment to write what waits, then leaves it behind.
    fn drop(&mut self) {
        drop(
            self.lines
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take(),
        );
        let done = self
            .done
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if done.recv_timeout(LAST_WORDS) == Err(RecvTimeoutError::Disconnected)
            && let Some(writer) = self.writer.take()
        {
            writer.join().ok();
        }
    }
}
