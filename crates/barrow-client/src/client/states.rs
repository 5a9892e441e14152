//! The states of the connection as a stream.

use super::Handle;
use crate::mux::{ConnectionState, Reader};
use futures_core::Stream;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The states of a connection: the current one first, then each change. A reader that is 64 changes behind misses
/// the oldest. Ends after [`ConnectionState::Closed`].
#[derive(Debug)]
pub struct States {
    handle: Arc<Handle>,
    reader: Reader,
    over: bool,
}

impl States {
    pub(super) fn new(handle: &Arc<Handle>) -> Self {
        Self {
            handle: Arc::clone(handle),
            reader: handle.hub.with(|state| state.transitions.follow()),
            over: false,
        }
    }

    /// The next state; `None` after the last.
    pub async fn next(&mut self) -> Option<ConnectionState> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for States {
    type Item = ConnectionState;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionState>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        let reader = this.reader;
        let next = this
            .handle
            .hub
            .with(|state| state.transitions.next(reader, cx.waker()));
        match next {
            Some(state) => {
                this.over = matches!(state, ConnectionState::Closed(_));
                Poll::Ready(Some(state))
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for States {
    fn drop(&mut self) {
        let reader = self.reader;
        self.handle
            .hub
            .with(|state| state.transitions.unfollow(reader));
    }
}
