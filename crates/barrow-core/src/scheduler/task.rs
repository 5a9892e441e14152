//! A future as a unit.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Unit, UnitContext, Work};

pub(super) struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
}

impl Task {
    pub(super) fn new(future: impl Future<Output = ()> + 'static) -> Self {
        Self {
            future: Box::pin(future),
        }
    }
}

impl Unit for Task {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(cx.waker))
        {
            Poll::Pending => Work::Idle,
            Poll::Ready(()) => Work::Done,
        }
    }
}
