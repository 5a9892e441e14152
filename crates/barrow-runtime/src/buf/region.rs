//! The process-wide address range, the pools in it, and the way home for foreign buffers.
//!
//! The range is cut into granules of 2 MiB, and a pool owns a run of them. A table with one word a
//! granule tells the room size of the slots there, so that a handle alone yields a bounded slice
//! whichever pool it came from. The table's hot part is a line or two.

use core::cell::UnsafeCell;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU32, Ordering};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use rustix::io;

use super::memory::{self, Huge, Pages};
use super::slot::LINE;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("buffers reserve more address space than a 32-bit process has");

/// Bytes a granule.
pub(super) const GRANULE: usize = 2 << 20;
/// From an index to its granule.
const GRANULE_SHIFT: u32 = (GRANULE / LINE).trailing_zeros();
/// All that 32-bit indexes of 64 bytes can reach: 256 GiB.
const GRANULES: usize = 1 << (u32::BITS - GRANULE_SHIFT);
/// The least reservation worth having, for processes with a limit on address space.
const LEAST_GRANULES: usize = 1 << 9;

/// Start of the region; written once, under the lock, before the first index exists.
struct Base(UnsafeCell<*mut u8>);
// SAFETY: the one write happens before any index is made, and every reader has got an index, which
// came to it through synchronisation from the thread that made it; so write and reads never race.
unsafe impl Sync for Base {}
static BASE: Base = Base(UnsafeCell::new(core::ptr::null_mut()));

/// Room size of the slots in each granule.
static ROOMS: [AtomicU32; GRANULES] = [const { AtomicU32::new(0) }; GRANULES];

static STATE: Mutex<State> = Mutex::new(State {
    granules: 0,
    free: Vec::new(),
    homes: BTreeMap::new(),
    orphans: 0,
});

struct State {
    /// Size of the reservation; 0 before it is made.
    granules: u32,
    /// Runs of unused granules, by start, never adjacent.
    free: Vec<Run>,
    /// Pools by first granule.
    homes: BTreeMap<u32, Home>,
    /// Pools that ended with buffers still out.
    orphans: usize,
}

/// A pool as the region sees it.
struct Home {
    run: Run,
    /// Gone when the pool and its caches are dropped.
    pool: Weak<dyn TakeHome>,
    /// Set once the pool is gone: slots still out.
    missing: Option<usize>,
    /// Slots that came back while the pool was going.
    late: usize,
}

/// Takes indexes back that were freed elsewhere.
pub(super) trait TakeHome: Send + Sync {
    /// `index` is a slot of this pool that nobody else knows.
    fn take_home(&self, index: NonZeroU32);
}

/// Granules `[start, start + len)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    start: u32,
    len: u32,
}

impl Run {
    /// First index in it.
    pub(super) fn first_index(self) -> NonZeroU32 {
        NonZeroU32::new(self.start << GRANULE_SHIFT).expect("granule 0 is never given out")
    }

    fn bytes(self) -> usize {
        self.len as usize * GRANULE
    }
}

/// Address of an index.
///
/// # Safety
/// The caller holds an index that this module's runs cover.
#[inline(always)]
pub(super) unsafe fn address(index: NonZeroU32) -> *mut u8 {
    // SAFETY: see `Base`: the one write happened before the index was made.
    let base = unsafe { *BASE.0.get() };
    // SAFETY: the index lies in the reservation, so the sum stays within it.
    unsafe { base.add(index.get() as usize * LINE) }
}

/// Room size of the slot at an index; 0 where no pool is.
#[inline(always)]
pub(super) fn room(index: NonZeroU32) -> usize {
    ROOMS[(index.get() >> GRANULE_SHIFT) as usize].load(Ordering::Relaxed) as usize
}

/// Commits memory for a pool of `bytes` with slots of this room size.
pub(super) fn open(bytes: usize, room: usize, pages: Pages) -> io::Result<Run> {
    let len = u32::try_from(bytes.div_ceil(GRANULE)).map_err(|_| io::Errno::NOMEM)?;
    let room = u32::try_from(room).map_err(|_| io::Errno::INVAL)?;
    let mut state = lock();
    state.reserve()?;
    let run = state.commit(len, pages)?;
    for granule in run.start..run.start + run.len {
        ROOMS[granule as usize].store(room, Ordering::Relaxed);
    }
    Ok(run)
}

/// Notes who takes the indexes of a run home.
pub(super) fn settle(run: Run, pool: Weak<dyn TakeHome>) {
    lock().homes.insert(
        run.start,
        Home {
            run,
            pool,
            missing: None,
            late: 0,
        },
    );
}

/// Prefaults the memory of a run.
pub(super) fn populate(run: Run) {
    // SAFETY: the run is committed, so its first index is covered and all its bytes are mapped.
    unsafe { memory::populate(address(run.first_index()), run.bytes()) };
}

/// Ends a pool that misses this many slots: its memory is returned now, or when the last of them is
/// home.
pub(super) fn close(run: Run, missing: usize) {
    let mut state = lock();
    let Some(home) = state.homes.get_mut(&run.start) else {
        return;
    };
    let missing = missing - home.late;
    if missing > 0 {
        home.missing = Some(missing);
        state.orphans += 1;
    } else {
        state.release(run);
    }
}

/// Gives an index back to the pool it came from, whichever that is.
pub(super) fn send_home(index: NonZeroU32) {
    let mut state = lock();
    let granule = index.get() >> GRANULE_SHIFT;
    let (_, home) = state
        .homes
        .range_mut(..=granule)
        .next_back()
        .expect("an index is within the run of its pool");
    match &mut home.missing {
        Some(missing) => {
            *missing -= 1;
            if *missing == 0 {
                let run = home.run;
                state.orphans -= 1;
                state.release(run);
            }
        }
        None => match home.pool.upgrade() {
            Some(pool) => {
                drop(state); // `pool` may be the last owner, whose drop takes the lock
                pool.take_home(index);
            }
            None => home.late += 1,
        },
    }
}

/// Pools that were dropped while buffers of theirs were out, and still are.
///
/// Not an error as such (a handle may outlive its pool), but at the end of a test it names a leak.
pub fn orphans() -> usize {
    lock().orphans
}

fn lock() -> MutexGuard<'static, State> {
    // Nothing under the lock panics half way through a change.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Makes the reservation, once; smaller where the process may not have the full one.
    fn reserve(&mut self) -> io::Result<()> {
        if self.granules > 0 {
            return Ok(());
        }
        let mut granules = GRANULES;
        let start = loop {
            match memory::reserve((granules + 1) * GRANULE) {
                Ok(start) => break start,
                Err(_) if granules > LEAST_GRANULES => granules /= 2,
                Err(error) => return Err(error),
            }
        };
        let base = start.wrapping_add(start.align_offset(GRANULE));
        // SAFETY: `granules` is 0, so no index exists and nobody reads the base; the lock excludes
        // other writers.
        unsafe { *BASE.0.get() = base };
        self.granules = u32::try_from(granules).expect("at most 2^17");
        // Granule 0 is left out, so that no index is 0.
        self.free.push(Run {
            start: 1,
            len: self.granules - 1,
        });
        Ok(())
    }

    fn commit(&mut self, len: u32, pages: Pages) -> io::Result<Run> {
        let mut run = self.take(len)?;
        if pages == Pages::HugeIfAvailable {
            // SAFETY: the run was free, so it is reserved, aligned, and in nobody's use.
            match unsafe { memory::commit_huge(address(run.first_index()), run.bytes()) } {
                Huge::Mapped => return Ok(run),
                Huge::Unavailable => {}
                // Those addresses are given up: there are plenty, and they may be somebody else's
                // by now.
                Huge::Lost => run = self.take(len)?,
            }
        }
        // SAFETY: as above.
        match unsafe { memory::commit_normal(address(run.first_index()), run.bytes()) } {
            Ok(()) => Ok(run),
            Err(error) => {
                self.put(run);
                Err(error)
            }
        }
    }

    /// Returns the memory of a run without indexes outside, and makes its addresses free.
    fn release(&mut self, run: Run) {
        self.homes.remove(&run.start);
        // SAFETY: all slots of the pool are home and the pool is gone, so nothing refers to the
        // run.
        let returned = unsafe { memory::decommit(address(run.first_index()), run.bytes()) };
        // Where the kernel refuses (too many mappings), the addresses stay taken; the next pool
        // uses others.
        if returned.is_ok() {
            self.put(run);
        }
    }

    /// First fit.
    fn take(&mut self, len: u32) -> io::Result<Run> {
        let at = self
            .free
            .iter()
            .position(|run| run.len >= len)
            .ok_or(io::Errno::NOMEM)?;
        let start = self.free[at].start;
        if self.free[at].len == len {
            self.free.remove(at);
        } else {
            self.free[at] = Run {
                start: start + len,
                len: self.free[at].len - len,
            };
        }
        Ok(Run { start, len })
    }

    fn put(&mut self, run: Run) {
        let at = self.free.partition_point(|free| free.start < run.start);
        self.free.insert(at, run);
        self.merge(at);
        if at > 0 {
            self.merge(at - 1);
        }
    }

    /// Joins the free run at this place with the next one where they touch.
    fn merge(&mut self, at: usize) {
        if let [a, b, ..] = self.free[at..]
            && a.start + a.len == b.start
        {
            self.free[at].len += b.len;
            self.free.remove(at + 1);
        }
    }
}

#[cfg(test)]
#[cfg(not(barrow_loom))]
mod tests {
    use super::*;

    fn state(len: u32) -> State {
        State {
            granules: len,
            free: vec![Run { start: 1, len }],
            homes: BTreeMap::new(),
            orphans: 0,
        }
    }

    #[test]
    fn runs_put_back_in_any_order_merge_to_one() {
        let mut state = state(100);
        let runs: Vec<_> = [3, 7, 1, 20, 9].map(|len| state.take(len).unwrap()).into();
        for at in [2, 0, 4, 1, 3] {
            state.put(runs[at]);
        }
        assert_eq!(state.free, [Run { start: 1, len: 100 }]);
    }

    #[test]
    fn a_run_that_does_not_fit_is_refused() {
        let mut state = state(4);
        state.take(3).unwrap();
        assert_eq!(state.take(2), Err(io::Errno::NOMEM));
        assert!(state.take(1).is_ok());
    }

    #[test]
    fn every_index_has_a_place_in_the_table() {
        assert_eq!((u32::MAX >> GRANULE_SHIFT) as usize, GRANULES - 1);
    }
}
