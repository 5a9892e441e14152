//! The channel under real threads and on virtual time; its interleavings are in `loom_tests`.

use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::executor::block_on;

use super::*;
use crate::testing::Simulation;

#[derive(Default)]
struct Count(AtomicUsize);

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
fn i1_no_lost_wakeup_over_many_hand_overs_between_threads() {
    let (sender, mut receiver) = bounded(1);
    let (back, mut forth) = bounded(1);
    let thread = std::thread::spawn(move || {
        block_on(async {
            for n in 0..100_000u32 {
                sender.send(n).await.expect("the receiver is there");
                assert_eq!(forth.recv().await, Some(n));
            }
        });
    });
    block_on(async {
        while let Some(n) = receiver.recv().await {
            back.send(n).await.expect("the other side is there");
        }
    });
    thread.join().unwrap();
}

#[test]
fn every_value_of_many_senders_arrives_once_and_in_each_ones_order() {
    let (sender, mut receiver) = bounded(4);
    let threads: Vec<_> = (0..4u64)
        .map(|thread| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                (0..5_000u64).for_each(|n| block_on(sender.send((thread, n))).unwrap());
            })
        })
        .collect();
    drop(sender);
    let mut next = [0u64; 4];
    block_on(async {
        let mut batch = Vec::new();
        while receiver.recv_many(&mut batch, 3).await > 0 {
            for (thread, n) in batch.drain(..) {
                assert_eq!(n, next[thread as usize]);
                next[thread as usize] += 1;
            }
        }
    });
    assert_eq!(next, [5_000; 4]);
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn i4_backpressure_a_full_channel_refuses_and_makes_wait() {
    let (sender, mut receiver) = bounded(2);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    let (count, waker) = counting();
    let mut sending = pin!(sender.send(3));
    assert!(
        sending
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(count.0.load(Ordering::Relaxed), 1, "room for one wakes one");
    let sent = sending.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(sent, Poll::Ready(Ok(())));
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(2), Ok(3)));
}

#[test]
fn a_sender_that_gives_up_after_its_call_passes_it_on() {
    let (sender, mut receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    let mut first = Box::pin(sender.send(1));
    let mut second = Box::pin(sender.send(2));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(count.0.load(Ordering::Relaxed), 1, "the first was called");
    drop(first);
    assert_eq!(count.0.load(Ordering::Relaxed), 2, "now the second");
    assert_eq!(second.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn closing_wakes_the_other_side() {
    let (count, waker) = counting();
    let mut cx = Context::from_waker(&waker);

    let (sender, mut receiver) = bounded::<u8>(1);
    let clone = sender.clone();
    assert!(receiver.poll_recv(&mut cx).is_pending());
    drop(sender);
    assert_eq!(count.0.load(Ordering::Relaxed), 0, "one sender is left");
    drop(clone);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(None));

    let (sender, receiver) = bounded(1);
    sender.try_send(1).unwrap();
    let mut sending = pin!(sender.send(2));
    assert!(sending.as_mut().poll(&mut cx).is_pending());
    drop(receiver);
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    assert_eq!(
        sending.as_mut().poll(&mut cx),
        Poll::Ready(Err(SendError(2)))
    );
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
}

#[test]
fn what_was_sent_before_closing_is_received() {
    let (sender, mut receiver) = unbounded();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn what_nobody_received_is_dropped_with_the_receiver() {
    let value = Arc::new(());
    let (sender, receiver) = bounded(8);
    sender.try_send(value.clone()).unwrap();
    sender.try_send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 3);
    drop(receiver);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn i3_fairness_a_flooded_receiver_lets_others_run() {
    let mut simulation = Simulation::new();
    let (sender, mut receiver) = bounded(10_000);
    (0..10_000u32).for_each(|n| sender.try_send(n).unwrap());
    let (received, seen) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let count = received.clone();
    simulation.scheduler().spawn_task(async move {
        while receiver.recv().await.is_some() {
            count.set(count.get() + 1);
        }
    });
    let (count, noted) = (received.clone(), seen.clone());
    simulation
        .scheduler()
        .spawn_task(async move { noted.set(count.get()) });
    drop(sender);
    simulation.settle();
    assert_eq!(received.get(), 10_000);
    assert!(
        seen.get() <= 128,
        "the other task ran after {} values",
        seen.get()
    );
}
