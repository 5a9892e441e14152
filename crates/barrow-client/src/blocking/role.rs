//! Who drives: one of those who wait, else the keeper.

use super::driver::Driver;
use super::ring;
use rustix::fd::OwnedFd;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long nobody must have waited for the keeper to take over: a thread that makes one call after the other drives
/// all of them.
const IDLE: Duration = Duration::from_millis(10);

/// The longest pause of the keeper.
const LONG: Duration = Duration::from_secs(1);

/// The driver, for whoever gets it.
///
/// Invariant: while somebody waits, somebody drives or is about to. Who stops driving passes it on to one of the
/// others who wait; who begins to wait and finds nobody driving drives.
pub(super) struct Role {
    driver: Mutex<Driver>,
    bell: Arc<OwnedFd>,
    /// Those who wait and do not drive.
    queue: Mutex<VecDeque<Arc<Woken>>>,
    /// How many wait.
    waiting: AtomicUsize,
    /// How often somebody began to wait.
    waits: AtomicU64,
    /// Whether the keeper is inside a turn and has to be rung out of it.
    keeper_drives: AtomicBool,
    over: AtomicBool,
}

impl Role {
    pub(super) fn new(driver: Driver, bell: Arc<OwnedFd>) -> Self {
        Self {
            driver: Mutex::new(driver),
            bell,
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            waits: AtomicU64::new(0),
            keeper_drives: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    /// Drives when nobody waits; until the connection is over.
    pub(super) fn keep(&self) {
        let mut seen = self.waits.load(Ordering::SeqCst);
        let mut pause = IDLE;
        while !self.over.load(Ordering::SeqCst) {
            let waits = self.waits.load(Ordering::SeqCst);
            let new = waits != seen;
            seen = waits;
            if !new && self.waiting.load(Ordering::SeqCst) == 0 {
                self.keep_driving();
                pause = IDLE;
                continue;
            }
            // One long wait, for events say, drives by itself: there is no need to look often.
            pause = if new { IDLE } else { (2 * pause).min(LONG) };
            thread::sleep(pause);
        }
    }

    fn keep_driving(&self) {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        self.keeper_drives.store(true, Ordering::SeqCst);
        // Whoever begins to wait after this was read finds the flag set and rings.
        while self.waiting.load(Ordering::SeqCst) == 0 && !self.over.load(Ordering::SeqCst) {
            self.turn(&mut driver);
        }
        self.keeper_drives.store(false, Ordering::SeqCst);
        drop(driver);
        self.pass_on();
    }

    /// Waits until `done` gives something, which it is asked each time `woken` was woken.
    pub(super) fn wait<T>(&self, woken: &Arc<Woken>, mut done: impl FnMut() -> Option<T>) -> T {
        self.waits.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if self.keeper_drives.load(Ordering::SeqCst) {
            ring(&self.bell);
        }
        let _waiting = Waiting(self);
        loop {
            if woken.take() {
                if let Some(result) = done() {
                    return result;
                }
                continue;
            }
            let Some(driver) = self.try_drive() else {
                self.queue().push_back(Arc::clone(woken));
                // It may have been given up before this thread was seen in the queue.
                match self.try_drive() {
                    Some(driver) => {
                        self.leave_queue(woken);
                        self.drive(driver, woken);
                    }
                    None => {
                        woken.park_unless_woken();
                        self.leave_queue(woken);
                    }
                }
                continue;
            };
            self.drive(driver, woken);
        }
    }

    fn drive(&self, mut driver: MutexGuard<'_, Driver>, woken: &Woken) {
        while !woken.is_woken() {
            if !self.turn(&mut driver) {
                break;
            }
        }
        drop(driver);
        self.pass_on();
        if self.over.load(Ordering::SeqCst) && !woken.is_woken() {
            // Nothing will come any more by this connection; something else may wake.
            woken.park_unless_woken();
        }
    }

    fn turn(&self, driver: &mut Driver) -> bool {
        let goes_on = driver.turn();
        if !goes_on {
            self.over.store(true, Ordering::SeqCst);
        }
        goes_on
    }

    /// Has one of those who wait drive.
    fn pass_on(&self) {
        if let Some(next) = self.queue().front() {
            next.passed.store(true, Ordering::SeqCst);
            next.thread.unpark();
        }
    }

    fn try_drive(&self) -> Option<MutexGuard<'_, Driver>> {
        match self.driver.try_lock() {
            Ok(driver) => Some(driver),
            Err(TryLockError::Poisoned(driver)) => Some(driver.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Arc<Woken>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave_queue(&self, woken: &Arc<Woken>) {
        self.queue().retain(|other| !Arc::ptr_eq(other, woken));
        woken.passed.store(false, Ordering::SeqCst);
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// One that waits; also when it leaves by a panic.
struct Waiting<'a>(&'a Role);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
        // The driving may have been passed on to a thread that was woken before it took it.
        if self.0.try_drive().is_some() {
            self.0.pass_on();
        }
    }
}

/// A thread that can be woken.
pub(super) struct Woken {
    thread: Thread,
    woken: AtomicBool,
    /// The driving was passed on to it.
    passed: AtomicBool,
}

impl Woken {
    /// This thread's, with its waker.
    pub(super) fn with<R>(f: impl FnOnce(&Arc<Self>, &Waker) -> R) -> R {
        thread_local! {
            static THIS: (Arc<Woken>, Waker) = {
                let woken = Arc::new(Woken {
                    thread: thread::current(),
                    woken: AtomicBool::new(false),
                    passed: AtomicBool::new(false),
                });
                (Arc::clone(&woken), woken.into())
            };
        }
        THIS.with(|(woken, waker)| f(woken, waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    fn take(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    /// Waits to be woken.
    pub(super) fn park(&self) {
        while !self.take() {
            thread::park();
        }
    }

    fn park_unless_woken(&self) {
        while !self.is_woken() && !self.passed.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
