//! The one trace there can be.

use super::filter::{Direction, Filter};
use super::node::Reasons;
use super::recorder::Recorder;
use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::{ArcError, Control};
use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What a trace is to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceOptions {
    /// Received packets.
    pub rx: bool,
    /// Sent packets.
    pub tx: bool,
    /// Dropped packets.
    pub drop: bool,
    /// Packets it keeps.
    pub max_packets: u32,
    /// Bytes it keeps of each.
    pub max_bytes_per_packet: u32,
    /// The interface; `None` for all.
    pub interface: Option<SwIfIndex>,
    /// The drop reason as its counter's number; `None` for any.
    pub error: Option<u16>,
    /// Only packets that a classifier accepts; as there is none, no packet at all.
    pub filter: bool,
    /// The name of the file in `/tmp`; made from the directions when it is `None`.
    pub file: Option<String>,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            rx: false,
            tx: false,
            drop: false,
            max_packets: 1000,
            max_bytes_per_packet: 512,
            interface: None,
            error: None,
            filter: false,
            file: None,
        }
    }
}

/// Why a trace did not begin or end. Numbers are those of `vpp:src/vnet/interface_cli.c`.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// One is running.
    #[error("dispatch trace already enabled...")]
    Running,
    /// None is running.
    #[error("dispatch trace already disabled...")]
    NotRunning,
    /// No direction is given, no packet was kept, or the interface does not exist.
    #[error("No packets captured...")]
    Nothing,
    /// The bytes kept of a packet are out of range.
    #[error("Max bytes per pkt must be > 32, < 9000...")]
    BytesPerPacket,
    /// The name of the file has a slash or two dots in it, or is empty.
    #[error("file name not acceptable")]
    FileName,
    /// The interface does not exist.
    #[error("unknown interface")]
    NoSuchInterface,
    /// The file could not be written.
    #[error("I/O writing trace capture... {0}")]
    Write(io::Error),
    /// An arc refused the node.
    #[error(transparent)]
    Arc(#[from] ArcError),
}

impl TraceError {
    /// VPP's error number.
    #[must_use]
    pub const fn retval(&self) -> i32 {
        match self {
            Self::NoSuchInterface => -2, // INVALID_SW_IF_INDEX
            Self::Nothing => -6,         // NO_SUCH_ENTRY
            Self::Running => -7,         // INVALID_VALUE
            Self::Write(_) => -11,       // SYSCALL_ERROR_1
            Self::BytesPerPacket => -70, // INVALID_MEMORY_SIZE
            Self::NotRunning => -81,     // VALUE_EXIST
            Self::Arc(_) => -100,        // CANNOT_ENABLE_DISABLE_FEATURE
            Self::FileName => -133,      // ILLEGAL_NAME
        }
    }
}

/// What `pcap trace status` tells of a running trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceStatus {
    /// The directions, in words.
    pub what: String,
    /// Packets kept so far.
    pub packets: usize,
    /// Packets it ends with.
    pub max_packets: u32,
    /// Where it will be written.
    pub file: PathBuf,
}

#[derive(Debug)]
struct Running {
    options: TraceOptions,
    file: PathBuf,
    /// Where its nodes are on.
    taps: Vec<(Direction, u32)>,
}

struct Inner {
    control: Control,
    interfaces: Interfaces,
    recorder: Recorder,
    reasons: Reasons,
    directory: PathBuf,
    running: RefCell<Option<Running>>,
}

/// The `pcap trace`; a cheap handle, main thread only.
#[derive(Clone)]
pub struct PcapTrace(Rc<Inner>);

impl Direction {
    /// Its arc and the node on it.
    pub(super) const fn feature(self) -> (&'static str, &'static str) {
        match self {
            Self::Rx => ("device-input", "pcap-rx"),
            Self::Tx => ("interface-output", "pcap-tx"),
            Self::Drop => ("error-drop", "pcap-drop"),
        }
    }
}

impl PcapTrace {
    pub(super) fn new(
        control: Control,
        interfaces: Interfaces,
        recorder: Recorder,
        reasons: Reasons,
        directory: PathBuf,
    ) -> Self {
        let running = RefCell::default();
        Self(Rc::new(Inner {
            control,
            interfaces,
            recorder,
            reasons,
            directory,
            running,
        }))
    }

    /// Begins a trace, or ends the running one if no direction is asked for.
    ///
    /// Gives the number of packets and the file when it ended one.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn configure(&self, options: TraceOptions) -> Result<Option<(usize, PathBuf)>, TraceError> {
        if options.rx || options.tx || options.drop {
            self.start(options).map(|()| None)
        } else {
            self.stop().map(Some)
        }
    }

    /// Begins a trace.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn start(&self, options: TraceOptions) -> Result<(), TraceError> {
        let inner = &self.0;
        if inner.running.borrow().is_some() {
            return Err(TraceError::Running);
        }
        if !(32..=9000).contains(&options.max_bytes_per_packet) {
            return Err(TraceError::BytesPerPacket);
        }
        let file = inner.directory.join(file_name(&options)?);
        let sub = match options.interface {
            None => None,
            Some(index) => {
                let interface = inner
                    .interfaces
                    .sw(index)
                    .ok_or(TraceError::NoSuchInterface)?;
                interface.sub.map(|sub| sub.parent)
            }
        };
        inner.reasons.set(self.drop_reasons());
        let filter = Filter {
            interface: options.interface.map(|index| index.0),
            is_sub: sub.is_some(),
            error: options.error,
            classified: options.filter,
        };
        inner.recorder.start(
            filter,
            options.max_packets as usize,
            options.max_bytes_per_packet as usize,
        );
        let targets: Vec<SwIfIndex> = match options.interface {
            None => inner.interfaces.iter_indexes().collect(),
            Some(index) => sub.into_iter().chain([index]).collect(),
        };
        *inner.running.borrow_mut() = Some(Running {
            options,
            file,
            taps: Vec::new(),
        });
        for target in targets {
            if let Err(error) = self.tap(target) {
                self.untap_all();
                inner.running.borrow_mut().take();
                inner.recorder.stop();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Ends the trace and writes its file; gives the number of packets and the file.
    ///
    /// # Errors
    /// See [`TraceError`]; the trace has ended unless none was running.
    pub fn stop(&self) -> Result<(usize, PathBuf), TraceError> {
        self.untap_all();
        let running = self
            .0
            .running
            .borrow_mut()
            .take()
            .ok_or(TraceError::NotRunning)?;
        let recording = self.0.recorder.stop().ok_or(TraceError::NotRunning)?;
        if recording.len() == 0 {
            return Err(TraceError::Nothing);
        }
        replace(&running.file, |output| recording.write(output)).map_err(TraceError::Write)?;
        Ok((recording.len(), running.file))
    }

    /// What runs.
    #[must_use]
    pub fn status(&self) -> Option<TraceStatus> {
        let running = self.0.running.borrow();
        let running = running.as_ref()?;
        let options = &running.options;
        let directions = [
            (options.rx, "rx"),
            (options.tx, "tx"),
            (options.drop, "drop"),
        ];
        let named: Vec<_> = directions
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| *name)
            .collect();
        let mut what = named.join(" and ");
        if options.filter {
            what.push_str(" with filter");
        }
        Some(TraceStatus {
            what,
            packets: self.0.recorder.len(),
            max_packets: options.max_packets,
            file: running.file.clone(),
        })
    }

    /// A drop reason written as `NODE.REASON`, with or without braces around each; blanks in a reason
    /// may be written as underscores.
    #[must_use]
    pub fn error_by_name(&self, text: &str) -> Option<u16> {
        let (node, reason) = match text.strip_prefix('{') {
            Some(rest) => {
                let (node, rest) = rest.split_once("}.{")?;
                (node, rest.strip_suffix('}')?)
            }
            None => text.split_once('.')?,
        };
        let plain = |text: &str| text.replace(' ', "_");
        let list = self.0.control.errors().list();
        let found = list
            .iter()
            .find(|count| &*count.node == node && plain(count.name) == plain(reason))?;
        Some(found.index)
    }

    /// Takes a new interface into a trace of all of them.
    pub(super) fn follow(&self, event: InterfaceEvent) -> Result<(), TraceError> {
        let all = |running: &Running| running.options.interface.is_none();
        match event {
            InterfaceEvent::Created(index) if self.0.running.borrow().as_ref().is_some_and(all) => {
                self.tap(index)
            }
            InterfaceEvent::Deleted(index) => {
                if let Some(running) = self.0.running.borrow_mut().as_mut() {
                    // The arcs have forgotten it by themselves.
                    running.taps.retain(|(_, known)| *known != index.0);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Puts the nodes of the running trace on the arcs of an interface.
    fn tap(&self, index: SwIfIndex) -> Result<(), TraceError> {
        let mut running = self.0.running.borrow_mut();
        let Some(running) = running.as_mut() else {
            return Ok(());
        };
        let options = &running.options;
        let wanted = [
            (options.rx, Direction::Rx),
            (options.tx, Direction::Tx),
            (options.drop, Direction::Drop),
        ];
        for (_, direction) in wanted.into_iter().filter(|(on, _)| *on) {
            let (arc, node) = direction.feature();
            self.0
                .control
                .arcs()
                .enable(arc, node, index.0, true, &[])?;
            running.taps.push((direction, index.0));
        }
        Ok(())
    }

    fn untap_all(&self) {
        let taps = self
            .0
            .running
            .borrow_mut()
            .as_mut()
            .map(|r| std::mem::take(&mut r.taps));
        for (direction, index) in taps.into_iter().flatten() {
            let (arc, node) = direction.feature();
            if let Err(error) = self.0.control.arcs().enable(arc, node, index, false, &[]) {
                debug_assert!(false, "what was switched on can be switched off: {error}");
            }
        }
    }

    /// `NODE: REASON` by counter.
    fn drop_reasons(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for count in self.0.control.errors().list() {
            let index = usize::from(count.index);
            if texts.len() <= index {
                texts.resize(index + 1, String::new());
            }
            texts[index] = format!("{}: {}", count.node, count.name);
        }
        texts
    }
}

/// The name of a trace's file.
fn file_name(options: &TraceOptions) -> Result<String, TraceError> {
    match &options.file {
        Some(name) if name.is_empty() || name.contains("..") || name.contains(['/', '\0']) => {
            Err(TraceError::FileName)
        }
        Some(name) => Ok(name.clone()),
        None => {
            let part = |on, name| if on { name } else { "" };
            let (rx, tx) = (part(options.rx, "rx"), part(options.tx, "tx"));
            Ok(format!("{rx}{tx}{}.pcap", part(options.drop, "drop")))
        }
    }
}

/// Writes a new file and gives it the name, so that a link that stands there is replaced, not followed.
fn replace(path: &Path, write: impl FnOnce(&fs::File) -> io::Result<()>) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let draft = path.with_file_name(name);
    let result = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&draft)
        .and_then(|file| write(&file))
        .and_then(|()| fs::rename(&draft, path));
    if result.is_err() {
        // Best effort: the first error is the one to tell.
        drop(fs::remove_file(&draft));
    }
    result
}

impl std::fmt::Debug for PcapTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcapTrace")
            .field("running", &self.0.running.borrow())
            .finish_non_exhaustive()
    }
}
