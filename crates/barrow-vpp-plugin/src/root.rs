//! The future that hosts a scheduler.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use barrow_core::{Instant, Next, Scheduler};

use crate::RootBell;

/// What the root needs of the process it lives in.
pub trait Host {
    /// Its timer; may end up to a millisecond early, and need not use its waker: the root polls it whenever
    /// it is polled.
    type Sleep: Future<Output = ()>;

    /// The time since some moment in the past.
    fn now(&self) -> Instant;

    /// A timer of at most [`HEARTBEAT`] and a millisecond. Called inside a poll.
    fn sleep(&self, delay: Duration) -> Self::Sleep;
}

/// The longest time that the root waits without a look at everything: bounds the loss of a wake, and keeps the
/// host's timers where they work.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// The host's timers count whole milliseconds and round down: asked for one more, they are never early.
const ROUNDING: Duration = Duration::from_millis(1);
/// Turns in one poll: the host has other things to do.
const TURNS: u32 = 8;
/// Calls of units in one turn.
const BUDGET: u32 = 64;

/// Hosts `scheduler`: never ends. `after_turn` runs after each turn, for what the host has to be told
/// (counters, failures).
pub async fn root<H: Host>(
    host: H,
    bell: RootBell,
    scheduler: Scheduler,
    after_turn: impl FnMut(&mut Scheduler),
) {
    let mut root = Root {
        host,
        bell,
        scheduler,
        after_turn,
        armed: None,
    };
    poll_fn(move |cx| root.poll(cx)).await
}

struct Root<H: Host, F> {
    host: H,
    bell: RootBell,
    scheduler: Scheduler,
    after_turn: F,
    armed: Option<Armed<H::Sleep>>,
}

/// The host's only timer.
struct Armed<S> {
    sleep: Pin<Box<S>>,
    at: Instant,
}

impl<H: Host, F: FnMut(&mut Scheduler)> Root<H, F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Before the first turn: a wake from now on is either seen by a turn, or rings.
        self.bell.listen(cx.waker());
        for _ in 0..TURNS {
            let next = self.scheduler.turn(self.host.now(), BUDGET);
            (self.after_turn)(&mut self.scheduler);
            if let Next::Park { until } = next
                && self.wait(until, cx)
            {
                return Poll::Pending;
            }
        }
        // There is more to do, after the host's other processes.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Arms the host's timer; false if there is something to do already.
    fn wait(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let now = self.host.now();
        let rest = until.map_or(HEARTBEAT, |until| until.saturating_since(now));
        let rest = rest.min(HEARTBEAT) + ROUNDING;
        let at = now + rest;
        // One that ends sooner than needed is left: the next poll arms another.
        let keeps = self
            .armed
            .as_ref()
            .is_some_and(|armed| now < armed.at && armed.at <= at);
        if !keeps {
            let sleep = Box::pin(self.host.sleep(rest));
            self.armed = Some(Armed { sleep, at });
        }
        let ended = self
            .armed
            .as_mut()
            .is_some_and(|armed| armed.sleep.as_mut().poll(cx).is_ready());
        if ended {
            self.armed = None;
        }
        !ended
    }
}
