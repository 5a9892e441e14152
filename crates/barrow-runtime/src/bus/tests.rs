//! The bus within one worker, on virtual time; across workers see the controller's tests.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use barrow_core::channel::TrySendError;
use barrow_core::testing::Simulation;
use barrow_core::timer::Sleep;

use super::*;

const NEWS: Topic = Topic::named("news");
const WEATHER: Topic = Topic::named("weather");

fn three(simulation: &mut Simulation, capacity: usize) -> (Bus<u32>, [Endpoint<u32>; 3]) {
    let (bus, timers) = (Bus::new(), simulation.scheduler().timers());
    let endpoints = [0, 1, 2].map(|_| bus.attach(timers.clone(), capacity));
    (bus, endpoints)
}

fn all(endpoint: &mut Endpoint<u32>) -> Vec<(Via, u32)> {
    std::iter::from_fn(|| endpoint.try_recv().ok())
        .map(|envelope| (envelope.via, envelope.message))
        .collect()
}

#[test]
fn only_subscribers_get_what_is_published_and_never_the_publisher() {
    let mut simulation = Simulation::new();
    let (bus, [mut a, mut b, mut c]) = three(&mut simulation, 4);
    a.subscribe(NEWS);
    b.subscribe(NEWS);
    b.subscribe(NEWS);
    b.subscribe(WEATHER);
    assert_eq!((bus.subscribers(NEWS), bus.subscribers(WEATHER)), (2, 1));
    assert_eq!(a.offer(NEWS, 1).delivered, 1);
    assert_eq!(c.offer(WEATHER, 2).delivered, 1);
    assert_eq!(
        all(&mut b),
        [(Via::Topic(NEWS), 1), (Via::Topic(WEATHER), 2)]
    );
    assert_eq!((all(&mut a), all(&mut c)), (vec![], vec![]));
    b.unsubscribe(NEWS);
    drop(a);
    assert_eq!(c.offer(NEWS, 3), Offered::default());
    assert_eq!((bus.subscribers(NEWS), bus.endpoints()), (0, 2));
}

#[test]
fn a_direct_message_reaches_its_address_and_comes_back_when_that_is_gone() {
    let mut simulation = Simulation::new();
    let (bus, [a, mut b, c]) = three(&mut simulation, 1);
    assert_eq!(a.try_send(b.address(), 1), Ok(()));
    assert_eq!(a.try_send(b.address(), 2), Err(TrySendError::Full(2)));
    assert_eq!(
        b.try_recv().map(|e| (e.from, e.via, e.message)),
        Ok((a.address(), Via::Direct, 1))
    );
    let gone = c.address();
    drop(c);
    assert_eq!(a.try_send(gone, 3), Err(TrySendError::Closed(3)));
    let late = bus.attach(simulation.scheduler().timers(), 1);
    assert_ne!(late.address(), gone, "an address is never used again");
    let stats = bus.stats();
    assert_eq!(
        (stats.delivered, stats.dropped, stats.unreachable),
        (1, 1, 1)
    );
}

#[test]
fn a_broadcast_reaches_everybody_else() {
    let mut simulation = Simulation::new();
    let (_, [mut a, mut b, mut c]) = three(&mut simulation, 4);
    assert_eq!(
        b.offer_all(7),
        Offered {
            delivered: 2,
            dropped: 0
        }
    );
    assert_eq!(all(&mut a), [(Via::Broadcast, 7)]);
    assert_eq!((all(&mut b).len(), all(&mut c).len()), (0, 1));
}

#[test]
fn i4_backpressure_what_must_be_delivered_makes_the_sender_wait_and_the_wait_is_measured() {
    let mut simulation = Simulation::new();
    let (bus, [a, mut slow, _]) = three(&mut simulation, 2);
    let timers = simulation.scheduler().timers();
    let mut fast = bus.attach(timers.clone(), 16);
    slow.subscribe(NEWS);
    fast.subscribe(NEWS);
    let (sent, seen) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
    let (count, noted) = (sent.clone(), seen.clone());
    simulation.scheduler().spawn_task(async move {
        for n in 0..10 {
            assert_eq!(a.publish(NEWS, n).await, 2);
            count.set(n + 1);
        }
    });
    simulation.scheduler().spawn_task(async move {
        loop {
            Sleep::new(timers.clone(), timers.now() + Duration::from_secs(1)).await;
            let message = slow.recv().await.message;
            noted.borrow_mut().push(message);
        }
    });
    simulation.settle();
    assert_eq!(sent.get(), 2, "two fit, the third waits");
    assert_eq!(
        all(&mut fast).len(),
        3,
        "who has room does not wait for who has none"
    );
    for _ in 0..20 {
        simulation.advance(Duration::from_secs(1));
    }
    assert!(
        seen.borrow().iter().copied().eq(0..10),
        "in order, none lost"
    );
    let stats = bus.stats();
    assert_eq!((stats.delivered, stats.dropped, stats.waits), (20, 0, 8));
    assert_eq!(stats.waited, Duration::from_secs(8));
    assert_eq!(stats.longest_wait, Duration::from_secs(1));
}

#[test]
fn i4_backpressure_what_may_be_dropped_is_counted() {
    let mut simulation = Simulation::new();
    let (bus, [a, mut slow, _]) = three(&mut simulation, 4);
    slow.subscribe(NEWS);
    let offered: Vec<_> = (0..6).map(|n| a.offer(NEWS, n)).collect();
    assert_eq!(offered.iter().map(|o| o.delivered).sum::<usize>(), 4);
    assert_eq!(all(&mut slow).len(), 4);
    assert_eq!((bus.stats().dropped, bus.stats().delivered), (2, 4));
}

#[test]
fn i1_no_lost_wakeup_of_a_publisher_whose_subscriber_goes_away() {
    let mut simulation = Simulation::new();
    let (_, [a, mut slow, _]) = three(&mut simulation, 1);
    slow.subscribe(NEWS);
    a.offer(NEWS, 1);
    let reached = Rc::new(Cell::new(None));
    let noted = reached.clone();
    simulation
        .scheduler()
        .spawn_task(async move { noted.set(Some(a.publish(NEWS, 2).await)) });
    simulation.settle();
    assert_eq!(reached.get(), None);
    drop(slow);
    simulation.settle();
    assert_eq!(reached.get(), Some(0));
}
