//! The only code that calls a machine in a loop.

use super::{Machine, Ports, PushOutput};
use crate::{Instant, Unit, UnitContext, Work};

/// Makes a machine with its ports a unit: drains outputs before each input, holds one output when
/// there is no credit, keeps time.
///
/// Inputs, outputs and timeouts each count one item of the quantum.
///
/// ```
/// use barrow_core::{
///     Driver, Instant, Machine, Ports, PushOutput,
///     handoff::{Pull, Push, PushError, handoff},
///     testing::Simulation,
/// };
/// use std::task::Waker;
///
/// /// Says the length of each word.
/// #[derive(Default)]
/// struct Lengths(Option<usize>);
/// impl Machine for Lengths {
///     type Input<'a> = &'a str;
///     type Output = usize;
///     fn handle_input(&mut self, _: Instant, word: &str) {
///         self.0 = Some(word.len());
///     }
///     fn handle_timeout(&mut self, _: Instant) {}
///     fn poll_output(&mut self, _: Instant) -> Option<usize> {
///         self.0.take()
///     }
///     fn poll_timeout(&self) -> Option<Instant> {
///         None
///     }
/// }
///
/// struct Edge(Pull<&'static str>, Push<usize>);
/// impl Ports<Lengths> for Edge {
///     fn next_input(&mut self, give: impl FnOnce(&str)) -> bool {
///         self.0.pop().map(give).is_some()
///     }
///     fn push(&mut self, length: usize) -> PushOutput<usize> {
///         match self.1.push(length) {
///             Ok(()) => PushOutput::Pushed,
///             Err(PushError::Full(length)) => PushOutput::Blocked(length),
///             Err(PushError::Closed(_)) => PushOutput::Closed,
///         }
///     }
///     fn register(&mut self, waker: &Waker) {
///         self.0.on_items(waker);
///         self.1.on_credit(waker);
///     }
/// }
///
/// let mut simulation = Simulation::new();
/// let (mut words, input) = handoff(4);
/// let (output, mut lengths) = handoff(4);
/// simulation.scheduler().add(Driver::new(Lengths::default(), Edge(input, output)));
/// words.push("vector").expect("there is credit");
/// simulation.settle();
/// assert_eq!(lengths.pop(), Some(6));
/// ```
#[derive(Debug)]
pub struct Driver<M: Machine, P> {
    machine: M,
    ports: P,
    held: Option<M::Output>,
    /// The machine was told to finish; it is told once.
    leaving: bool,
    name: Option<String>,
}

impl<M: Machine, P: Ports<M>> Driver<M, P> {
    /// Joins a machine and its ports.
    pub fn new(machine: M, ports: P) -> Self {
        Self {
            machine,
            ports,
            held: None,
            leaving: false,
            name: None,
        }
    }

    /// The same with a name for listings.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The machine, to be changed between two turns; wake the unit afterwards. An input may be
    /// given this way only when the machine has no outputs.
    pub fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// The ports.
    pub fn ports(&self) -> &P {
        &self.ports
    }

    fn leave(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.machine.handle_shutdown(now);
        }
    }

    /// Passes outputs on until there are none (`None`), or says why it stopped.
    fn flush(&mut self, now: Instant, quantum: &mut u32) -> Option<Work> {
        loop {
            if *quantum == 0 {
                return Some(Work::More);
            }
            let output = self.held.take().or_else(|| self.machine.poll_output(now))?;
            match self.ports.push(output) {
                PushOutput::Pushed => *quantum -= 1,
                PushOutput::Blocked(output) => {
                    self.held = Some(output);
                    return Some(Work::Blocked);
                }
                PushOutput::Closed => {
                    *quantum -= 1;
                    self.leave(now);
                }
            }
        }
    }
}

impl<M: Machine, P: Ports<M>> Unit for Driver<M, P> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        let now = cx.now;
        self.ports.register(cx.waker);
        loop {
            if cx.quantum > 0 && self.machine.poll_timeout().is_some_and(|at| at <= now) {
                cx.quantum -= 1;
                self.machine.handle_timeout(now);
            }
            if let Some(stopped) = self.flush(now, &mut cx.quantum) {
                return stopped;
            }
            if self.machine.is_finished() {
                return Work::Done;
            }
            let machine = &mut self.machine;
            if self
                .ports
                .next_input(|input| machine.handle_input(now, input))
            {
                cx.quantum -= 1; // `flush` stops at zero
            } else if self.machine.poll_timeout().is_none_or(|at| at > now) {
                return Work::Idle;
            }
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| std::any::type_name::<M>().to_owned())
    }

    fn shutdown(&mut self, now: Instant) {
        self.leave(now);
    }
}
