//! A process node as a unit: starts it, polls it, starts it again.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use super::{
    Exit, ProcessContext, ProcessNode, ProcessState, ProcessStatus, Restart, shared::Shared,
};
use crate::{ErrorCounters, Instant, Spawner, Unit, UnitContext, Waits, Work};

type Run = Pin<Box<dyn Future<Output = Exit>>>;

pub(crate) struct ProcessUnit {
    name: &'static str,
    start: Box<dyn FnMut() -> Run>,
    run: Option<Run>,
    started: Instant,
    restart: Restart,
    restart_at: Option<Instant>,
    shared: Rc<Shared>,
}

impl ProcessUnit {
    pub(crate) fn new<N: ProcessNode>(
        spawner: &Spawner,
        restart: Restart,
        mut make: impl FnMut() -> N + 'static,
    ) -> (Self, ProcessStatus) {
        let shared = Rc::new(Shared::new(spawner.clone(), N::Errors::COUNTERS));
        let status = ProcessStatus::new(N::NAME, shared.clone());
        let inner = shared.clone();
        let start = Box::new(move || -> Run {
            let (node, cx) = (make(), ProcessContext::new(inner.clone()));
            Box::pin(async move { node.run(cx).await.into() })
        });
        let unit = Self {
            name: N::NAME.to_str().unwrap_or("process"),
            start,
            run: None,
            started: Instant::ZERO,
            restart,
            restart_at: None,
            shared,
        };
        (unit, status)
    }

    /// A run has ended: what next?
    fn ended(&mut self, now: Instant, exit: Exit) -> Work {
        self.run = None; // its destructors run now
        let failure = exit.is_failure();
        if let Exit::Failed(_) = exit {
            self.shared.spawner.report_failure(exit.clone());
        }
        self.shared.exit.replace(Some(exit));
        match &mut self.restart {
            _ if self.shared.stop.is_asked() && failure => {
                self.shared.state.set(ProcessState::Failed);
                Work::Failed
            }
            _ if !failure => {
                self.shared.state.set(ProcessState::Finished);
                Work::Done
            }
            Restart::Never => {
                self.shared.state.set(ProcessState::Failed);
                Work::Failed
            }
            Restart::OnFailure => {
                self.shared.state.set(ProcessState::Ready);
                Work::More
            }
            Restart::AfterBackoff(backoff) => {
                if now.saturating_since(self.started) > backoff.max() {
                    backoff.reset();
                }
                self.restart_at = Some(now + backoff.advance());
                self.shared.state.set(ProcessState::Restarting);
                Work::Idle
            }
        }
    }
}

impl Unit for ProcessUnit {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        if self.run.is_none() && self.shared.stop.is_asked() {
            return Work::Done;
        }
        if self.restart_at.is_some_and(|at| cx.now < at) {
            return Work::Idle;
        }
        self.restart_at = None;
        self.shared.state.set(ProcessState::Running);
        let run = match &mut self.run {
            Some(run) => run,
            None => {
                bump(&self.shared.starts);
                self.started = cx.now;
                self.run.insert((self.start)())
            }
        };
        bump(&self.shared.polls);
        Waits::take(); // what others noted is not this node's
        match run.as_mut().poll(&mut Context::from_waker(cx.waker)) {
            Poll::Pending => {
                bump(&self.shared.suspends);
                self.shared.waits.set(Waits::take());
                self.shared.state.set(ProcessState::Waiting);
                Work::Idle
            }
            Poll::Ready(exit) => self.ended(cx.now, exit),
        }
    }

    /// Its sleeps are timers of their own; this is for restarts alone.
    fn next_deadline(&self) -> Option<Instant> {
        self.restart_at
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn shutdown(&mut self, _: Instant) {
        self.shared.stop.ask();
    }

    fn panicked(&mut self, now: Instant, message: &str) -> Work {
        self.ended(now, Exit::Panicked(message.to_owned()))
    }
}

impl Drop for ProcessUnit {
    fn drop(&mut self) {
        self.run = None; // first: its destructors may look at the state
        if !matches!(
            self.shared.state.get(),
            ProcessState::Finished | ProcessState::Failed
        ) {
            self.shared.state.set(ProcessState::Removed);
        }
    }
}

fn bump(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}
