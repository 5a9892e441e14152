//! One request and its reply.

use super::Channel;
use crate::error::{ApiError, Error};
use crate::mux::{Place, State, Ticket};
use crate::session::{CallId, Session, SessionState, StartError};
use barrow_core::Instant;
use barrow_wire::{Reply, Request, decode_message};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// How far a call is.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Not started; with its deadline once it was polled.
    New,
    /// In line for a place.
    InLine(Ticket, Option<Instant>),
    /// In flight.
    Started(CallId),
    /// Its end was taken, or it failed before it started.
    Over,
}

/// The part that calls, dumps and cursor streams share: getting a place, starting, being taken back.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) channel: Channel,
    pub(crate) progress: Progress,
}

impl Flight {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            progress: Progress::New,
        }
    }

    /// Starts the call by `start` as soon as there is a place. `Ready` when it is in flight, or cannot be.
    pub(crate) fn poll_start(
        &mut self,
        waker: &Waker,
        start: impl FnOnce(&mut Session, Option<Instant>) -> Result<CallId, StartError>,
    ) -> Poll<Result<(), Error>> {
        let (ticket, deadline) = match self.progress {
            Progress::New => (None, self.channel.deadline()),
            Progress::InLine(ticket, deadline) => (Some(ticket), deadline),
            Progress::Started(_) | Progress::Over => return Poll::Ready(Ok(())),
        };
        let key = self.channel.key();
        let progress = self.channel.hub().with(|state| {
            let place = match ticket {
                Some(ticket) => state.window.poll(ticket, waker),
                None => {
                    may_start(state)?;
                    if state.has_room() && state.window.enter(key) {
                        Place::Granted
                    } else {
                        let ticket = state.window.wait(key, deadline, waker.clone());
                        state.ring_if_sooner();
                        return Ok(Progress::InLine(ticket, deadline));
                    }
                }
            };
            match place {
                Place::Waiting => Ok(Progress::InLine(ticket.expect("polled"), deadline)),
                Place::Refused => Err(may_start(state).err().unwrap_or(Error::NoPlace)),
                Place::Granted => match start(&mut state.session, deadline) {
                    Ok(call) => {
                        state.started(call, key, waker);
                        Ok(Progress::Started(call))
                    }
                    Err(error) => {
                        state.window.leave(key);
                        state.grant();
                        Err(error.into())
                    }
                },
            }
        });
        match progress {
            Ok(Progress::InLine(ticket, deadline)) => {
                self.progress = Progress::InLine(ticket, deadline);
                Poll::Pending
            }
            Ok(progress) => {
                self.progress = progress;
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.progress = Progress::Over;
                Poll::Ready(Err(error))
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        match self.progress {
            Progress::InLine(ticket, _) => self.channel.hub().with(|state| {
                state.window.forget(ticket);
                state.grant();
            }),
            Progress::Started(call) => self.channel.hub().with(|state| state.forget(call)),
            Progress::New | Progress::Over => {}
        }
    }
}

fn may_start(state: &State) -> Result<(), Error> {
    match state.closed() {
        Some(why) => Err(Error::Closed(why.clone())),
        None if state.session.state() == SessionState::Open => Ok(()),
        None => Err(StartError::NotOpen.into()),
    }
}

/// A call: a future of its reply. See [`Channel::call`].
#[must_use = "a call is made when it is polled"]
pub struct Call<M> {
    flight: Flight,
    request: M,
}

impl<M> Call<M> {
    pub(super) fn new(channel: Channel, request: M) -> Self {
        Self {
            flight: Flight::new(channel),
            request,
        }
    }
}

impl<M: Request + Unpin> Future for Call<M>
where
    M::Reply: Sync,
{
    type Output = Result<M::Reply, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { flight, request } = self.get_mut();
        let waker = cx.waker();
        if !matches!(flight.progress, Progress::Started(_)) {
            assert!(
                !matches!(flight.progress, Progress::Over),
                "polled after its end"
            );
            let started = flight.poll_start(waker, |session, deadline| {
                session.request(request, deadline)
            });
            return match started {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Pending,
            };
        }
        let Progress::Started(call) = flight.progress else {
            unreachable!("checked above")
        };
        let ended = flight.channel.hub().with(|state| {
            let ended = state.session.finish(call, |end| Ok(reply::<M>(end?)?.1));
            if ended.is_none() {
                state.watch(call, waker);
            }
            ended
        });
        match ended {
            None => Poll::Pending,
            Some(result) => {
                flight.progress = Progress::Over;
                Poll::Ready(result.and_then(checked::<M>))
            }
        }
    }
}

fn reply<M: Request>(
    bytes: &[u8],
) -> Result<(barrow_wire::Header, M::Reply), barrow_wire::DecodeError> {
    decode_message(bytes)
}

/// The reply, unless it says that the call failed.
pub(super) fn checked<M: Request>(reply: M::Reply) -> Result<M::Reply, Error>
where
    M::Reply: Sync,
{
    match reply.retval() {
        0 => Ok(reply),
        _ => Err(ApiError::new(M::NAME, reply).into()),
    }
}

impl<M: fmt::Debug> fmt::Debug for Call<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .field("progress", &self.flight.progress)
            .finish()
    }
}
