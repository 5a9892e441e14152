//! What workers promise.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::timer::Sleep;
use barrow_core::{Instant, Unit, UnitContext, Work};

use super::*;
use crate::io::{ByteStream, Direction, unix};
use crate::sys::Clock;

fn counting() -> Handle<u64> {
    spawn(
        Options {
            name: "test".into(),
            ..Options::default()
        },
        Clock::new(),
        |_| io::Result::Ok(0),
    )
    .unwrap()
}

#[test]
fn jobs_run_in_the_order_of_sending() {
    let worker = spawn(Options::default(), Clock::new(), |_| {
        io::Result::Ok(Vec::new())
    })
    .unwrap();
    let remote = worker.remote();
    for n in 0..500 {
        remote
            .send(move |list: &mut Vec<u32>| list.push(n))
            .unwrap();
    }
    let list = remote.call(std::mem::take).unwrap();
    assert!(list.into_iter().eq(0..500));
    worker.join().unwrap();
}

#[test]
fn no_job_is_lost_whoever_sends_it() {
    let worker = counting();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let remote = worker.remote();
            scope.spawn(move || {
                for n in 0..2000 {
                    while let Err(SendError::Full(_)) = remote.send(|count| *count += 1) {
                        std::thread::yield_now();
                    }
                    if n % 50 == 0 {
                        // The worker sleeps and is woken again and again.
                        remote.call(|_| ()).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(worker.remote().call(|count| *count).unwrap(), 6000);
}

#[test]
fn a_job_that_panics_ends_alone() {
    let worker = counting();
    let remote = worker.remote();
    let error = remote.call(|_| -> () { panic!("in a job, as the test wants") });
    assert_eq!(error, Err(CallError::Panicked));
    assert_eq!(remote.call(|count| *count), Ok(0));
    assert_eq!(remote.panics(), 1);
}

#[test]
fn a_full_queue_gives_the_job_back() {
    let mut worker = Worker::new(
        Options {
            jobs: 2,
            ..Options::default()
        },
        Clock::new(),
        |_| io::Result::Ok(0),
    )
    .unwrap();
    let remote = worker.remote();
    remote.send(|n| *n += 1).unwrap();
    remote.send(|n| *n += 1).unwrap();
    let Err(SendError::Full(job)) = remote.send(|n| *n += 10) else {
        panic!("taken")
    };
    worker.turn(Some(Instant::ZERO)).unwrap();
    remote.send(job).unwrap();
    worker.turn(Some(Instant::ZERO)).unwrap();
    assert_eq!(*worker.state(), 12);
}

#[test]
fn an_ended_worker_takes_no_job_and_keeps_none() {
    let worker = counting();
    let remote = worker.remote();
    worker.join().unwrap();
    assert!(remote.is_stopped());
    assert_eq!(remote.call(|count| *count), Err(CallError::Stopped));
    assert!(matches!(remote.send(|_| ()), Err(SendError::Stopped)));
}

#[test]
fn what_goes_wrong_at_the_start_is_told() {
    let failed = spawn(Options::default(), Clock::new(), |_| {
        Err::<(), _>("no state")
    });
    assert!(matches!(failed, Err(SpawnError::State("no state"))));
    let panicked = spawn(Options::default(), Clock::new(), |_| -> Result<(), ()> {
        panic!("as the test wants")
    });
    assert!(matches!(panicked, Err(SpawnError::Panicked)));
    let cpus = vec![1 << 20];
    let pinned = spawn(
        Options {
            cpus,
            ..Options::default()
        },
        Clock::new(),
        |_| Ok::<_, ()>(()),
    );
    assert!(matches!(pinned, Err(SpawnError::System(_))));
}

#[test]
fn advancing_the_clock_fires_what_is_due() {
    #[derive(Clone, Copy, PartialEq)]
    enum Stage {
        New,
        Asleep,
        Awake,
    }
    let clock = Clock::new();
    let worker = spawn(Options::default(), clock.clone(), |host| {
        let stage = Rc::new(Cell::new(Stage::New));
        let (timers, seen) = (host.scheduler.timers(), stage.clone());
        host.scheduler.spawn_task(async move {
            let at = timers.now() + Duration::from_secs(3600);
            seen.set(Stage::Asleep);
            Sleep::new(timers, at).await;
            seen.set(Stage::Awake);
        });
        io::Result::Ok(stage)
    })
    .unwrap();
    let remote = worker.remote();
    let wait_for = |stage| {
        while remote.call(|stage| stage.get()).unwrap() != stage {
            std::thread::yield_now();
        }
    };
    wait_for(Stage::Asleep);
    clock.advance(Duration::from_secs(7200));
    worker.ring();
    wait_for(Stage::Awake);
}

/// Always busy, and counts its calls.
struct Busy(Rc<Cell<u32>>);

impl Unit for Busy {
    fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
        self.0.set(self.0.get() + 1);
        Work::More
    }
}

#[test]
fn a_busy_worker_still_serves_its_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let address = unix::Address::Path(folder.path().join("s"));
    let bound = address.clone();
    let worker = spawn(Options::default(), Clock::new(), move |host| {
        host.scheduler.add(Busy(Rc::default()));
        let listener = unix::Listener::bind(&host.reactor, bound, unix::Options::default())?;
        host.scheduler.spawn_task(async move {
            let stream = listener.accept().await.unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            stream.write_all(&byte).await.unwrap();
        });
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })
    .unwrap();
    let mut client = std::os::unix::net::UnixStream::connect(address.path().unwrap()).unwrap();
    io::Write::write_all(&mut client, b"e").unwrap();
    let mut byte = [0];
    io::Read::read_exact(&mut client, &mut byte).unwrap();
    assert_eq!(byte, *b"e");
    worker.join().unwrap();
}

#[test]
fn a_polling_worker_does_not_park() {
    let mut worker = Worker::new(Options::default(), Clock::new(), |_| io::Result::Ok(())).unwrap();
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    worker.on_idle(move |()| {
        count.set(count.get() + 1);
        Idle::Poll
    });
    for _ in 0..100 {
        // Would sleep for ever if it parked.
        worker.turn(None).unwrap();
    }
    assert!(asked.get() >= 99);
}

#[test]
fn a_spinning_worker_sees_wakes_without_sleeping() {
    let options = Options {
        spin: Duration::from_millis(5),
        ..Options::default()
    };
    let worker = spawn(options, Clock::new(), |_| io::Result::Ok(0)).unwrap();
    for n in 1..200 {
        assert_eq!(
            worker.remote().call(|count| {
                *count += 1;
                *count
            }),
            Ok(n)
        );
    }
}

#[test]
fn shutdown_lets_units_finish() {
    struct Polite(Rc<RefCell<Vec<&'static str>>>);
    impl Unit for Polite {
        fn work(&mut self, _: &mut UnitContext<'_>) -> Work {
            self.0.borrow_mut().push("work");
            Work::Idle
        }
        fn shutdown(&mut self, _: Instant) {
            self.0.borrow_mut().push("goodbye");
        }
    }
    let mut worker = Worker::new(Options::default(), Clock::new(), |host| {
        let log = Rc::new(RefCell::new(Vec::new()));
        host.scheduler.add(Polite(log.clone()));
        io::Result::Ok(log)
    })
    .unwrap();
    worker.turn(Some(Instant::ZERO)).unwrap();
    let done = worker
        .shutdown(Duration::from_secs(60), |log, _| log.borrow().len() == 3)
        .unwrap();
    assert!(done);
    assert_eq!(*worker.state().borrow(), ["work", "goodbye", "work"]);
    assert!(!worker.shutdown(Duration::ZERO, |_, _| false).unwrap());
}

#[test]
fn a_process_node_finds_the_reactor() {
    let mut worker = Worker::new(Options::default(), Clock::new(), |_| io::Result::Ok(())).unwrap();
    let reactor = worker
        .host()
        .scheduler
        .extensions()
        .get::<crate::io::Reactor>()
        .unwrap();
    let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let source = reactor.register(near).unwrap();
    assert_eq!(worker.host().reactor.sources(), 1);
    assert!(source.is_ready(Direction::Write));
}
