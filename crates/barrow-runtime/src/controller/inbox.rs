//! The receiving end of a task.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use barrow_core::channel::{Receiver, Sender, TryRecvError, TrySendError, WaitingSender};
use barrow_core::task::{Stop, Stopping};
use barrow_core::{Machine, Ports, PushOutput};

use crate::io::machine::Mailbox;

/// Messages to one task. Dropped, or when the task ends, senders get their messages back.
pub struct Inbox<M> {
    receiver: Receiver<M>,
    stop: Stop,
    stopping: Stopping,
}

impl<M> Inbox<M> {
    pub(super) fn new(receiver: Receiver<M>, stop: Stop) -> Self {
        let stopping = stop.raised();
        Self {
            receiver,
            stop,
            stopping,
        }
    }

    /// Waits for a message. `None` when none will come: nobody can send any more, or the task was
    /// asked to stop and everything that had been sent was received.
    pub async fn recv(&mut self) -> Option<M> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`Inbox::recv`] for hand-written futures.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<M>> {
        let received = self.receiver.poll_recv(cx);
        if received.is_pending() && self.receiver.is_empty() {
            return Pin::new(&mut self.stopping).poll(cx).map(|()| None);
        }
        received
    }

    /// Takes a message if one is waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if none is, [`TryRecvError::Closed`] if none will come.
    pub fn try_recv(&mut self) -> Result<M, TryRecvError> {
        match self.receiver.try_recv() {
            Err(TryRecvError::Empty) if self.stop.is_raised() => Err(TryRecvError::Closed),
            received => received,
        }
    }

    /// Notes whom the next message wakes, for units: register first, then look until it is empty.
    pub fn register(&self, waker: &Waker) {
        self.receiver.register(waker);
    }

    /// Messages waiting now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Whether no message is waiting now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }
}

impl<M> fmt::Debug for Inbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("waiting", &self.len())
            .field("stopping", &self.stop.is_raised())
            .finish()
    }
}

/// Where a machine of messages meets the runtime: inputs from its task's inbox, outputs to the
/// controller. An output that nobody takes blocks the machine, not the worker.
#[derive(Debug)]
pub struct MessagePorts<M> {
    inbox: Inbox<M>,
    output: WaitingSender<M>,
    waker: Waker,
}

impl<M> MessagePorts<M> {
    pub(super) fn new(inbox: Inbox<M>, output: Sender<M>) -> Self {
        Self {
            inbox,
            output: WaitingSender::new(output),
            waker: Waker::noop().clone(),
        }
    }
}

/// The messages of a machine that has sockets too: the other half of its
/// [`Port`](crate::io::machine::Port).
impl<M> Mailbox<M> for MessagePorts<M> {
    fn take(&mut self) -> Option<M> {
        self.inbox.try_recv().ok()
    }

    fn give(&mut self, message: M) -> PushOutput<M> {
        match self.output.send_or_wait(message, &self.waker) {
            Ok(()) => PushOutput::Pushed,
            Err(TrySendError::Full(message)) => PushOutput::Blocked(message),
            Err(TrySendError::Closed(_)) => PushOutput::Closed,
        }
    }

    fn register(&mut self, waker: &Waker) {
        self.waker.clone_from(waker);
        self.inbox.register(waker);
    }
}

impl<M, S> Ports<S> for MessagePorts<M>
where
    S: for<'a> Machine<Input<'a> = M, Output = M>,
{
    fn next_input(&mut self, give: impl FnOnce(M)) -> bool {
        self.take().map(give).is_some()
    }

    fn push(&mut self, output: M) -> PushOutput<M> {
        self.give(output)
    }

    fn register(&mut self, waker: &Waker) {
        Mailbox::register(self, waker);
    }
}
