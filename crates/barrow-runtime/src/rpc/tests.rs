//! Typed calls over real wires and pipes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use barrow_core::testing::Simulation;
use barrow_core::timer::{Sleep, timeout};
use barrow_core::{Instant, Spawner};

use super::*;

struct Add;
impl Method for Add {
    const NAME: &'static str = "add";
    type Request = (u32, u32);
    type Reply = u32;
}

/// Answers after so many seconds.
struct Nap;
impl Method for Nap {
    const NAME: &'static str = "nap";
    type Request = u32;
    type Reply = u32;
}

struct Panic;
impl Method for Panic {
    const NAME: &'static str = "panic";
    type Request = ();
    type Reply = ();
}

struct Unknown;
impl Method for Unknown {
    const NAME: &'static str = "unknown";
    type Request = ();
    type Reply = ();
}

/// `Add`, misunderstood.
struct Short;
impl Method for Short {
    const NAME: &'static str = "add";
    type Request = u8;
    type Reply = u32;
}

/// Counts up to a number.
struct Count;
impl StreamMethod for Count {
    const NAME: &'static str = "count";
    type Request = u32;
    type Item = u32;
}

#[derive(Clone, Default)]
struct Seen {
    sent: Rc<Cell<u32>>,
    dropped: Rc<Cell<u32>>,
}

/// Counts when it is dropped.
struct OnDrop(Rc<Cell<u32>>);
impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn service(seen: &Seen) -> Service {
    let (sent, dropped) = (seen.sent.clone(), seen.dropped.clone());
    Service::new()
        .method(Add, |_, (a, b): (u32, u32)| async move {
            a.checked_add(b)
                .ok_or_else(|| Code::APPLICATION.because("an overflow"))
        })
        .method(Nap, move |cx, secs| {
            let gone = OnDrop(dropped.clone());
            async move {
                let until = cx.now() + Duration::from_secs(secs.into());
                Sleep::new(cx.timers(), until).await;
                drop(gone);
                Ok(secs)
            }
        })
        .method(Panic, |_, ()| async { panic!("as the test wants") })
        .stream(Count, move |_, to, mut sink: Sink<u32>| {
            let sent = sent.clone();
            async move {
                for n in 0..to {
                    sink.send(&n).await?;
                    sent.set(n + 1);
                }
                Ok(())
            }
        })
}

/// A client and a service on one worker, over a pipe.
fn connected(spawner: &Spawner, limits: Limits) -> (Connection, Connection, Seen) {
    let ((here, there), seen) = (pipe(), Seen::default());
    let server = Connection::open(spawner, there, service(&seen), limits);
    let client = Connection::open(spawner, here, Service::new(), limits);
    (client, server, seen)
}

/// Runs `test` with a client on virtual time; it must end.
fn with_client<F: Future<Output = ()> + 'static>(
    limits: Limits,
    test: impl FnOnce(Client, Seen, Spawner) -> F,
) {
    let mut simulation = Simulation::new();
    let spawner = simulation.spawner();
    let (client, _server, seen) = connected(&spawner, limits);
    let ended = Rc::new(Cell::new(false));
    let (done, future) = (ended.clone(), test(client.client(), seen, spawner.clone()));
    spawner.spawn_named_task("test", async move {
        future.await;
        done.set(true);
    });
    simulation.advance(Duration::from_secs(3_600));
    for failure in simulation.scheduler().take_failures() {
        assert_ne!(&*failure.name, "test", "{}", failure.exit);
    }
    assert!(ended.get(), "the test hangs");
}

fn code(result: Result<impl std::fmt::Debug, CallError>) -> Code {
    match result {
        Err(CallError::Failed(failure)) => failure.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn replies_and_failures_come_back_typed() {
    with_client(Limits::default(), |client, _, _| async move {
        assert_eq!(client.call::<Add>(&(2, 3)).await, Ok(5));
        assert_eq!(
            code(client.call::<Add>(&(u32::MAX, 1)).await),
            Code::APPLICATION
        );
        assert_eq!(code(client.call::<Unknown>(&()).await), Code::NO_METHOD);
        assert_eq!(code(client.call::<Short>(&1).await), Code::BAD_REQUEST);
        assert_eq!(
            client.call::<Add>(&(4, 4)).await,
            Ok(8),
            "the connection goes on"
        );
    });
}

#[test]
fn i10_failures_are_values_a_handler_that_panics_fails_its_call_alone() {
    with_client(Limits::default(), |client, _, _| async move {
        assert_eq!(code(client.call::<Panic>(&()).await), Code::INTERNAL);
        assert_eq!(client.call::<Add>(&(1, 1)).await, Ok(2));
    });
}

#[test]
fn an_expired_deadline_fails_the_call_and_drops_the_handler() {
    with_client(Limits::default(), |client, seen, spawner| async move {
        let start = spawner.now();
        let result = client.call_within::<Nap>(Duration::from_secs(2), &60).await;
        assert!(result.unwrap_err().is_deadline());
        assert_eq!(spawner.now() - start, Duration::from_secs(2));
        barrow_core::task::yield_now().await;
        assert_eq!(seen.dropped.get(), 1);
        assert_eq!(
            client.call_within::<Nap>(Duration::from_secs(2), &1).await,
            Ok(1)
        );
    });
}

#[test]
fn a_dropped_call_drops_the_handler() {
    with_client(Limits::default(), |client, seen, spawner| async move {
        let call = client.call::<Nap>(&1_000);
        let limit = timeout(spawner.timers(), Duration::from_secs(1), call);
        assert!(limit.await.is_err());
        Sleep::new(spawner.timers(), spawner.now() + Duration::from_millis(1)).await;
        assert_eq!(
            (seen.dropped.get(), spawner.now() < Instant::from_secs(2)),
            (1, true)
        );
    });
}

#[test]
fn i4_backpressure_a_stream_runs_no_further_ahead_than_its_window() {
    with_client(Limits::default(), |client, seen, spawner| async move {
        let mut items = client.stream::<Count>(8, None, &1_000).await.unwrap();
        for n in 0..1_000 {
            if n % 100 == 0 {
                Sleep::new(spawner.timers(), spawner.now() + Duration::from_secs(1)).await;
                assert!(seen.sent.get() <= n + 8, "{} of {n}", seen.sent.get());
            }
            assert_eq!(items.next().await, Some(Ok(n)));
        }
        assert_eq!(items.next().await, None);
        assert_eq!(items.next().await, None);
    });
}

#[test]
fn a_dropped_stream_ends_its_handler_and_a_short_deadline_too() {
    with_client(Limits::default(), |client, seen, spawner| async move {
        let mut items = client.stream::<Count>(4, None, &u32::MAX).await.unwrap();
        assert_eq!(items.next().await, Some(Ok(0)));
        drop(items);
        Sleep::new(spawner.timers(), spawner.now() + Duration::from_secs(1)).await;
        let sent = seen.sent.get();
        let limit = Some(Duration::from_secs(5));
        let mut items = client.stream::<Count>(2, limit, &u32::MAX).await.unwrap();
        Sleep::new(spawner.timers(), spawner.now() + Duration::from_secs(6)).await;
        assert!(sent <= 8 && seen.sent.get() <= 8);
        assert_eq!(items.next().await, Some(Ok(0)));
        assert_eq!(items.next().await, Some(Ok(1)));
        assert!(items.next().await.unwrap().unwrap_err().is_deadline());
    });
}

#[test]
fn i4_backpressure_calls_beyond_the_peers_limit_wait_in_line() {
    let limits = Limits {
        max_calls: 2,
        ..Limits::default()
    };
    with_client(limits, |client, _, spawner| async move {
        let order = Rc::new(RefCell::new(Vec::new()));
        let calls = (0..6).map(|n| {
            let (client, order) = (client.clone(), order.clone());
            async move {
                assert_eq!(client.call::<Nap>(&1).await, Ok(1));
                order.borrow_mut().push(n);
            }
        });
        let start = spawner.now();
        futures::future::join_all(calls).await;
        assert_eq!(
            spawner.now() - start,
            Duration::from_secs(3),
            "two at a time"
        );
        assert_eq!(*order.borrow(), [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn streams_that_fill_the_limit_do_not_starve_behind_waiting_calls() {
    let limits = Limits {
        max_calls: 1,
        ..Limits::default()
    };
    with_client(limits, |client, _, _| async move {
        let stream = async {
            let mut items = client.stream::<Count>(1, None, &20).await.unwrap();
            let mut count = 0;
            while let Some(item) = items.next().await {
                count += u32::from(item.is_ok());
            }
            assert_eq!(count, 20);
        };
        let calls = (0..100).map(|_| client.call::<Add>(&(1, 1)));
        let (_, sums) = futures::join!(stream, futures::future::join_all(calls));
        assert!(sums.into_iter().all(|sum| sum == Ok(2)));
    });
}

#[test]
fn large_requests_go_through_in_both_directions_at_once() {
    struct Echo;
    impl Method for Echo {
        const NAME: &'static str = "echo";
        type Request = String;
        type Reply = String;
    }
    let mut simulation = Simulation::new();
    let (spawner, (here, there)) = (simulation.spawner(), pipe());
    let echo = || Service::new().method(Echo, |_, text: String| async move { Ok(text) });
    let ends = [here, there].map(|end| Connection::open(&spawner, end, echo(), Limits::default()));
    let count = Rc::new(Cell::new(0));
    for end in &ends {
        for _ in 0..20 {
            let (client, count) = (end.client(), count.clone());
            spawner.spawn_task(async move {
                let text = "x".repeat(2 << 20);
                assert_eq!(client.call::<Echo>(&text).await.as_ref(), Ok(&text));
                count.set(count.get() + 1);
            });
        }
    }
    simulation.advance(Duration::from_secs(60));
    assert_eq!(count.get(), 40);
}

#[test]
fn a_connection_that_ends_says_why_and_fails_every_call() {
    let mut simulation = Simulation::new();
    let spawner = simulation.spawner();
    let (client, server, seen) = connected(&spawner, Limits::default());
    let result = Rc::new(RefCell::new(None));
    let (calling, noted) = (client.client(), result.clone());
    spawner.spawn_task(async move {
        let answer = calling.call::<Nap>(&100).await;
        noted.replace(Some(answer));
    });
    simulation.advance(Duration::from_secs(1));
    assert!(spawner.remove(server.unit()));
    simulation.advance(Duration::from_secs(1));
    assert_eq!(code(result.take().expect("it has ended")), Code::LOST);
    assert_eq!(seen.dropped.get(), 1, "handlers end with their connection");
    let reason = Rc::new(Cell::new(None));
    let noted = reason.clone();
    let late = client.client();
    spawner.spawn_task(async move {
        noted.set(Some(client.closed().await.0));
        assert_eq!(
            client.client().call::<Add>(&(1, 1)).await,
            Err(CallError::Closed)
        );
    });
    simulation.settle();
    assert_eq!(reason.take(), Some(CloseReason::Lost));
    assert!(late.is_closed() && simulation.scheduler().take_failures().is_empty());
}

#[test]
fn a_goodbye_ends_both_sides_after_the_last_call() {
    let mut simulation = Simulation::new();
    let spawner = simulation.spawner();
    let (client, server, _) = connected(&spawner, Limits::default());
    let (calling, ok) = (client.client(), Rc::new(Cell::new(false)));
    let noted = ok.clone();
    spawner.spawn_task(async move { noted.set(calling.call::<Nap>(&5).await == Ok(5)) });
    simulation.advance(Duration::from_secs(1));
    client.leave();
    let reasons = Rc::new(RefCell::new(Vec::new()));
    for end in [client, server] {
        let reasons = reasons.clone();
        spawner.spawn_task(async move {
            let (reason, _) = end.closed().await;
            reasons.borrow_mut().push(reason);
        });
    }
    simulation.advance(Duration::from_secs(1));
    assert!(reasons.borrow().is_empty(), "a call is still going on");
    simulation.advance(Duration::from_secs(10));
    assert!(ok.get());
    assert_eq!(
        *reasons.borrow(),
        [CloseReason::Finished, CloseReason::Finished]
    );
}
