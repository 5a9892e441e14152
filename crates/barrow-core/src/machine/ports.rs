//! The two traits a driver joins.

use std::task::Waker;

use crate::Instant;

/// A protocol as a state machine without clock, socket or thread.
///
/// The order of calls, which [`Driver`](super::Driver) keeps: outputs are drained before each
/// input; `handle_timeout` is called when `poll_timeout` is due, also while outputs wait for
/// credit; after `handle_shutdown` the machine finishes within its own deadlines.
///
/// Not dyn-compatible (its input may borrow): hosts are generic over it, and a scheduler sees the
/// driver as a [`Unit`](crate::Unit).
pub trait Machine {
    /// What comes in; may borrow from a socket's buffer.
    type Input<'a>;
    /// What goes out.
    type Output;

    /// Takes an input. Only after `poll_output` has returned `None`.
    fn handle_input(&mut self, now: Instant, input: Self::Input<'_>);

    /// The instant told by `poll_timeout` has come; the machine moves it.
    fn handle_timeout(&mut self, now: Instant);

    /// Say goodbye, then finish.
    fn handle_shutdown(&mut self, now: Instant) {
        let _ = now;
    }

    /// The next output; `None` when there is none for now.
    fn poll_output(&mut self, now: Instant) -> Option<Self::Output>;

    /// When `handle_timeout` is wanted. O(1), without effect.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Whether nothing will ever come out again.
    fn is_finished(&self) -> bool {
        false
    }
}

/// A boxed machine is one, so that a large kind can stand in an enum of small ones.
impl<M: Machine> Machine for Box<M> {
    type Input<'a> = M::Input<'a>;
    type Output = M::Output;
    fn handle_input(&mut self, now: Instant, input: Self::Input<'_>) {
        (**self).handle_input(now, input);
    }
    fn handle_timeout(&mut self, now: Instant) {
        (**self).handle_timeout(now);
    }
    fn handle_shutdown(&mut self, now: Instant) {
        (**self).handle_shutdown(now);
    }
    fn poll_output(&mut self, now: Instant) -> Option<Self::Output> {
        (**self).poll_output(now)
    }
    fn poll_timeout(&self) -> Option<Instant> {
        (**self).poll_timeout()
    }
    fn is_finished(&self) -> bool {
        (**self).is_finished()
    }
}

/// What became of an output.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutput<T> {
    /// It is on its way.
    Pushed,
    /// No credit: keep it; the unit will be woken when there is some.
    Blocked(T),
    /// The other side is gone for ever: the output is dropped and the machine shut down.
    Closed,
}

/// Where one machine meets its sockets, handoffs and channels.
pub trait Ports<M: Machine> {
    /// Lends one input to `give`. False: nothing is there, and the unit will be woken when
    /// something is.
    fn next_input(&mut self, give: impl FnOnce(M::Input<'_>)) -> bool;

    /// Passes an output on.
    fn push(&mut self, output: M::Output) -> PushOutput<M::Output>;

    /// Notes whom to wake; called before inputs are looked at.
    fn register(&mut self, waker: &Waker);
}
