//! Reaching the other threads.

use super::Control;
use crate::context::Declares;
use crate::node::NodeId;
use crate::worker::{Command, ThreadPackets};
use barrow_runtime::io::reactor::Direction;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// The thread or node that was asked is not there (any more).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the thread or node is not available")]
pub struct Unavailable;

impl Control {
    /// Runs `f` on a thread before its next turn; closures run in the order of sending. Harmless if there is
    /// no such thread.
    pub fn on_thread(&self, thread: usize, f: impl FnOnce(&mut ThreadPackets) + Send + 'static) {
        if let Some(mailbox) = self.0.mailboxes.get(thread) {
            mailbox.send(Box::new(f));
        }
    }

    /// As [`on_thread`](Self::on_thread), for a thread's instance of a node; nothing happens if that is
    /// gone, or is no `N`.
    pub fn with_node<N: Declares<K>, K>(
        &self,
        thread: usize,
        node: NodeId,
        f: impl FnOnce(&mut N) + Send + 'static,
    ) {
        self.on_thread(thread, move |thread| {
            if let Some(node) = thread.node::<N, K>(node) {
                f(node);
            }
        });
    }

    /// Runs `f` on a thread before its next turn and brings its answer back. The closure runs also when the
    /// answer is not awaited.
    pub fn call<R, F>(
        &self,
        thread: usize,
        f: F,
    ) -> impl Future<Output = Result<R, Unavailable>> + use<R, F>
    where
        R: Send + 'static,
        F: FnOnce(&mut ThreadPackets) -> R + Send + 'static,
    {
        let (answer, call) = answer();
        self.on_thread(thread, move |thread| answer.give(f(thread)));
        call
    }

    /// Waits until every thread has begun a turn after this call: whatever they read before, they no
    /// longer hold.
    pub async fn synchronize(&self) {
        let calls: Vec<_> = (0..self.thread_count())
            .map(|thread| self.call(thread, |_| ()))
            .collect();
        for call in calls {
            // A thread that is gone holds nothing.
            let _ = call.await;
        }
    }

    /// Makes an input node ready on a thread whenever a descriptor becomes readable, until the watch is
    /// dropped. Edges are reported: the node reads until the descriptor is empty. It is made ready once to
    /// begin with.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated, or `node` is no input node on that thread.
    pub fn watch_fd(&self, thread: usize, fd: impl AsFd, node: NodeId) -> io::Result<Watch> {
        let interrupt = self
            .interrupt(thread, node)
            .ok_or_else(|| io::Error::other(Unavailable))?;
        let fd = fd.as_fd().try_clone_to_owned()?;
        let id = self.0.next_watch();
        let log = self.0.log.class("engine");
        self.on_thread(thread, move |thread| {
            let waker = interrupt.waker();
            if let Err(error) = thread.watch(id, fd, Direction::Read, &waker) {
                log.error(format_args!("cannot watch a descriptor: {error}"));
            }
            interrupt.raise();
        });
        Ok(Watch {
            control: self.clone(),
            thread,
            id,
            gone: Cell::new(false),
        })
    }

    /// Sends every thread a closure of its own.
    pub(super) fn on_every_thread(&self, mut f: impl FnMut(usize) -> Command) {
        for (thread, mailbox) in self.0.mailboxes.iter().enumerate() {
            mailbox.send(f(thread));
        }
    }
}

/// A watched descriptor; dropping it ends the watch, on its thread, before that thread's next turn.
pub struct Watch {
    control: Control,
    thread: usize,
    id: u64,
    gone: Cell<bool>,
}

impl Watch {
    /// Ends the watch, and says when the thread no longer looks at the descriptor.
    pub fn end(self) -> impl Future<Output = Result<(), Unavailable>> {
        let id = self.id;
        self.gone.set(true);
        self.control
            .call(self.thread, move |thread| thread.unwatch(id))
    }

    /// The thread that watches.
    #[must_use]
    pub fn thread(&self) -> usize {
        self.thread
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.gone.get() {
            let id = self.id;
            self.control
                .on_thread(self.thread, move |thread| thread.unwatch(id));
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watch({} on thread {})", self.id, self.thread)
    }
}

/// One value on its way back.
struct State<R> {
    value: Option<R>,
    waker: Option<Waker>,
    closed: bool,
}

struct Answer<R>(Arc<Mutex<State<R>>>);
struct Call<R>(Arc<Mutex<State<R>>>);

fn answer<R>() -> (Answer<R>, Call<R>) {
    let state = Arc::new(Mutex::new(State {
        value: None,
        waker: None,
        closed: false,
    }));
    (Answer(state.clone()), Call(state))
}

impl<R> Answer<R> {
    fn give(self, value: R) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).value = Some(value);
    }
}

impl<R> Drop for Answer<R> {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.closed = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<R> Future for Call<R> {
    type Output = Result<R, Unavailable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = state.value.take() {
            return Poll::Ready(Ok(value));
        }
        if state.closed {
            return Poll::Ready(Err(Unavailable));
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
