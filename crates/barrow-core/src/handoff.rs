//! A bounded queue between two units of one thread, with credit instead of surprises.
//!
//! The producer asks for credit before it takes work on; a consumer that drains a queue which was
//! full to half its capacity wakes the producer, so that the two do not trade single items. The
//! first item into an empty queue wakes the consumer. Dropping either end wakes the other.

use std::{cell::RefCell, collections::VecDeque, error::Error, fmt, rc::Rc, task::Waker};

struct Inner<T> {
    queue: VecDeque<T>,
    capacity: usize,
    /// A push was refused since the consumer last reached the low-water mark.
    starved: bool,
    consumer: Option<Waker>,
    producer: Option<Waker>,
    pushing: bool,
    pulling: bool,
    stats: HandoffStats,
}

/// Counters of a handoff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandoffStats {
    /// Items pushed.
    pub pushed: u64,
    /// Pushes refused for lack of credit.
    pub refused: u64,
    /// The most items that waited at once.
    pub high_water: usize,
}

/// The producer's end.
pub struct Push<T> {
    inner: Rc<RefCell<Inner<T>>>,
}

/// The consumer's end.
pub struct Pull<T> {
    inner: Rc<RefCell<Inner<T>>>,
}

/// A handoff that holds at most `capacity` items (at least one). All memory is taken now.
///
/// ```
/// use barrow_core::handoff::{PushError, handoff};
///
/// let (mut push, mut pull) = handoff(2);
/// assert_eq!(push.credit(), 2);
/// push.push('a').expect("there is credit");
/// push.push('b').expect("there is credit");
/// assert_eq!(push.push('c'), Err(PushError::Full('c')));
///
/// let mut taken = Vec::new();
/// assert_eq!(pull.take(&mut taken, 16), 2);
/// assert_eq!(taken, ['a', 'b']);
/// ```
#[must_use]
pub fn handoff<T>(capacity: usize) -> (Push<T>, Pull<T>) {
    let capacity = capacity.max(1);
    let inner = Rc::new(RefCell::new(Inner {
        queue: VecDeque::with_capacity(capacity),
        capacity,
        starved: false,
        consumer: None,
        producer: None,
        pushing: true,
        pulling: true,
        stats: HandoffStats::default(),
    }));
    (
        Push {
            inner: inner.clone(),
        },
        Pull { inner },
    )
}

impl<T> Push<T> {
    /// Items that may be pushed now; 0 also when the consumer is gone.
    #[must_use]
    pub fn credit(&self) -> usize {
        let inner = self.inner.borrow();
        if inner.pulling {
            inner.capacity - inner.queue.len()
        } else {
            0
        }
    }

    /// Pushes one item; the first into an empty queue wakes the consumer.
    ///
    /// # Errors
    /// [`PushError::Full`] without credit: [`Push::on_credit`] says when to try again.
    /// [`PushError::Closed`] if the consumer is gone. Both return the item.
    pub fn push(&mut self, item: T) -> Result<(), PushError<T>> {
        let mut inner = self.inner.borrow_mut();
        if !inner.pulling {
            return Err(PushError::Closed(item));
        }
        if inner.queue.len() == inner.capacity {
            inner.starved = true;
            inner.stats.refused += 1;
            return Err(PushError::Full(item));
        }
        inner.queue.push_back(item);
        let waker = inner.pushed(1);
        drop(inner);
        wake(waker);
        Ok(())
    }

    /// Moves items from the front of `items` until they or the credit end; returns how many.
    /// Items left over count as one refused push.
    pub fn push_from(&mut self, items: &mut VecDeque<T>) -> usize {
        let mut inner = self.inner.borrow_mut();
        if !inner.pulling {
            return 0;
        }
        let count = items.len().min(inner.capacity - inner.queue.len());
        inner.queue.extend(items.drain(..count));
        if !items.is_empty() {
            inner.starved = true;
            inner.stats.refused += 1;
        }
        let waker = inner.pushed(count);
        drop(inner);
        wake(waker);
        count
    }

    /// Notes whom to wake when a queue that was full is half empty, or the consumer goes.
    pub fn on_credit(&mut self, waker: &Waker) {
        let old = note(waker, &mut self.inner.borrow_mut().producer);
        drop(old);
    }

    /// Whether the consumer is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.inner.borrow().pulling
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> HandoffStats {
        self.inner.borrow().stats
    }
}

impl<T> Pull<T> {
    /// Takes the first item.
    pub fn pop(&mut self) -> Option<T> {
        let mut inner = self.inner.borrow_mut();
        let item = inner.queue.pop_front();
        let waker = inner.taken();
        drop(inner);
        wake(waker);
        item
    }

    /// Appends up to `max` items to `into`; returns how many.
    pub fn take(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let mut inner = self.inner.borrow_mut();
        let count = max.min(inner.queue.len());
        into.extend(inner.queue.drain(..count));
        let waker = inner.taken();
        drop(inner);
        wake(waker);
        count
    }

    /// Items waiting now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.borrow().queue.len()
    }

    /// Whether nothing is waiting now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the producer is gone; items may still be waiting.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.inner.borrow().pushing
    }

    /// Notes whom to wake when the first item comes, or the producer goes.
    pub fn on_items(&mut self, waker: &Waker) {
        let old = note(waker, &mut self.inner.borrow_mut().consumer);
        drop(old);
    }

    /// A function with which somebody else (the unit around a region) can do what
    /// [`Pull::on_items`] does, after this end has moved into a node.
    pub fn hook(&self) -> impl FnMut(&Waker) + use<T> {
        let inner = self.inner.clone();
        move |waker| {
            let old = note(waker, &mut inner.borrow_mut().consumer);
            drop(old);
        }
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> HandoffStats {
        self.inner.borrow().stats
    }
}

impl<T> Inner<T> {
    /// Books `count` items that have just been pushed; whom to wake.
    fn pushed(&mut self, count: usize) -> Option<Waker> {
        self.stats.pushed += count as u64;
        self.stats.high_water = self.stats.high_water.max(self.queue.len());
        let was_empty = self.queue.len() == count;
        self.consumer.clone().filter(|_| count > 0 && was_empty)
    }

    /// Whom to wake now that items have been taken.
    fn taken(&mut self) -> Option<Waker> {
        if !self.starved || self.queue.len() > self.capacity / 2 {
            return None;
        }
        self.starved = false;
        self.producer.clone()
    }
}

impl<T> Drop for Push<T> {
    fn drop(&mut self) {
        let mut inner = self.inner.borrow_mut();
        inner.pushing = false;
        let (waker, own) = (inner.consumer.clone(), inner.producer.take());
        drop(inner);
        drop(own);
        wake(waker);
    }
}

impl<T> Drop for Pull<T> {
    fn drop(&mut self) {
        let mut inner = self.inner.borrow_mut();
        inner.pulling = false;
        let (waker, own) = (inner.producer.clone(), inner.consumer.take());
        let items = std::mem::take(&mut inner.queue);
        drop(inner);
        drop((items, own));
        wake(waker);
    }
}

/// Wakers run outside every borrow.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Puts `waker` into `place` unless it is there; returns what is to be dropped outside.
fn note(waker: &Waker, place: &mut Option<Waker>) -> Option<Waker> {
    match place {
        Some(known) if known.will_wake(waker) => None,
        _ => place.replace(waker.clone()),
    }
}

impl<T> fmt::Debug for Push<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("credit", &self.credit())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Pull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull")
            .field("waiting", &self.len())
            .finish_non_exhaustive()
    }
}

/// Why [`Push::push`] gave the item back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PushError<T> {
    /// There is no credit now.
    Full(T),
    /// The consumer is gone, for ever.
    Closed(T),
}

impl<T> PushError<T> {
    /// The item that was not pushed.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the handoff has no credit",
            Self::Closed(_) => "the consumer is gone",
        })
    }
}

impl<T> Error for PushError<T> {}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counting() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), Waker::from(count))
    }

    #[test]
    fn only_the_first_item_of_a_batch_wakes_the_consumer() {
        let (count, waker) = counting();
        let (mut push, mut pull) = handoff(8);
        pull.on_items(&waker);
        push.push(1).unwrap();
        push.push(2).unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(
            (pull.pop(), pull.pop(), pull.pop()),
            (Some(1), Some(2), None)
        );
        assert_eq!(push.push_from(&mut VecDeque::from([3, 4])), 2);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn i4_backpressure_wakes_the_producer_once_at_half_capacity() {
        let (count, waker) = counting();
        let (mut push, mut pull) = handoff(4);
        push.on_credit(&waker);
        let mut items: VecDeque<_> = (0..6).collect();
        assert_eq!(push.push_from(&mut items), 4);
        assert_eq!(items, [4, 5]);
        pull.pop();
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            0,
            "three of four still wait"
        );
        pull.pop();
        pull.pop();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(
            push.stats(),
            HandoffStats {
                pushed: 4,
                refused: 1,
                high_water: 4
            }
        );
    }

    #[test]
    fn either_end_learns_that_the_other_is_gone() {
        let (count, waker) = counting();
        let (push, mut pull) = handoff::<u8>(1);
        pull.on_items(&waker);
        drop(push);
        assert!(pull.is_closed());
        let (mut push, pull) = handoff(1);
        push.on_credit(&waker);
        push.push(1).unwrap();
        drop(pull);
        assert_eq!(push.push(2), Err(PushError::Closed(2)));
        assert_eq!(push.credit(), 0);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
