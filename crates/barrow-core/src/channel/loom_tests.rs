//! Every interleaving of sending, receiving, waiting and closing.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use loom::{future::block_on, thread};

use super::*;

#[test]
fn i1_no_lost_wakeup_of_a_receiver_that_waits() {
    loom::model(|| {
        let (sender, mut receiver) = bounded(1);
        let thread = thread::spawn(move || {
            sender.try_send(1).expect("there is room");
            sender
        });
        assert_eq!(block_on(receiver.recv()), Some(1));
        thread.join().unwrap();
    });
}

#[test]
fn i1_no_lost_wakeup_when_the_last_sender_goes() {
    loom::model(|| {
        let (sender, mut receiver) = bounded::<u8>(1);
        let other = sender.clone();
        let thread = thread::spawn(move || drop(other));
        drop(sender);
        assert_eq!(block_on(receiver.recv()), None);
        thread.join().unwrap();
    });
}

#[test]
fn what_was_sent_before_the_last_sender_went_is_received() {
    loom::model(|| {
        let (sender, mut receiver) = unbounded();
        let thread = thread::spawn(move || sender.send(7).expect("the receiver is there"));
        assert_eq!(block_on(receiver.recv()), Some(7));
        assert_eq!(block_on(receiver.recv()), None);
        thread.join().unwrap();
    });
}

#[test]
fn i1_no_lost_wakeup_of_a_sender_that_waits_for_room() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (sender, mut receiver) = bounded(1);
        sender.try_send(1).expect("there is room");
        let thread = thread::spawn(move || block_on(sender.send(2)).expect("it is received"));
        assert_eq!(block_on(receiver.recv()), Some(1));
        assert_eq!(block_on(receiver.recv()), Some(2));
        thread.join().unwrap();
    });
}

#[test]
fn i1_no_lost_wakeup_of_a_sender_when_the_receiver_goes() {
    loom::model(|| {
        let (sender, receiver) = bounded(1);
        sender.try_send(1).expect("there is room");
        let thread = thread::spawn(move || drop(receiver));
        // Accepted just before, or refused: either way it does not wait for ever.
        let _ = block_on(sender.send(2));
        thread.join().unwrap();
    });
}

#[test]
fn i1_no_lost_wakeup_of_a_sender_behind_one_that_gives_up() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (sender, mut receiver) = bounded(1);
        sender.try_send(1).expect("there is room");
        let first = sender.clone();
        let quitter = thread::spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            let sent = pin!(first.send(0)).poll(&mut cx).is_ready();
            sent // dropped here, called or not
        });
        let waiter = thread::spawn(move || block_on(sender.send(2)).expect("it is received"));
        let mut received = vec![block_on(receiver.recv())];
        if quitter.join().unwrap() {
            received.push(block_on(receiver.recv()));
        }
        received.push(block_on(receiver.recv()));
        waiter.join().unwrap();
        received.sort_unstable();
        let expected: &[_] = &[Some(0), Some(1), Some(2)];
        assert_eq!(received, expected[expected.len() - received.len()..]);
    });
}

#[test]
fn a_lossy_channel_keeps_the_latest_and_wakes_for_it() {
    loom::model(|| {
        let (sender, mut receiver) = lossy(1, Overflow::DropOldest);
        let thread = thread::spawn(move || {
            for n in [1, 2] {
                sender.send(n).expect("the receiver is there");
            }
        });
        let mut last = block_on(receiver.recv());
        if last == Some(1) {
            last = block_on(receiver.recv());
        }
        assert_eq!(last, Some(2));
        thread.join().unwrap();
        assert_eq!(block_on(receiver.recv()), None);
    });
}
