//! Where a machine meets the network and its messages.

use std::convert::Infallible;
use std::fmt;
use std::task::Waker;

use barrow_core::{Machine, Ports, PushOutput};

use super::action::Action;
use super::event::Event;

/// The sockets of one machine, whoever provides them.
pub trait Network {
    /// The next thing that happened; `None` when there is nothing more, and the registered waker
    /// will be woken when there is. What was sent since the last call is on its way then.
    fn next_event(&mut self) -> Option<Event<Infallible>>;

    /// Does something, or gives it back because a queue is full: the registered waker will be woken
    /// when there is room.
    ///
    /// # Errors
    /// The action itself.
    fn act(&mut self, action: Action<Infallible>) -> Result<(), Action<Infallible>>;

    /// Notes whom to wake.
    fn register(&mut self, waker: &Waker);
}

/// Where the messages of one machine come from and go to: a bus, channels, another machine.
pub trait Mailbox<M> {
    /// The next message; `None` when there is none, and the registered waker will be woken when
    /// there is.
    fn take(&mut self) -> Option<M>;

    /// Passes a message on.
    fn give(&mut self, message: M) -> PushOutput<M>;

    /// Notes whom to wake.
    fn register(&mut self, waker: &Waker);
}

/// For machines that say nothing: what they say is dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMailbox;

impl<M> Mailbox<M> for NoMailbox {
    fn take(&mut self) -> Option<M> {
        None
    }

    fn give(&mut self, _: M) -> PushOutput<M> {
        PushOutput::Pushed
    }

    fn register(&mut self, _: &Waker) {}
}

/// Joins a machine to its sockets and its messages: the ports of a
/// [`Driver`](barrow_core::Driver).
///
/// Messages and network take turns, so that neither starves the other.
pub struct Port<N, B = NoMailbox> {
    network: N,
    mailbox: B,
    mail_first: bool,
}

impl<N: Network> Port<N> {
    /// Sockets without messages.
    pub fn new(network: N) -> Self {
        Self::with_mailbox(network, NoMailbox)
    }
}

impl<N: Network, B> Port<N, B> {
    /// Sockets and messages.
    pub fn with_mailbox(network: N, mailbox: B) -> Self {
        Self {
            network,
            mailbox,
            mail_first: true,
        }
    }

    /// The sockets.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The next event.
    pub fn next_event<M>(&mut self) -> Option<Event<M>>
    where
        B: Mailbox<M>,
    {
        self.mail_first = !self.mail_first;
        if self.mail_first {
            let mail = self.mailbox.take().map(Event::Message);
            mail.or_else(|| self.network.next_event().map(Event::widen))
        } else {
            let event = self.network.next_event().map(Event::widen);
            event.or_else(|| self.mailbox.take().map(Event::Message))
        }
    }

    /// Passes an action on.
    pub fn act<M>(&mut self, action: Action<M>) -> PushOutput<Action<M>>
    where
        B: Mailbox<M>,
    {
        match action.split() {
            Ok(action) => match self.network.act(action) {
                Ok(()) => PushOutput::Pushed,
                Err(action) => PushOutput::Blocked(action.widen()),
            },
            Err(message) => match self.mailbox.give(message) {
                PushOutput::Pushed => PushOutput::Pushed,
                PushOutput::Blocked(message) => PushOutput::Blocked(Action::Message(message)),
                PushOutput::Closed => PushOutput::Closed,
            },
        }
    }
}

impl<Msg, M, N, B> Ports<M> for Port<N, B>
where
    M: for<'a> Machine<Input<'a> = Event<Msg>, Output = Action<Msg>>,
    N: Network,
    B: Mailbox<Msg>,
{
    fn next_input(&mut self, give: impl FnOnce(M::Input<'_>)) -> bool {
        self.next_event().map(give).is_some()
    }

    fn push(&mut self, output: Action<Msg>) -> PushOutput<Action<Msg>> {
        self.act(output)
    }

    fn register(&mut self, waker: &Waker) {
        self.network.register(waker);
        self.mailbox.register(waker);
    }
}

impl<N: fmt::Debug, B> fmt::Debug for Port<N, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}
