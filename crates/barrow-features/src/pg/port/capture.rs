//! Writing what an interface sends to a file.

use crate::pcap::{LinkType, PcapFile};
use barrow_engine::Packet;
use barrow_engine::log::Class;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Why a capture could not begin.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file is there already.
    #[error("pcap file '{0}' already exists.")]
    Exists(String),
    /// The file could not be made there.
    #[error("cannot create pcap file '{0}'")]
    NoDirectory(String),
}

#[derive(Debug)]
struct Capture {
    path: PathBuf,
    link: LinkType,
    /// Packets still to be captured.
    left: u64,
    /// Made with the first packet: a capture of nothing leaves no file, as VPP's leaves none.
    file: Option<PcapFile<File>>,
}

/// The capture of one interface, if there is one: shared by the main thread and all instances of `pgN-tx`.
#[derive(Debug)]
pub(super) struct CaptureSlot {
    /// Whether there is one; the only thing that a node looks at otherwise.
    active: AtomicBool,
    capture: Mutex<Option<Capture>>,
    link: LinkType,
    log: Class,
}

impl CaptureSlot {
    pub(super) fn new(link: LinkType, log: Class) -> Arc<Self> {
        let (active, capture) = (AtomicBool::new(false), Mutex::new(None));
        Arc::new(Self {
            active,
            capture,
            link,
            log,
        })
    }

    /// Begins a capture of so many packets, and ends the one before.
    pub(super) fn start(&self, path: &Path, count: Option<u64>) -> Result<(), CaptureError> {
        let name = || path.display().to_string();
        if fs::symlink_metadata(path).is_ok() {
            return Err(CaptureError::Exists(name()));
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if path.file_name().is_none() || !directory.is_dir() {
            return Err(CaptureError::NoDirectory(name()));
        }
        *self.lock() = Some(Capture {
            path: path.to_owned(),
            link: self.link,
            left: count.unwrap_or(u64::MAX),
            file: None,
        });
        self.active.store(true, Relaxed);
        Ok(())
    }

    /// Ends the capture. Nothing is written to its file afterwards.
    pub(super) fn stop(&self) {
        self.active.store(false, Relaxed);
        self.lock().take();
    }

    /// Whether there is a capture.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        self.active.load(Relaxed)
    }

    /// Writes packets to the file, before it returns.
    pub(super) fn write<'p>(&self, at: Duration, packets: impl Iterator<Item = Packet<'p>>) {
        let mut slot = self.lock();
        let Some(capture) = slot.as_mut() else { return };
        let written = capture.write(at, packets);
        let ended = match written {
            Ok(()) => capture.left == 0,
            Err(error) => {
                self.log.error(format_args!(
                    "capture to {}: {error}",
                    capture.path.display()
                ));
                true
            }
        };
        if ended {
            slot.take();
            self.active.store(false, Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Capture>> {
        // What a panic left half staged is a broken file, and no more than that.
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Capture {
    fn write<'p>(
        &mut self,
        at: Duration,
        packets: impl Iterator<Item = Packet<'p>>,
    ) -> io::Result<()> {
        for packet in packets {
            if self.left == 0 {
                break;
            }
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(PcapFile::create_new(&self.path, self.link)?),
            };
            file.packet(at, &packet)?;
            self.left -= 1;
        }
        self.file.as_mut().map_or(Ok(()), PcapFile::flush)
    }
}
