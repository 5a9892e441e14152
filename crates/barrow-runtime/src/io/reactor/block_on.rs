//! One future on one reactor, without a scheduler: for examples, tests and small clients.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Flag, Reactor};

impl Reactor {
    /// Runs a future to its end, parking while it is pending.
    ///
    /// # Errors
    /// As [`Reactor::park`].
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let mut future = pin!(future);
        let woken = Flag::new(Waker::from(Arc::new(self.bell())));
        let waker = woken.waker();
        loop {
            if woken.take() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Ok(output);
                }
                self.poll_now()?;
            } else {
                self.park(None)?;
            }
        }
    }
}
