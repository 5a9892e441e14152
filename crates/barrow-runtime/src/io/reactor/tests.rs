//! What a reactor promises, on real descriptors.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::time::Duration;

use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn reactor() -> Reactor {
    Reactor::new(Clock::new()).unwrap()
}

/// A watched end and the other one.
fn pair(reactor: &Reactor) -> (Source<UnixStream>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (reactor.register(near).unwrap(), far)
}

fn read(source: &Source<UnixStream>) -> std::task::Poll<io::Result<usize>> {
    source.try_io(Direction::Read, |stream| {
        rustix::io::read(stream, &mut [0; 16])
    })
}

#[test]
fn a_watcher_is_woken_at_each_edge() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    let count = Arc::new(Count::default());
    reactor.poll_now().unwrap();
    near.watch(Direction::Read, Some(&Waker::from(count.clone())));
    for n in 1..4 {
        far.write_all(b"x").unwrap();
        reactor.poll_now().unwrap();
        assert_eq!(count.get(), n);
    }
    near.watch(Direction::Read, None);
    far.write_all(b"x").unwrap();
    reactor.poll_now().unwrap();
    assert_eq!(count.get(), 3);
}

#[test]
fn a_source_that_would_block_is_not_tried_again_before_an_edge() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    assert!(read(&near).is_pending());
    assert!(!near.is_ready(Direction::Read));
    let tried = near.try_io(Direction::Read, |_| -> rustix::io::Result<()> {
        panic!("no call is made")
    });
    assert!(tried.is_pending());
    far.write_all(b"x").unwrap();
    reactor.park(None).unwrap();
    assert!(matches!(read(&near), std::task::Poll::Ready(Ok(1))));
}

#[test]
fn data_and_end_in_one_event_are_both_seen() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    assert!(read(&near).is_pending());
    far.write_all(b"x").unwrap();
    drop(far);
    reactor.park(None).unwrap();
    assert!(matches!(read(&near), std::task::Poll::Ready(Ok(1))));
    near.clear_ready(Direction::Read);
    assert!(
        matches!(read(&near), std::task::Poll::Ready(Ok(0))),
        "the end needs no further event"
    );
}

#[test]
fn a_dropped_source_is_forgotten() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    assert_eq!(reactor.sources(), 1);
    reactor.poll_now().unwrap();
    drop(near);
    assert_eq!(reactor.sources(), 0);
    assert!(far.write_all(b"x").is_err());
    assert_eq!(reactor.poll_now().unwrap(), 0);
}

#[test]
fn a_plain_file_cannot_be_watched() {
    let reactor = reactor();
    let plain = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(
        reactor.register(plain).unwrap_err().kind(),
        io::ErrorKind::PermissionDenied
    );
    assert_eq!(reactor.sources(), 0);
}

#[test]
fn the_bell_ends_a_sleep_that_has_not_begun() {
    let reactor = reactor();
    reactor.bell().ring();
    assert_eq!(reactor.park(None).unwrap(), 1);
}

#[test]
fn the_bell_ends_a_sleep_from_another_thread() {
    let reactor = reactor();
    for _ in 0..100 {
        let bell = reactor.bell();
        let ringer = std::thread::spawn(move || bell.ring());
        reactor.park(None).unwrap();
        ringer.join().unwrap();
    }
}

/// Rings as a scheduler does when one of its units is woken.
struct RingsFor(Bell);

impl Wake for RingsFor {
    fn wake(self: Arc<Self>) {
        barrow_core::Doorbell::ring(&self.0);
    }
}

#[test]
fn what_a_reactor_delivers_itself_needs_no_ring() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    reactor.poll_now().unwrap();
    let waker = Waker::from(Arc::new(RingsFor(reactor.bell())));
    near.watch(Direction::Read, Some(&waker));
    far.write_all(b"x").unwrap();
    assert_eq!(reactor.park(None).unwrap(), 1);
    assert_eq!(reactor.poll_now().unwrap(), 0, "the bell was not rung");
    waker.wake_by_ref();
    assert_eq!(reactor.poll_now().unwrap(), 1, "it rings for others");
    std::thread::scope(|scope| {
        let waker = &waker;
        scope.spawn(move || waker.wake_by_ref());
    });
    assert_eq!(reactor.poll_now().unwrap(), 1, "and for other threads");
}

#[test]
fn a_sleep_never_ends_before_its_deadline() {
    let reactor = reactor();
    for micros in [1, 50, 999, 1_000, 1_001, 5_000] {
        let until = reactor.clock().now() + Duration::from_micros(micros);
        while reactor.park(Some(until)).unwrap() > 0 {}
        assert!(reactor.clock().now() >= until, "{micros} us");
    }
}

#[test]
fn without_a_fine_timeout_the_timer_does_it() {
    let reactor = reactor();
    reactor.0.fine.set(false);
    let until = reactor.clock().now() + Duration::from_micros(200);
    assert_eq!(reactor.park(Some(until)).unwrap(), 1, "the timer's event");
    assert!(reactor.clock().now() >= until);
    assert_eq!(reactor.0.armed.get(), None);
}

#[test]
fn a_stopped_timer_does_not_ring_later() {
    let reactor = reactor();
    reactor.bell().ring();
    reactor
        .park(Some(reactor.clock().now() + Duration::from_millis(20)))
        .unwrap();
    assert!(reactor.0.armed.get().is_some());
    reactor.bell().ring();
    reactor.park(None).unwrap();
    assert!(reactor.0.armed.get().is_none());
}

#[test]
fn a_clock_that_was_advanced_ends_the_sleep_at_once() {
    let reactor = reactor();
    let until = reactor.clock().now() + Duration::from_secs(3600);
    reactor.clock().advance(Duration::from_secs(3600));
    assert_eq!(reactor.park(Some(until)).unwrap(), 0);
}

#[test]
fn no_more_events_than_the_bound_are_taken_at_once() {
    let reactor = reactor();
    let mut pairs: Vec<_> = (0..EVENTS + 10).map(|_| pair(&reactor)).collect();
    for (_, far) in &mut pairs {
        far.write_all(b"x").unwrap();
    }
    assert_eq!(reactor.poll_now().unwrap(), EVENTS);
    assert_eq!(reactor.poll_now().unwrap(), 10);
    assert_eq!(reactor.poll_now().unwrap(), 0);
}

#[test]
fn a_peer_that_reads_causes_events_only_while_somebody_waits_to_write() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    let count = Arc::new(Count::default());
    near.watch(Direction::Write, Some(&Waker::from(count.clone())));
    let write = || {
        near.try_io(Direction::Write, |stream| {
            rustix::io::write(stream, &[0; 4096])
        })
    };
    let mut drain = |len| far.read_exact(&mut vec![0; len]).unwrap();

    assert!(write().is_ready());
    drain(4096);
    assert_eq!(reactor.poll_now().unwrap(), 0, "nobody waits");

    let mut sent = 0;
    while let std::task::Poll::Ready(written) = write() {
        sent += written.unwrap();
    }
    drain(sent);
    assert!(reactor.park(None).unwrap() > 0);
    assert!(count.get() > 0, "room is reported");

    assert!(write().is_ready());
    near.relax_write();
    reactor.poll_now().unwrap();
    drain(4096);
    assert_eq!(reactor.poll_now().unwrap(), 0, "nobody waits any more");
}

#[test]
fn a_flag_tells_which_device_rang() {
    let reactor = reactor();
    let (first, mut far) = pair(&reactor);
    let (second, _far) = pair(&reactor);
    reactor.poll_now().unwrap();
    let unit = Arc::new(Count::default());
    let flags = [&first, &second].map(|source| {
        let flag = Flag::new(Waker::from(unit.clone()));
        source.watch(Direction::Read, Some(&flag.waker()));
        assert!(flag.take(), "looked at once to begin with");
        flag
    });
    far.write_all(b"x").unwrap();
    reactor.park(None).unwrap();
    assert_eq!(
        (flags[0].take(), flags[1].take(), unit.get()),
        (true, false, 1)
    );
}

#[test]
fn a_future_runs_to_its_end() {
    let reactor = reactor();
    let (near, mut far) = pair(&reactor);
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        far.read_exact(&mut byte).unwrap();
        far.write_all(&byte).unwrap();
    });
    let got = reactor.block_on(async {
        near.io(Direction::Write, |stream| rustix::io::write(stream, b"z"))
            .await?;
        let mut byte = [0];
        near.io(Direction::Read, |stream| {
            rustix::io::read(stream, &mut byte)
        })
        .await?;
        io::Result::Ok(byte)
    });
    assert_eq!(got.unwrap().unwrap(), *b"z");
    echo.join().unwrap();
}
