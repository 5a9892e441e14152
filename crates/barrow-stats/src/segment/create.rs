//! Making a segment: the file, its seals, its header and first entries.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

use super::allocator::{Age, Allocator, Fill};
use super::core::{Core, Purpose, State};
use super::directory::{Directory, Name, Payload};
use super::memory::Memory;
use super::window::{Epoch, Window};
use super::{BASE, CreateError, Gauge, Segment, Shared};
use crate::layout::{ENTRY_BYTES, EntryKind, HEADER_BYTES, VERSION, WORD, header};

/// Whether the system is asked for large pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    /// Ordinary pages: memory is used in steps of 4 KiB.
    #[default]
    Normal,
    /// Huge pages where the system has transparent ones for shared memory: less address translation in large tables,
    /// memory in steps of 2 MiB, which [`Segment::memory`] does not count.
    PreferHuge,
}

/// How a segment is made.
#[derive(Clone, Debug)]
pub struct SegmentConfig {
    /// Rows of counters that belong to threads: main and the workers.
    pub threads: usize,
    /// Memory the segment may use, in bytes (`statseg { size }`).
    pub size: u64,
    /// Length of the sparse file, in bytes; bounds what all limits together can be. Halved until the system agrees.
    pub address_space: u64,
    /// Kind of pages.
    pub pages: Pages,
}

impl SegmentConfig {
    /// Memory allowed by default: 4 GiB, of which a small node uses some 100 KiB.
    pub const DEFAULT_SIZE: u64 = 4 << 30;

    /// The default for a node of `threads` threads, main included: 64 GiB of address space and 2 GiB more a thread.
    /// That has room for two tables of 16 million routes, and all else.
    #[must_use]
    pub fn for_threads(threads: usize) -> Self {
        let threads_space = (threads as u64).saturating_mul(2 << 30).min(1 << 45);
        Self {
            threads,
            size: Self::DEFAULT_SIZE,
            address_space: (64 << 30) + threads_space,
            pages: Pages::Normal,
        }
    }
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self::for_threads(1)
    }
}

/// The least that holds header, a directory and some counters.
const MIN_ADDRESS_SPACE: u64 = 1 << 16;

/// Kept free at the end, since readers refuse a vector that ends with the file.
const SPARE: u64 = 4096;

/// Entries the directory can have, if the address space is large: a million interfaces' worth of links and more.
const DIRECTORY_LIMIT: u64 = 1 << 22;

impl Segment {
    /// Makes a segment with its three fixed entries: `/sys/heartbeat`, `/sys/last_stats_clear`, `/sys/boottime`.
    ///
    /// Needs no socket. Cost: a few system calls and pages, whatever the sizes.
    ///
    /// # Errors
    /// When the configuration makes no sense, or the system refuses the file or the mapping.
    pub fn new(config: &SegmentConfig) -> Result<Self, CreateError> {
        if config.threads == 0 {
            return Err(CreateError::Config("there is at least one thread"));
        }
        if config.address_space < MIN_ADDRESS_SPACE {
            return Err(CreateError::Config("the address space is below 64 KiB"));
        }
        let (file, memory) = map(config)?;
        let descriptor = seal(&file)?;
        let core = Rc::new(lay_out(memory, file_length(&descriptor)?, config.size)?);
        let window = Window::open(&core);
        let fixed = |name| fixed_scalar(&core, name);
        let heartbeat = fixed("/sys/heartbeat")?;
        let last_clear = fixed("/sys/last_stats_clear")?;
        let boot_time = fixed("/sys/boottime")?;
        drop(window);
        let threads = config.threads;
        let shared = Shared {
            threads,
            heartbeat,
            last_clear,
            boot_time,
            descriptor,
        };
        Ok(Self {
            core,
            shared: Rc::new(shared),
        })
    }
}

fn refused(action: &'static str) -> impl Fn(Errno) -> CreateError {
    move |errno| CreateError::Io {
        action,
        source: errno.into(),
    }
}

/// Creates the file and maps it, smaller than asked for where address space is limited.
fn map(config: &SegmentConfig) -> Result<(OwnedFd, Arc<Memory>), CreateError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let name = "stat segment";
    let file = match fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => fs::memfd_create(name, flags), // before Linux 6.3
        other => other,
    };
    let file = file.map_err(refused("create the memory file"))?;
    let mut bytes = config.address_space / 4096 * 4096;
    loop {
        fs::ftruncate(&file, bytes).map_err(refused("size the memory file"))?;
        match Memory::map(file.as_fd(), bytes, config.pages) {
            Ok(memory) => return Ok((file, Arc::new(memory))),
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory && bytes > 64 << 20 => {
                bytes = bytes / 8192 * 4096;
            }
            Err(source) => {
                return Err(CreateError::Io {
                    action: "map the memory file",
                    source,
                });
            }
        }
    }
}

/// Seals the file against all changes but those of our mapping, and opens it again for reading only.
fn seal(file: &OwnedFd) -> Result<OwnedFd, CreateError> {
    let size = SealFlags::SHRINK | SealFlags::GROW;
    match fs::fcntl_add_seals(file, size | SealFlags::FUTURE_WRITE | SealFlags::SEAL) {
        Err(Errno::INVAL) => fs::fcntl_add_seals(file, size), // before Linux 5.1
        other => other,
    }
    .map_err(refused("seal the memory file"))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    match fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(read_only) => Ok(read_only),
        // Without /proc the seal alone has to do.
        Err(_) if sealed(file).contains(SealFlags::FUTURE_WRITE) => {
            rustix::io::fcntl_dupfd_cloexec(file, 0).map_err(refused("duplicate the memory file"))
        }
        Err(errno) => Err(refused("open the memory file for reading only")(errno)),
    }
}

fn sealed(file: &OwnedFd) -> SealFlags {
    fs::fcntl_get_seals(file).unwrap_or(SealFlags::empty())
}

fn file_length(file: &OwnedFd) -> Result<u64, CreateError> {
    let stat = fs::fstat(file).map_err(refused("look at the memory file"))?;
    u64::try_from(stat.st_size).map_err(|_| CreateError::Config("the file has a negative length"))
}

/// Writes header and directory.
fn lay_out(memory: Arc<Memory>, length: u64, size: u64) -> Result<Core, CreateError> {
    let epoch = Epoch::new();
    let mut allocator = Allocator::new(HEADER_BYTES, length - SPARE, size);
    let entries = DIRECTORY_LIMIT.min(length / 8 / ENTRY_BYTES);
    let start = Age {
        epoch: epoch.now(),
        beat: 0,
    };
    let too_small = |_| CreateError::Config("the size is too small for a directory");
    let directory = {
        let bytes = entries * ENTRY_BYTES;
        super::core::vector(
            &mut allocator,
            &memory,
            Purpose::Row,
            bytes,
            Fill::Grows,
            0,
            start,
        )
        .map_err(too_small)?
    };
    let limit = u32::try_from(entries).expect("bounded above");
    let directory = Directory::new(directory, limit);
    let word = |index: u64| memory.word(index * WORD);
    word(header::BASE).store(BASE, Ordering::Relaxed);
    word(header::EPOCH).store(epoch.now(), Ordering::Relaxed);
    word(header::DIRECTORY).store(directory.pointer(), Ordering::Relaxed);
    word(header::VERSION).store(VERSION, Ordering::Release);
    Ok(Core {
        memory,
        epoch,
        beat: Cell::new(0),
        state: RefCell::new(State {
            allocator,
            directory,
            color: 0,
        }),
    })
}

fn fixed_scalar(core: &Rc<Core>, name: &str) -> Result<Gauge, CreateError> {
    let too_small = |_| CreateError::Config("the size is too small for the first entries");
    let name = Name::new(name).map_err(too_small)?;
    let key = core
        .insert(name, Payload::Value(EntryKind::Scalar))
        .map_err(too_small)?;
    let state = core.state.borrow();
    let slot = state
        .directory
        .slot(key)
        .expect("numbers have a value word");
    Ok(Gauge::new(key, Arc::clone(slot)))
}
