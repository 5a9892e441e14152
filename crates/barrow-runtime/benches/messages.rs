//! What a message costs: between controller and worker, over the bus, and beside them a bare eventfd
//! round trip of two threads pinned the same way.
//!
//! `cargo bench -p barrow-runtime --bench messages`
//!
//! Rounds of all cases alternate; what is told is the median over the rounds. In the cases with many
//! messages in flight each payload is written at its source and summed at its sink.

use std::time::{Duration, Instant};

use barrow_runtime::bus::{Bus, Topic};
use barrow_runtime::controller::{Controller, Placement, Task, WorkerId};
use barrow_runtime::sys::cpu;
use rustix::event::{EventfdFlags, eventfd};

const ROUNDS: usize = 9;
/// Round trips of a round with one message in flight.
const TRIPS: usize = 2_000;
/// Messages of a round with many in flight.
const MESSAGES: usize = 100_000;

/// A message: its payload moves as a handle.
type Message = Box<[u8]>;

/// How long each of many trips took, sorted.
struct Trips(Vec<Duration>);

impl Trips {
    fn of(mut trip: impl FnMut()) -> Self {
        let mut times: Vec<Duration> = (0..TRIPS)
            .map(|_| {
                let start = Instant::now();
                trip();
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        Self(times)
    }

    fn micros(&self, share: f64) -> f64 {
        let place = (self.0.len() as f64 * share) as usize;
        self.0[place.min(self.0.len() - 1)].as_secs_f64() * 1e6
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn sum(payload: &[u8]) -> u64 {
    payload.iter().map(|byte| u64::from(*byte)).sum()
}

/// A worker whose root task sums what it gets and sends a written answer of the same size.
fn echoing(spin: Duration, cpus: &[usize]) -> Controller<Message> {
    Controller::<Message>::builder()
        .name("bench")
        .pin(cpus.iter().copied().skip(1).take(1))
        .spin(spin)
        .inbox(4_096)
        .output(4_096)
        .root(|cx, mut inbox| async move {
            while let Some(mut message) = inbox.recv().await {
                let answer = sum(&message) as u8;
                message.fill(answer);
                cx.emit(message).await;
            }
        })
        .start()
        .expect("a worker")
}

/// One message there and back.
fn one(controller: &mut Controller<Message>, root: &Task<Message>, message: &mut Option<Message>) {
    let sent = message.take().expect("it came back");
    root.try_send(sent).expect("there is room");
    *message = controller.output(Duration::from_secs(10));
}

/// Many messages there and back, so many in flight; messages a second.
fn many(
    controller: &mut Controller<Message>,
    root: &Task<Message>,
    flight: usize,
    size: usize,
) -> f64 {
    let mut total = 0;
    let start = Instant::now();
    for n in 0..flight {
        let message = vec![n as u8; size].into();
        root.blocking_send(message).expect("the worker runs");
    }
    let mut back = Vec::with_capacity(flight);
    let mut left = MESSAGES;
    while left > 0 {
        let first = controller
            .output(Duration::from_secs(10))
            .expect("an answer");
        back.push(first);
        controller.outputs().drain_into(&mut back, flight);
        for mut message in back.drain(..) {
            total += sum(&message);
            left = left.saturating_sub(1);
            if left >= flight {
                message.fill(left as u8);
                root.blocking_send(message).expect("the worker runs");
            }
        }
    }
    let time = start.elapsed().as_secs_f64();
    // What is still in flight belongs to nobody's round.
    while controller.output(Duration::from_millis(2)).is_some() {}
    std::hint::black_box(total);
    MESSAGES as f64 / time
}

/// Two threads that wake each other by bare eventfds.
fn eventfd_trips(cpus: &[usize]) -> Trips {
    let event = || eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd");
    let (ping, pong) = (event(), event());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pin(cpus, 1);
            let mut count = [0; 8];
            while count != 2u64.to_ne_bytes() {
                rustix::io::read(&ping, &mut count).expect("a count");
                rustix::io::write(&pong, &1u64.to_ne_bytes()).expect("room");
            }
        });
        let trips = Trips::of(|| {
            rustix::io::write(&ping, &1u64.to_ne_bytes()).expect("room");
            rustix::io::read(&pong, &mut [0; 8]).expect("a count");
        });
        // A count of two at once is the end.
        rustix::io::write(&ping, &2u64.to_ne_bytes()).expect("room");
        trips
    })
}

fn pin(cpus: &[usize], place: usize) {
    if let Some(cpu) = cpus.get(place) {
        cpu::pin(&[*cpu]).expect("it is one of ours");
    }
}

/// Round trips over the bus between tasks of two workers, `flight` at once; trips a second.
fn bus_rate(controller: &mut Controller<Message>, flight: usize, size: usize, trips: usize) -> f64 {
    const PING: Topic = Topic::named("ping");
    const PONG: Topic = Topic::named("pong");
    let bus = Bus::<Message>::new();
    let (there, here) = (bus.clone(), bus);
    let echo = controller
        .spawn(
            Placement::On(worker(controller, 1)),
            "echo",
            move |cx, _| async move {
                let mut end = there.attach(cx.timers(), 1_024);
                end.subscribe(PING);
                loop {
                    let mut message = end.recv().await.message;
                    let answer = sum(&message) as u8;
                    message.fill(answer);
                    end.publish(PONG, message).await;
                }
            },
        )
        .expect("it runs");
    controller
        .spawn(
            Placement::On(worker(controller, 0)),
            "source",
            move |cx, _| async move {
                let mut end = here.attach(cx.timers(), 1_024);
                end.subscribe(PONG);
                while end.bus().subscribers(PING) == 0 {
                    cx.sleep(Duration::from_millis(1)).await;
                }
                let start = cx.clock().now();
                for n in 0..flight {
                    end.publish(PING, vec![n as u8; size].into()).await;
                }
                let mut total = 0;
                for n in 0..trips {
                    let mut message = end.recv().await.message;
                    total += sum(&message);
                    if n + flight < trips {
                        message.fill(n as u8);
                        end.publish(PING, message).await;
                    }
                }
                std::hint::black_box(total);
                let time = cx.clock().now().saturating_since(start);
                cx.emit((time.as_nanos() as u64).to_ne_bytes().into()).await;
            },
        )
        .expect("it runs");
    let nanos = controller.output(Duration::from_secs(60)).expect("it ends");
    controller.cancel(&echo);
    let nanos = u64::from_ne_bytes((*nanos).try_into().expect("a number"));
    trips as f64 / (nanos as f64 / 1e9)
}

fn worker(controller: &Controller<Message>, number: usize) -> WorkerId {
    controller.workers().nth(number).expect("there are two")
}

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if std::env::args().any(|word| word == "--bench") {
        ROUNDS
    } else {
        1
    };
    let cpus = cpu::allowed().expect("the kernel tells");
    pin(&cpus, 0);
    println!(
        "{}; controller on {:?}, worker on {:?}",
        cpu::model_name(),
        cpus.first(),
        cpus.get(1)
    );

    let mut parked = echoing(Duration::ZERO, &cpus);
    let mut spinning = echoing(Duration::from_micros(200), &cpus);
    let root = |controller: &Controller<Message>| {
        controller
            .root(worker(controller, 0))
            .expect("built with one")
    };
    let roots = [root(&parked), root(&spinning)];
    let mut message = Some(Message::from([0; 10]));
    let mut figures: [Vec<f64>; 6] = Default::default();
    for _ in 0..rounds {
        let bare = eventfd_trips(&cpus);
        let ours = Trips::of(|| one(&mut parked, &roots[0], &mut message));
        let spun = Trips::of(|| one(&mut spinning, &roots[1], &mut message));
        let row = [
            bare.micros(0.5),
            ours.micros(0.5),
            ours.micros(0.5) / bare.micros(0.5),
            bare.micros(0.99),
            ours.micros(0.99) / bare.micros(0.99),
            spun.micros(0.5),
        ];
        figures
            .iter_mut()
            .zip(row)
            .for_each(|(figure, value)| figure.push(value));
    }
    let [bare, ours, ratio, bare99, ratio99, spun] = figures.map(median);
    println!(
        "one in flight, p50: eventfd {bare:.2} us, controller to parked worker and back {ours:.2} us, ratio {ratio:.2}"
    );
    println!("one in flight, p99: eventfd {bare99:.2} us, ratio {ratio99:.2}");
    println!("one in flight while the worker spins, p50: {spun:.2} us");

    for (flight, size) in [(400, 10), (400, 1_500), (4_000, 1_500)] {
        let rates = (0..rounds).map(|_| many(&mut parked, &roots[0], flight, size));
        println!(
            "controller and worker, {flight} x {size} B: {:.0} messages/s",
            median(rates.collect())
        );
    }
    drop((parked, spinning));

    let mut two = Controller::<Message>::builder()
        .workers(2)
        .name("bus")
        .pin(cpus.iter().copied())
        .start()
        .expect("two workers");
    for (flight, size, trips) in [
        (1, 10, TRIPS),
        (1, 1_500, TRIPS),
        (400, 10, MESSAGES),
        (400, 1_500, MESSAGES),
    ] {
        let rates = (0..rounds).map(|_| bus_rate(&mut two, flight, size, trips));
        println!(
            "bus between two workers, {flight} x {size} B: {:.0} round trips/s",
            median(rates.collect())
        );
    }
}
