//! Handlers of typed messages, made into handlers of bytes.

use super::{ApiContext, ApiError, Client};
use crate::access::message_reads;
use barrow_wire::{
    CursorStream, DecodeError, Dump, EncodeError, Header, Message, OneWay, Reply, Request,
    decode_message, frame,
};
use std::{future::Future, pin::Pin, rc::Rc};

/// A handler of the bytes of one message.
pub(super) type Handler = Rc<dyn Fn(&Call<'_>, &mut Vec<u8>) -> Result<Answer, DecodeError>>;

/// One request, and what its answers need.
pub(super) struct Call<'a> {
    pub(super) message: &'a [u8],
    pub(super) client: &'a Client,
    /// The id of the reply; 0 if there is none.
    pub(super) reply_id: u16,
    /// The id of the details; 0 if there are none.
    pub(super) details_id: u16,
    pub(super) cursor_run: usize,
}

/// What becomes of a request.
pub(super) enum Answer {
    /// Everything has been appended to the output.
    Done,
    /// As `Done`, and the connection is to be closed behind it.
    Close,
    /// The frame of the reply comes later.
    Later(Pin<Box<dyn Future<Output = Vec<u8>>>>),
    /// Frames are to be pulled as the socket takes them.
    Stream(Stream),
    /// The handler's reply has no wire form.
    Lost(EncodeError),
}

/// Appends the next frame of an answer of many.
pub(super) type Stream = Box<dyn FnMut(&mut Vec<u8>) -> Pulled>;

/// What a stream did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pulled {
    /// It appended a frame, and there may be more.
    Frame,
    /// It is at its end; with a cursor stream the last frame has been appended.
    End,
    /// It had a message without wire form and skipped it.
    Lost(EncodeError),
}

/// The details of a dump: pulled one by one, as the socket takes them.
///
/// State that changes meanwhile is looked at anew each time; keep a cursor over stable keys, so that every object that
/// exists throughout comes exactly once.
pub type Details<D> = Box<dyn FnMut() -> Option<D>>;

/// One run of a cursor stream: details, then the reply that tells where to go on.
pub struct CursorRun<M: CursorStream> {
    details: Details<M::Details>,
    reply: Box<dyn FnMut() -> M::Reply>,
}

impl<M: CursorStream> CursorRun<M> {
    /// `reply` is called once, after the run's last details: it fills the cursor in. The return value is set by the
    /// server: 0 if `details` came to its end, EAGAIN (-165) if the run was cut.
    pub fn new(
        details: impl FnMut() -> Option<M::Details> + 'static,
        reply: impl FnMut() -> M::Reply + 'static,
    ) -> Self {
        Self {
            details: Box::new(details),
            reply: Box::new(reply),
        }
    }
}

impl<M: CursorStream> std::fmt::Debug for CursorRun<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CursorRun").finish_non_exhaustive()
    }
}

/// The header of an answer to a request.
#[derive(Clone, Copy)]
struct Answering {
    header: Header,
}

impl Answering {
    fn new(call: &Call<'_>, id: u16, request: Header) -> Self {
        let client_index = call.client.index().get();
        Self {
            header: Header {
                id,
                client_index,
                context: request.context,
            },
        }
    }

    fn append<M: Message>(self, message: &M, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        // `sockclnt_create_reply` and a few others have a client index that VPP leaves 0.
        let header = match M::HEADER {
            barrow_wire::HeaderKind::ClientThenContext => Header {
                client_index: 0,
                ..self.header
            },
            _ => self.header,
        };
        frame::encode(header, message, out)
    }
}

/// The reply to a request that failed.
fn refusal<R: Reply>(error: ApiError) -> R {
    let mut reply = R::default();
    reply.set_retval(error.0);
    reply
}

/// Refuses a client that may only look whatever does more, with the number of what the configuration switched off.
fn permit<M: Message>(client: &Client) -> Result<(), ApiError> {
    if client.is_read_only() && !message_reads(M::NAME) {
        return Err(ApiError::FEATURE_DISABLED);
    }
    Ok(())
}

fn append_reply<R: Reply>(
    answering: Answering,
    result: Result<R, ApiError>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let reply = result.unwrap_or_else(refusal);
    answering.append(&reply, out).or_else(|error| {
        // As VPP: the reply's fixed part with an error number tells more than silence.
        answering.append(&refusal::<R>(ApiError::TABLE_TOO_BIG), out)?;
        Err(error)
    })
}

pub(super) fn request<M: Request>(
    handle: impl Fn(&mut ApiContext<'_>, M) -> Result<M::Reply, ApiError> + 'static,
) -> Handler {
    Rc::new(move |call, out| {
        let (header, message) = decode_message::<M>(call.message)?;
        let mut context = ApiContext::new(call.client, header.context);
        let result = permit::<M>(call.client).and_then(|()| handle(&mut context, message));
        Ok(
            match append_reply(Answering::new(call, call.reply_id, header), result, out) {
                Err(error) => Answer::Lost(error),
                Ok(()) if context.closes() => Answer::Close,
                Ok(()) => Answer::Done,
            },
        )
    })
}

pub(super) fn request_async<M, F>(handle: impl Fn(&mut ApiContext<'_>, M) -> F + 'static) -> Handler
where
    M: Request,
    F: Future<Output = Result<M::Reply, ApiError>> + 'static,
{
    Rc::new(move |call, out| {
        let (header, message) = decode_message::<M>(call.message)?;
        let answering = Answering::new(call, call.reply_id, header);
        if let Err(error) = permit::<M>(call.client) {
            let refused = append_reply::<M::Reply>(answering, Err(error), out);
            return Ok(refused.map_or_else(Answer::Lost, |()| Answer::Done));
        }
        let run = handle(&mut ApiContext::new(call.client, header.context), message);
        Ok(Answer::Later(Box::pin(async move {
            let mut out = Vec::new();
            // What cannot be encoded has been replaced by a refusal.
            append_reply(answering, run.await, &mut out).ok();
            out
        })))
    })
}

pub(super) fn one_way<M: OneWay>(handle: impl Fn(&mut ApiContext<'_>, M) + 'static) -> Handler {
    Rc::new(move |call, _| {
        let (header, message) = decode_message::<M>(call.message)?;
        if permit::<M>(call.client).is_ok() {
            handle(&mut ApiContext::new(call.client, header.context), message);
        }
        Ok(Answer::Done)
    })
}

pub(super) fn dump<M, D>(handle: impl Fn(&mut ApiContext<'_>, M) -> D + 'static) -> Handler
where
    M: Dump,
    D: FnMut() -> Option<M::Details> + 'static,
{
    Rc::new(move |call, _| {
        let (header, message) = decode_message::<M>(call.message)?;
        let answering = Answering::new(call, call.details_id, header);
        let mut details = handle(&mut ApiContext::new(call.client, header.context), message);
        Ok(Answer::Stream(Box::new(move |out| match details() {
            None => Pulled::End,
            Some(details) => match answering.append(&details, out) {
                Ok(()) => Pulled::Frame,
                Err(error) => Pulled::Lost(error),
            },
        })))
    })
}

pub(super) fn cursor<M: CursorStream>(
    handle: impl Fn(&mut ApiContext<'_>, M) -> Result<CursorRun<M>, ApiError> + 'static,
) -> Handler {
    Rc::new(move |call, out| {
        let (header, message) = decode_message::<M>(call.message)?;
        let details = Answering::new(call, call.details_id, header);
        let last = Answering::new(call, call.reply_id, header);
        let run = handle(&mut ApiContext::new(call.client, header.context), message);
        let mut run = match run {
            Ok(run) => run,
            Err(error) => {
                return Ok(match append_reply::<M::Reply>(last, Err(error), out) {
                    Ok(()) => Answer::Done,
                    Err(error) => Answer::Lost(error),
                });
            }
        };
        let mut left = call.cursor_run;
        Ok(Answer::Stream(Box::new(move |out| {
            let next = if left > 0 { (run.details)() } else { None };
            if let Some(next) = next {
                left -= 1;
                return match details.append(&next, out) {
                    Ok(()) => Pulled::Frame,
                    Err(error) => Pulled::Lost(error),
                };
            }
            let mut reply = (run.reply)();
            reply.set_retval(if left > 0 { 0 } else { ApiError::EAGAIN.0 });
            // A reply of fixed fields always has a wire form.
            append_reply(last, Ok(reply), out).ok();
            Pulled::End
        })))
    })
}
