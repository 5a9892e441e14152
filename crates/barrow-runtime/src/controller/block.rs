//! Waiting on a plain thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::sys::Clock;

/// Unparks a thread, once between two looks of it.
struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

thread_local! {
    /// One for each thread that ever waits, so that waiting allocates nothing.
    static UNPARK: Arc<Unpark> = Arc::new(Unpark {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
}

/// Runs a future to its end on this thread, which sleeps in between.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let sleep = || {
        thread::park();
        true
    };
    wait(future, sleep).expect("it is waited for without limit")
}

/// As [`block_on`], for at most `limit`.
pub(super) fn block_on_for<F: Future>(
    clock: &Clock,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let end = clock.now() + limit;
    wait(future, || {
        let left = end.saturating_since(clock.now());
        if left.is_zero() {
            return false;
        }
        thread::park_timeout(left);
        true
    })
}

/// Polls, and sleeps while it is pending, until `sleep` says that the time is over.
fn wait<F: Future>(future: F, sleep: impl Fn() -> bool) -> Option<F::Output> {
    UNPARK.with(|unpark| {
        let waker = Waker::from(unpark.clone());
        let mut future = pin!(future);
        loop {
            unpark.woken.store(false, Ordering::Release);
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(value) = polled {
                // Somebody may wait around this: it looks again.
                unpark.woken.store(true, Ordering::Release);
                return Some(value);
            }
            // Spurious wakes of the thread do no harm; a wake before the sleep ends it at once.
            while !unpark.woken.load(Ordering::Acquire) {
                if !sleep() {
                    return None;
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barrow_core::channel::bounded;

    #[test]
    fn a_thread_waits_for_what_another_sends() {
        let (sender, mut receiver) = bounded(1);
        let thread = thread::spawn(move || {
            (0..1_000).for_each(|n| block_on(sender.send(n)).unwrap());
        });
        for n in 0..1_000 {
            assert_eq!(block_on(receiver.recv()), Some(n));
        }
        thread.join().unwrap();
    }

    #[test]
    fn a_limit_ends_the_wait_and_not_before_a_last_look() {
        let clock = Clock::new();
        let never = std::future::pending::<()>();
        assert_eq!(block_on_for(&clock, Duration::from_millis(2), never), None);
        assert_eq!(block_on_for(&clock, Duration::ZERO, async { 7 }), Some(7));
    }
}
