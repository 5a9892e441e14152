//! The trait, and how a node ends.

use std::{error::Error, ffi::CStr, fmt, future::Future};

use super::ProcessContext;
use crate::{ErrorCounters, NextNodes};

/// One coroutine of a host's control plane.
///
/// The node is consumed by its run; a restart makes a new one. Neither the node nor its future
/// need be `Send`; a host that starts nodes on another thread asks for a `Send` factory.
/// The attribute [`process_node`](crate::process_node) writes the implementation for an
/// `async fn`.
///
/// ```
/// use barrow_core::{
///     ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode,
///     channel::{Receiver, bounded},
///     testing::Simulation,
/// };
/// use std::ffi::CStr;
///
/// #[derive(Clone, Copy, ErrorCounters)]
/// enum Errors {
///     #[error_counter(description = "events seen", severity = INFO)]
///     Events,
/// }
///
/// struct Watcher {
///     events: Receiver<u32>,
/// }
///
/// impl ProcessNode for Watcher {
///     const NAME: &'static CStr = c"watcher";
///     type NextNodes = NoNext;
///     type Errors = Errors;
///
///     async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
///         while let Some(_event) = self.events.recv().await {
///             cx.count(Errors::Events, 1);
///         }
///         Ok(())
///     }
/// }
///
/// let mut simulation = Simulation::new();
/// let (sender, events) = bounded(8);
/// let (_, status) = simulation.scheduler().start_process(Watcher { events });
/// sender.try_send(1).expect("there is room");
/// sender.try_send(2).expect("there is room");
/// simulation.settle();
/// assert_eq!(status.counter(Errors::Events.slot()), 2);
/// ```
pub trait ProcessNode: Sized + 'static {
    /// Its name in listings; a C string, so that a C host takes the pointer as it is.
    const NAME: &'static CStr;
    /// Where it may send packets; [`NoNext`](crate::NoNext) for most.
    type NextNodes: NextNodes;
    /// What it counts; [`NoErrors`](crate::NoErrors) if nothing.
    type Errors: ErrorCounters;

    /// Runs until the node has nothing left to do.
    fn run(self, cx: ProcessContext<Self>) -> impl Future<Output = Result<(), ProcessError>>;
}

/// How a run of a node ended; what the restart policy looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It returned `Ok`.
    Finished,
    /// It returned this error.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
}

impl Exit {
    /// Whether the run ended badly.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        *self != Self::Finished
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
        }
    }
}

/// Any error a node ends with; made by `?` or from a text.
#[derive(Debug)]
pub struct ProcessError(Box<dyn Error>);

impl<E: Into<Box<dyn Error>>> From<E> for ProcessError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for ProcessError {
    /// The error and its causes, separated by colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl From<Result<(), ProcessError>> for Exit {
    fn from(result: Result<(), ProcessError>) -> Self {
        match result {
            Ok(()) => Self::Finished,
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}
