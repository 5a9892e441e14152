//! One machine on top of another.

use std::collections::VecDeque;

use super::Machine;
use crate::Instant;

/// A side of a [`Stack`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer<U, L> {
    /// The machine on top: closer to the application.
    Upper(U),
    /// The machine below: closer to the wire.
    Lower(L),
}

/// How two machines of a stack fit together: for each output, whether it goes to the other layer
/// or leaves the stack.
pub trait Joint<U: Machine, L: Machine> {
    /// What leaves the stack.
    type Output;

    /// Something came out of the lower machine: hand it `up`, or return what leaves the stack.
    fn rise(&mut self, output: L::Output, up: impl FnOnce(U::Input<'_>)) -> Option<Self::Output>;

    /// Something came out of the upper machine: hand it `down`, or return what leaves the stack.
    fn sink(&mut self, output: U::Output, down: impl FnOnce(L::Input<'_>)) -> Option<Self::Output>;
}

/// Two machines as one: what one says may be input of the other (a protocol over its transport,
/// requests over a session, a session over its framing).
///
/// Each layer is drained before it gets an input, as [`Machine`] asks. To get there, what the lower
/// machine says while the upper one is busy waits inside; that is bounded by what the lower one
/// says in answer to one round of the upper one's outputs. The upper machine is told to shut down
/// first; the lower one when the upper has finished. If the lower one finishes first, a connection
/// lost, the upper one is told.
///
/// ```
/// use barrow_core::{Instant, Machine, machine::{Joint, Layer, Stack}};
///
/// /// Splits bytes into lines, and ends what it sends with a newline.
/// #[derive(Default)]
/// struct Lines { buffer: String, out: Option<String> }
/// enum LinesIn<'a> { Bytes(&'a str), Send(&'a str) }
/// impl Machine for Lines {
///     type Input<'a> = LinesIn<'a>;
///     type Output = String;
///     fn handle_input(&mut self, _: Instant, input: LinesIn<'_>) {
///         match input {
///             LinesIn::Bytes(bytes) => self.buffer.push_str(bytes),
///             LinesIn::Send(line) => self.out = Some(format!("{line}\n")),
///         }
///     }
///     fn handle_timeout(&mut self, _: Instant) {}
///     fn poll_output(&mut self, _: Instant) -> Option<String> {
///         let line = self.buffer.find('\n').map(|end| self.buffer.drain(..=end).collect());
///         self.out.take().or(line)
///     }
///     fn poll_timeout(&self) -> Option<Instant> { None }
/// }
///
/// /// Answers a line with its length.
/// #[derive(Default)]
/// struct Lengths(Option<usize>);
/// impl Machine for Lengths {
///     type Input<'a> = &'a str;
///     type Output = usize;
///     fn handle_input(&mut self, _: Instant, line: &str) { self.0 = Some(line.trim_end().len()); }
///     fn handle_timeout(&mut self, _: Instant) {}
///     fn poll_output(&mut self, _: Instant) -> Option<usize> { self.0.take() }
///     fn poll_timeout(&self) -> Option<Instant> { None }
/// }
///
/// /// What was asked for goes up once, what was answered goes to the wire.
/// #[derive(Default)]
/// struct Wiring { answering: bool }
/// impl Joint<Lengths, Lines> for Wiring {
///     type Output = String;
///     fn rise(&mut self, line: String, up: impl FnOnce(&str)) -> Option<String> {
///         if std::mem::take(&mut self.answering) { return Some(line); }
///         up(&line);
///         None
///     }
///     fn sink(&mut self, length: usize, down: impl FnOnce(LinesIn<'_>)) -> Option<String> {
///         self.answering = true;
///         down(LinesIn::Send(&length.to_string()));
///         None
///     }
/// }
///
/// let now = Instant::ZERO;
/// let mut stack = Stack::new(Lengths::default(), Lines::default(), Wiring::default());
/// stack.handle_input(now, Layer::Lower(LinesIn::Bytes("vector\n")));
/// assert_eq!(stack.poll_output(now).as_deref(), Some("6\n"));
/// ```
#[derive(Debug)]
pub struct Stack<U: Machine, L: Machine, J> {
    upper: U,
    lower: L,
    joint: J,
    /// What the lower machine said before the upper one was drained; older than what it says next.
    rising: VecDeque<L::Output>,
    /// The upper machine was told to finish; it is told once.
    upper_told: bool,
    /// The lower machine was told to finish; it is told once.
    lower_told: bool,
}

impl<U: Machine, L: Machine, J: Joint<U, L>> Stack<U, L, J> {
    /// Puts `upper` on top of `lower`.
    pub fn new(upper: U, lower: L, joint: J) -> Self {
        Self {
            upper,
            lower,
            joint,
            rising: VecDeque::new(),
            upper_told: false,
            lower_told: false,
        }
    }

    /// The machine on top.
    pub fn upper(&self) -> &U {
        &self.upper
    }

    /// The machine below.
    pub fn lower(&self) -> &L {
        &self.lower
    }

    fn tell_upper(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.upper_told, true) {
            self.upper.handle_shutdown(now);
        }
    }

    /// Passes the end of one layer on to the other; true if that may have caused an output.
    fn pass_ends(&mut self, now: Instant) -> bool {
        if self.upper.is_finished() && !self.lower_told {
            self.lower_told = true;
            self.lower.handle_shutdown(now);
            return true;
        }
        if self.lower.is_finished() && !self.upper_told {
            self.tell_upper(now);
            return true;
        }
        false
    }
}

impl<U: Machine, L: Machine, J: Joint<U, L>> Machine for Stack<U, L, J> {
    type Input<'a> = Layer<U::Input<'a>, L::Input<'a>>;
    type Output = J::Output;

    fn handle_input(&mut self, now: Instant, input: Self::Input<'_>) {
        match input {
            Layer::Upper(input) => self.upper.handle_input(now, input),
            Layer::Lower(input) => self.lower.handle_input(now, input),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.lower.poll_timeout()) {
            self.lower.handle_timeout(now);
        }
        if due(self.upper.poll_timeout()) {
            self.upper.handle_timeout(now);
        }
    }

    fn handle_shutdown(&mut self, now: Instant) {
        self.tell_upper(now);
    }

    fn poll_output(&mut self, now: Instant) -> Option<J::Output> {
        let Self {
            upper,
            lower,
            joint,
            rising,
            ..
        } = self;
        loop {
            let left = if let Some(output) = upper.poll_output(now) {
                // It may go down: the lower machine has to be drained first.
                rising.extend(std::iter::from_fn(|| lower.poll_output(now)));
                joint.sink(output, |input| lower.handle_input(now, input))
            } else if let Some(output) = rising.pop_front().or_else(|| lower.poll_output(now)) {
                joint.rise(output, |input| upper.handle_input(now, input))
            } else {
                break;
            };
            if left.is_some() {
                return left;
            }
        }
        self.pass_ends(now).then(|| self.poll_output(now)).flatten()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.upper.poll_timeout(), self.lower.poll_timeout()];
        deadlines.into_iter().flatten().min()
    }

    fn is_finished(&self) -> bool {
        self.upper.is_finished() && self.lower.is_finished() && self.rising.is_empty()
    }
}
