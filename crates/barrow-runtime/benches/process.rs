//! What waking, sleeping and sending cost a process node, beside the same on bare system calls and on tokio's
//! current-thread runtime: `cargo bench -p barrow-runtime --bench process`.
//!
//! Prints figures; a busy machine shows in the peers' figures of the same run. FD.io VPP 26.06 for comparison, from
//! elsewhere: a foreign thread wakes a Rust process node in 2.4 ms (median), 9 to 18 ms at worst.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant as SystemInstant};

use barrow_core::channel::{Receiver, bounded};
use barrow_core::{
    Extensions, Instant, Next, ProcessContext, ProcessError, Scheduler, process_node, timer::Sleep,
};
use barrow_runtime::host::{Options, spawn};
use barrow_runtime::sys::Clock;
use rustix::event::{EventfdFlags, epoll, eventfd};

/// Wakes of each kind, a millisecond apart.
const WAKES: usize = 2_000;
/// Sleeps of ten milliseconds.
const SLEEPS: usize = 200;
/// Events through a channel.
const EVENTS: u64 = 4_000_000;

/// Figures of one kind, in microseconds.
fn print(what: &str, mut nanos: Vec<u64>) {
    nanos.sort_unstable();
    let at = |percent: usize| nanos[(nanos.len() - 1) * percent / 100] as f64 / 1e3;
    println!(
        "{what:<44} p50 {:>9.2} us  p99 {:>9.2} us  max {:>9.2} us",
        at(50),
        at(99),
        at(100)
    );
}

/// Notes how long each stamp was under way.
#[process_node(name = "woken")]
async fn woken(
    _cx: ProcessContext<Woken>,
    clock: Clock,
    mut stamps: Receiver<Instant>,
    done: mpsc::Sender<Vec<u64>>,
) -> Result<(), ProcessError> {
    let mut late = Vec::with_capacity(WAKES);
    while let Some(sent) = stamps.recv().await {
        late.push((clock.now() - sent).as_nanos() as u64);
    }
    done.send(late)?;
    Ok(())
}

/// From another thread to a node: the host sleeps, or spins.
fn wake_from_another_thread(spin: Duration) -> Vec<u64> {
    let clock = Clock::new();
    let options = Options {
        spin,
        ..Options::default()
    };
    let (sender, stamps) = bounded(16);
    let (done, result) = mpsc::channel();
    let of_node = clock.clone();
    let worker = spawn(options, clock.clone(), move |host| {
        host.scheduler.start_process(Woken {
            clock: of_node,
            stamps,
            done,
        });
        io::Result::Ok(())
    });
    let worker = worker.expect("a worker");
    for _ in 0..WAKES {
        thread::sleep(Duration::from_millis(1));
        sender.try_send(clock.now()).expect("the node keeps up");
    }
    drop(sender);
    let late = result.recv().expect("the node ends");
    worker.stop();
    worker.join().expect("the worker ends");
    late
}

/// The floor: an eventfd that wakes a thread in epoll.
fn wake_by_eventfd() -> Vec<u64> {
    let clock = Clock::new();
    let bell = eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd");
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
    let flags = epoll::EventFlags::IN;
    epoll::add(&poll, &bell, epoll::EventData::new_u64(0), flags).expect("it is new");
    let (sender, stamps) = mpsc::channel();
    let (clock, bell, poll) = (&clock, &bell, &poll);
    thread::scope(|scope| {
        let waiter = scope.spawn(move || {
            let mut late = Vec::with_capacity(WAKES);
            let mut events = Vec::with_capacity(1);
            while late.len() < WAKES {
                events.clear();
                epoll::wait(poll, rustix::buffer::spare_capacity(&mut events), None)
                    .expect("an event");
                rustix::io::read(bell, &mut [0; 8]).expect("a count");
                let sent: Instant = stamps.recv().expect("sent before the ring");
                late.push((clock.now() - sent).as_nanos() as u64);
            }
            late
        });
        for _ in 0..WAKES {
            thread::sleep(Duration::from_millis(1));
            sender.send(clock.now()).expect("the waiter is there");
            rustix::io::write(bell, &1u64.to_ne_bytes()).expect("room");
        }
        waiter.join().expect("no panic")
    })
}

/// Notes how late each sleep ends.
#[process_node(name = "sleeper")]
async fn sleeper(
    cx: ProcessContext<Sleeper>,
    clock: Clock,
    done: mpsc::Sender<Vec<u64>>,
) -> Result<(), ProcessError> {
    let mut late = Vec::with_capacity(SLEEPS);
    for _ in 0..SLEEPS {
        let end = cx.now() + Duration::from_millis(10);
        cx.sleep_until(end).await;
        late.push((clock.now() - end).as_nanos() as u64);
    }
    done.send(late)?;
    Ok(())
}

fn sleeps_of_a_node() -> Vec<u64> {
    let clock = Clock::new();
    let (done, result) = mpsc::channel();
    let of_node = clock.clone();
    let worker = spawn(Options::default(), clock, move |host| {
        host.scheduler.start_process(Sleeper {
            clock: of_node,
            done,
        });
        io::Result::Ok(())
    });
    let worker = worker.expect("a worker");
    let late = result.recv().expect("the node ends");
    worker.stop();
    worker.join().expect("the worker ends");
    late
}

/// The floor: `epoll_pwait2` with a time limit and nothing to wait for.
fn sleeps_of_epoll() -> Vec<u64> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
    let mut late = Vec::with_capacity(SLEEPS);
    let mut events: Vec<epoll::Event> = Vec::with_capacity(1);
    for _ in 0..SLEEPS {
        let end = SystemInstant::now() + Duration::from_millis(10);
        let limit = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 10_000_000,
        };
        epoll::wait(
            &poll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&limit),
        )
        .expect("a time-out");
        late.push(end.elapsed().as_nanos() as u64);
    }
    late
}

fn sleeps_of_tokio() -> Vec<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut late = Vec::with_capacity(SLEEPS);
        for _ in 0..SLEEPS {
            let end = tokio::time::Instant::now() + Duration::from_millis(10);
            tokio::time::sleep_until(end).await;
            late.push(end.elapsed().as_nanos() as u64);
        }
        late
    })
}

/// Lets the other tasks run first.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Events a second through a channel of one thread, `queued` at a time.
fn channel_here(queued: u64) -> f64 {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let (sender, mut receiver) = bounded(queued as usize);
    let received = Rc::new(Cell::new(0));
    let count = received.clone();
    scheduler.spawn_task(async move {
        while receiver.recv().await.is_some() {
            count.set(count.get() + 1);
        }
    });
    scheduler.spawn_task(async move {
        for _ in 0..EVENTS / queued {
            for n in 0..queued {
                sender.send(n).await.expect("the receiver is there");
            }
            Yield(false).await;
        }
    });
    let start = SystemInstant::now();
    while scheduler.turn(Instant::ZERO, 256) == Next::Again {}
    assert_eq!(received.get(), EVENTS / queued * queued);
    received.get() as f64 / start.elapsed().as_secs_f64()
}

fn channel_in_tokio(queued: u64) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(queued as usize);
        let receive = tokio::spawn(async move {
            let mut received = 0u64;
            while receiver.recv().await.is_some() {
                received += 1;
            }
            received
        });
        let start = SystemInstant::now();
        for _ in 0..EVENTS / queued {
            for n in 0..queued {
                sender.send(n).await.expect("the receiver is there");
            }
            tokio::task::yield_now().await;
        }
        drop(sender);
        let received = receive.await.expect("no panic");
        received as f64 / start.elapsed().as_secs_f64()
    })
}

/// Seconds that a million sleeping tasks take from their start to their end, on virtual time.
fn million_timers() -> f64 {
    let mut scheduler = Scheduler::new((), Extensions::new());
    let timers = scheduler.timers();
    let start = SystemInstant::now();
    for n in 0..1_000_000u64 {
        let at = Instant::from_micros(n.wrapping_mul(0x9e37_79b9) % 3_600_000_000);
        scheduler.spawn_task(Sleep::new(timers.clone(), at));
    }
    let mut now = Instant::ZERO;
    loop {
        match scheduler.turn(now, 1 << 16) {
            Next::Again => {}
            Next::Park { until: Some(_) } => now += Duration::from_millis(10),
            Next::Park { until: None } => break,
        }
    }
    start.elapsed().as_secs_f64()
}

fn main() {
    // `cargo test --benches` asks for a run without measuring.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    print(
        "wake from another thread, host parked",
        wake_from_another_thread(Duration::ZERO),
    );
    print("  bare eventfd, thread in epoll", wake_by_eventfd());
    print(
        "wake from another thread, host spins",
        wake_from_another_thread(Duration::from_millis(5)),
    );
    print("sleep of 10 ms: late by", sleeps_of_a_node());
    print("  bare epoll_pwait2", sleeps_of_epoll());
    print("  tokio", sleeps_of_tokio());
    println!(
        "a million sleeping tasks, start to end{:>21.2} s",
        million_timers()
    );
    for queued in [1, 16, 256] {
        println!(
            "channel, same thread, {queued:>3} queued {:>12.1} M events/s   tokio {:>8.1} M events/s",
            channel_here(queued) / 1e6,
            channel_in_tokio(queued) / 1e6
        );
    }
}
