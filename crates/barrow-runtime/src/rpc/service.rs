//! The answering side.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use barrow_core::Instant;
use barrow_core::channel::{Sender, UnboundedSender};
use barrow_core::timer::Timers;
use barrow_wire::{DecodeOwned, Encode};

use super::method::{Method, StreamMethod};
use super::session::{CallId, Command};
use super::status::{Code, Failure};

/// What answers one call.
type Answering = Pin<Box<dyn Future<Output = ()>>>;
/// Makes what answers a call, or says no at once.
type Handler = Box<dyn Fn(Arrived) -> Result<Answering, (Responder, Failure)>>;

/// The methods that a connection answers. Clones are the same service; it stays on its thread.
///
/// Each call is handled by a task of its own, which is dropped when the caller gives the call up, its
/// deadline comes, or the connection ends. A handler that panics fails its call alone.
///
/// ```
/// use barrow_runtime::rpc::{Method, Service};
///
/// struct Add;
/// impl Method for Add {
///     const NAME: &'static str = "calculator.add";
///     type Request = (u32, u32);
///     type Reply = u32;
/// }
///
/// let service = Service::new().method(Add, |_, (a, b)| async move { Ok(a + b) });
/// assert_eq!(service.names().collect::<Vec<_>>(), ["calculator.add"]);
/// ```
#[derive(Clone, Default)]
pub struct Service {
    methods: Rc<BTreeMap<&'static str, Handler>>,
}

impl Service {
    /// A service without methods: for sides that only call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers a method with one reply.
    ///
    /// # Panics
    /// When the service was cloned already: it is complete then.
    #[must_use]
    pub fn method<M: Method, F>(
        self,
        method: M,
        handler: impl Fn(CallContext, M::Request) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = Result<M::Reply, Failure>> + 'static,
    {
        let _named_only = method;
        self.with(M::NAME, move |arrived| {
            let (context, responder, body) = arrived.single()?;
            let request = match decode::<M::Request>(&body) {
                Ok(request) => request,
                Err(failure) => return Err((responder, failure)),
            };
            let answer = handler(context, request);
            Ok(Box::pin(async move {
                let reply = answer.await.and_then(|reply| encode(&reply));
                responder.reply(reply).await;
            }))
        })
    }

    /// Answers a method with items: the handler gives them to its [`Sink`], which makes it wait while
    /// the caller has granted none.
    ///
    /// # Panics
    /// When the service was cloned already: it is complete then.
    #[must_use]
    pub fn stream<M: StreamMethod, F>(
        self,
        method: M,
        handler: impl Fn(CallContext, M::Request, Sink<M::Item>) -> F + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Failure>> + 'static,
    {
        let _named_only = method;
        self.with(M::NAME, move |arrived| {
            let (context, responder, body, credit) = arrived.stream()?;
            let request = match decode::<M::Request>(&body) {
                Ok(request) => request,
                Err(failure) => return Err((responder, failure)),
            };
            let sink = Sink {
                call: responder.call,
                answers: responder.answers.clone(),
                credit,
                item: PhantomData,
            };
            let answer = handler(context, request, sink);
            Ok(Box::pin(async move {
                let ended = answer.await;
                responder.finish(ended).await;
            }))
        })
    }

    fn with(
        mut self,
        name: &'static str,
        handler: impl Fn(Arrived) -> Result<Answering, (Responder, Failure)> + 'static,
    ) -> Self {
        let methods = Rc::get_mut(&mut self.methods).expect("a service is complete when cloned");
        methods.insert(name, Box::new(handler));
        self
    }

    /// The names of its methods, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.methods.keys().copied()
    }

    /// What answers this call; `None` when the answer is no, which is on its way then.
    pub(super) fn handle(&self, method: &str, arrived: Arrived) -> Option<Answering> {
        let Some(handler) = self.methods.get(method) else {
            arrived
                .responder
                .refuse(Code::NO_METHOD.because(format!("no method {method:?}")));
            return None;
        };
        match handler(arrived) {
            Ok(answering) => Some(answering),
            Err((responder, failure)) => {
                responder.refuse(failure);
                None
            }
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

fn decode<T: DecodeOwned>(body: &[u8]) -> Result<T, Failure> {
    barrow_wire::from_bytes(body).map_err(|error| Code::BAD_REQUEST.because(error.to_string()))
}

fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, Failure> {
    barrow_wire::to_bytes(value).map_err(|error| Code::INTERNAL.because(error.to_string()))
}

/// A call as it arrives.
pub(super) struct Arrived {
    pub(super) body: Vec<u8>,
    pub(super) window: Option<u32>,
    pub(super) context: CallContext,
    pub(super) credit: Rc<Credit>,
    pub(super) responder: Responder,
}

impl Arrived {
    fn single(self) -> Result<(CallContext, Responder, Vec<u8>), (Responder, Failure)> {
        match self.window {
            None => Ok((self.context, self.responder, self.body)),
            Some(_) => {
                let failure = Code::BAD_REQUEST.because("this method answers with one reply");
                Err((self.responder, failure))
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "the parts of a call, used once")]
    fn stream(self) -> Result<(CallContext, Responder, Vec<u8>, Rc<Credit>), (Responder, Failure)> {
        match self.window {
            Some(_) => Ok((self.context, self.responder, self.body, self.credit)),
            None => {
                let failure = Code::BAD_REQUEST.because("this method answers with a stream");
                Err((self.responder, failure))
            }
        }
    }
}

/// What a handler knows of its call.
#[derive(Clone, Debug)]
pub struct CallContext {
    deadline: Option<Instant>,
    timers: Rc<Timers>,
}

impl CallContext {
    pub(super) fn new(deadline: Option<Instant>, timers: Rc<Timers>) -> Self {
        Self { deadline, timers }
    }

    /// When the answer is of no use any more; the handler is dropped then.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time of the present turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.timers.now()
    }

    /// The timers of this thread.
    #[must_use]
    pub fn timers(&self) -> Rc<Timers> {
        self.timers.clone()
    }
}

/// Answers one call; dropped without an answer, it says that the handler failed.
pub(super) struct Responder {
    call: CallId,
    answers: Sender<Command>,
    urgent: UnboundedSender<Command>,
    answered: bool,
}

impl Responder {
    pub(super) fn new(
        call: CallId,
        answers: Sender<Command>,
        urgent: UnboundedSender<Command>,
    ) -> Self {
        Self {
            call,
            answers,
            urgent,
            answered: false,
        }
    }

    /// Says no at once, without waiting for room: once for each call at most.
    fn refuse(mut self, failure: Failure) {
        self.answered = true;
        let call = self.call;
        // A connection that is gone needs no answer; so below.
        let _ = self.urgent.send(Command::Fail { call, failure });
    }

    async fn reply(self, reply: Result<Vec<u8>, Failure>) {
        let call = self.call;
        self.answer(match reply {
            Ok(body) => Command::Reply { call, body },
            Err(failure) => Command::Fail { call, failure },
        })
        .await;
    }

    async fn finish(self, ended: Result<(), Failure>) {
        let call = self.call;
        self.answer(match ended {
            Ok(()) => Command::Finish { call },
            Err(failure) => Command::Fail { call, failure },
        })
        .await;
    }

    async fn answer(mut self, command: Command) {
        let _ = self.answers.send(command).await;
        self.answered = true;
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.answered {
            let failure = Code::INTERNAL.because("the handler ended without an answer");
            let call = self.call;
            let _ = self.urgent.send(Command::Fail { call, failure });
        }
    }
}

/// Items that a caller has granted.
pub(super) struct Credit {
    left: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

impl Credit {
    pub(super) fn new(window: u32) -> Self {
        Self {
            left: Cell::new(window.into()),
            waker: RefCell::new(None),
        }
    }

    pub(super) fn grant(&self, items: u32) {
        self.left.set(self.left.get().saturating_add(items.into()));
        let waker = self.waker.take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Waits for credit and takes one.
    async fn take(&self) {
        poll_fn(|cx| match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Poll::Ready(())
            }
            None => {
                self.waker.replace(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await;
    }
}

/// Where the handler of a [`StreamMethod`] puts its items.
pub struct Sink<T> {
    call: CallId,
    answers: Sender<Command>,
    credit: Rc<Credit>,
    item: PhantomData<fn(T)>,
}

impl<T: Encode> Sink<T> {
    /// Sends an item; waits while the caller has granted none.
    ///
    /// # Errors
    /// When the item has no wire form, or the connection is gone: worth passing on with `?`.
    pub async fn send(&mut self, item: &T) -> Result<(), Failure> {
        let body = encode(item)?;
        self.credit.take().await;
        let call = self.call;
        let sent = self.answers.send(Command::Item { call, body }).await;
        sent.map_err(|_| Code::LOST.because("the connection is gone"))
    }
}

impl<T> fmt::Debug for Sink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("call", &self.call)
            .field("credit", &self.credit.left.get())
            .finish_non_exhaustive()
    }
}
