//! Three hosts in one process on virtual time: RPC services that call each other over connections
//! that delay, fragment and are cut, through a partition, for ten thousand seeds.
//!
//! A seed that fails is printed; `BARROW_SEED=n cargo test -p barrow-runtime --test simulation`
//! runs it alone, the same again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use barrow_core::testing::{Faults, Pipe, Read, Simulation};
use barrow_core::timer::{Sleep, TimerKey, Timers};
use barrow_core::{Instant, Spawner};
use barrow_runtime::rpc::{
    CallError, Connection, Limits, Method, Service, Sink, StreamMethod, Wire,
};

const HOSTS: usize = 3;
/// Calls that each host gets answered by each other one.
const CALLS: u64 = 24;
/// Items of each stream.
const ITEMS: u64 = 5;
/// No run lasts longer, in virtual time.
const LIMIT: Duration = Duration::from_secs(600);

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The splitmix64 generator.
struct Random(Cell<u64>);

impl Random {
    fn below(&self, bound: u64) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut mixed = self.0.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// One connection: a faulty pipe each way.
struct Link {
    hosts: [usize; 2],
    pipes: [RefCell<Pipe>; 2],
    broken: Cell<bool>,
    ends: [RefCell<Waker>; 2],
    arrivals: [Cell<Option<TimerKey>>; 2],
    timers: Rc<Timers>,
}

impl Link {
    fn wake(&self, side: usize) {
        let waker = self.ends[side].borrow().clone();
        waker.wake();
    }
}

/// One end of a link.
struct SimWire {
    link: Rc<Link>,
    side: usize,
}

impl Wire for SimWire {
    fn try_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let (link, side) = (&*self.link, self.side);
        if link.broken.get() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let read = link.pipes[1 - side]
            .borrow_mut()
            .read(link.timers.now(), buffer);
        match read {
            Read::Bytes(count) => {
                link.wake(1 - side); // there is room
                Poll::Ready(Ok(count))
            }
            Read::Empty(arrival) => {
                if let Some(key) = link.arrivals[side].take() {
                    link.timers.cancel(key);
                }
                let arm = |at| link.timers.arm(at, link.ends[side].borrow().clone());
                link.arrivals[side].set(arrival.map(arm));
                Poll::Pending
            }
            Read::End => Poll::Ready(Ok(0)),
            Read::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (link, side) = (&*self.link, self.side);
        let written = link.pipes[side]
            .borrow_mut()
            .write(link.timers.now(), bytes);
        link.wake(1 - side);
        match written {
            _ if link.broken.get() => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Ok(0) => Poll::Pending,
            Ok(count) => Poll::Ready(Ok(count)),
            Err(_closed) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn watch(&mut self, waker: &Waker) {
        self.link.ends[self.side].borrow_mut().clone_from(waker);
    }
}

impl Drop for SimWire {
    fn drop(&mut self) {
        self.link.pipes[self.side].borrow_mut().close();
        if let Some(key) = self.link.arrivals[self.side].take() {
            self.link.timers.cancel(key);
        }
        self.link.wake(1 - self.side);
    }
}

/// Hosts, and what is between them.
struct Net {
    random: Random,
    spawner: Spawner,
    links: RefCell<Vec<Weak<Link>>>,
    /// Cuts this host off from the others.
    apart: Cell<Option<usize>>,
    services: Vec<Service>,
    /// What each host has done: token, and how often.
    done: Vec<Rc<RefCell<BTreeMap<u64, u32>>>>,
    finished: Cell<usize>,
    connections: Cell<u32>,
    trace: Cell<u64>,
}

impl Net {
    fn new(seed: u64, spawner: Spawner) -> Rc<Self> {
        let done: Vec<_> = (0..HOSTS).map(|_| Rc::default()).collect();
        let services = done
            .iter()
            .zip(1..)
            .map(|(done, host)| service(seed ^ host, done))
            .collect();
        Rc::new(Self {
            random: Random(Cell::new(seed)),
            spawner,
            links: RefCell::default(),
            apart: Cell::new(None),
            services,
            done,
            finished: Cell::new(0),
            connections: Cell::new(0),
            trace: Cell::new(0xcbf2_9ce4_8422_2325),
        })
    }

    fn note(&self, what: [u64; 3]) {
        let words = [self.spawner.now().as_nanos()].into_iter().chain(what);
        let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0100_0000_01b3);
        self.trace.set(words.fold(self.trace.get(), step));
    }

    fn is_cut(&self, hosts: [usize; 2]) -> bool {
        self.apart.get().is_some_and(|apart| hosts.contains(&apart))
    }

    /// A connection, of which the other host serves its end.
    fn connect(&self, hosts: [usize; 2]) -> Option<SimWire> {
        if self.is_cut(hosts) {
            return None;
        }
        self.connections.set(self.connections.get() + 1);
        let pipe = || {
            let cut = self.random.below(3) > 0;
            RefCell::new(Pipe::new(Faults {
                seed: self.random.below(u64::MAX),
                capacity: 400,
                fragment: 200,
                delay: millis(1 + self.random.below(20)),
                cut_after: cut.then(|| 40 + self.random.below(3_000)),
                corrupt_one_in: None,
            }))
        };
        let noop = || RefCell::new(Waker::noop().clone());
        let link = Rc::new(Link {
            hosts,
            pipes: [pipe(), pipe()],
            broken: Cell::new(false),
            ends: [noop(), noop()],
            arrivals: Default::default(),
            timers: self.spawner.timers(),
        });
        self.links.borrow_mut().push(Rc::downgrade(&link));
        let [here, there] = [0, 1].map(|side| SimWire {
            link: link.clone(),
            side,
        });
        let service = self.services[hosts[1]].clone();
        Connection::open(&self.spawner, there, service, limits());
        Some(here)
    }

    /// Cuts one host off, or joins all again.
    fn part(&self, apart: Option<usize>) {
        self.apart.set(apart);
        let links = self.links.borrow();
        for link in links.iter().filter_map(Weak::upgrade) {
            if self.is_cut(link.hosts) {
                link.broken.set(true);
                link.wake(0);
                link.wake(1);
            }
        }
    }

    fn sleep(&self, delay: Duration) -> Sleep {
        Sleep::new(self.spawner.timers(), self.spawner.now() + delay)
    }
}

fn limits() -> Limits {
    Limits {
        max_frame: 1_024,
        max_calls: 4,
        ..Limits::default()
    }
}

/// Notes a token, after a while; answers with its double.
struct Put;
impl Method for Put {
    const NAME: &'static str = "put";
    type Request = u64;
    type Reply = u64;
}

/// The tokens behind a token.
struct Follow;
impl StreamMethod for Follow {
    const NAME: &'static str = "follow";
    type Request = u64;
    type Item = u64;
}

fn service(seed: u64, done: &Rc<RefCell<BTreeMap<u64, u32>>>) -> Service {
    let (done, random) = (done.clone(), Rc::new(Random(Cell::new(seed))));
    Service::new()
        .method(Put, move |cx, token: u64| {
            let (done, nap) = (done.clone(), millis(random.below(30)));
            async move {
                Sleep::new(cx.timers(), cx.now() + nap).await;
                *done.borrow_mut().entry(token).or_default() += 1;
                Ok(token * 2)
            }
        })
        .stream(Follow, |_, token, mut sink: Sink<u64>| async move {
            for n in 0..ITEMS {
                sink.send(&(token + n)).await?;
            }
            Ok(())
        })
}

/// Gets `CALLS` calls answered by another host, over as many connections as it takes.
async fn caller(net: Rc<Net>, hosts: [usize; 2]) {
    let mut answered = 0;
    let mut attempt = (hosts[0] * HOSTS + hosts[1]) as u64 * 1_000_000;
    while answered < CALLS {
        let Some(wire) = net.connect(hosts) else {
            net.sleep(millis(20 + net.random.below(30))).await;
            continue;
        };
        let connection = Connection::open(&net.spawner, wire, Service::new(), limits());
        let client = connection.client();
        while answered < CALLS && !client.is_closed() {
            attempt += 10;
            let limit = millis(10 + net.random.below(200));
            let outcome = match answered % 4 {
                3 => follow(&net, &client, limit, attempt).await,
                _ => client.call_within::<Put>(limit, &attempt).await,
            };
            net.note([hosts[0] as u64, attempt, u64::from(outcome.is_ok())]);
            match outcome {
                Ok(double) => {
                    assert_eq!(double, attempt * 2, "an answer to another question");
                    answered += 1;
                }
                Err(CallError::Failed(_) | CallError::Closed) => {}
                Err(error) => panic!("what arrived is not what was sent: {error}"),
            }
        }
        connection.leave();
        net.sleep(millis(net.random.below(10))).await;
    }
    net.finished.set(net.finished.get() + 1);
}

async fn follow(
    net: &Net,
    client: &barrow_runtime::rpc::Client,
    limit: Duration,
    token: u64,
) -> Result<u64, CallError> {
    let mut items = client.stream::<Follow>(2, Some(limit), &token).await?;
    for n in 0..ITEMS {
        match items.next().await {
            Some(item) => assert_eq!(item?, token + n, "items come in order"),
            None => panic!("a stream ends with its last item"),
        }
        if net.random.below(50) == 0 {
            return Err(CallError::Closed); // loses interest
        }
    }
    assert!(items.next().await.is_none_or(|end| end.is_err()));
    Ok(token * 2)
}

/// What one seed came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    trace: u64,
    end: Instant,
    calls: u64,
    connections: u32,
}

fn run(seed: u64) -> Outcome {
    let mut simulation = Simulation::seeded(seed);
    let net = Net::new(seed, simulation.spawner());
    let pairs = (0..HOSTS).flat_map(|a| (0..HOSTS).map(move |b| [a, b]));
    for hosts in pairs.filter(|[a, b]| a != b) {
        simulation
            .scheduler()
            .spawn_task(caller(net.clone(), hosts));
    }
    let parting = net.clone();
    simulation.scheduler().spawn_task(async move {
        parting.sleep(millis(50 + parting.random.below(200))).await;
        parting.part(Some(parting.random.below(HOSTS as u64) as usize));
        parting
            .sleep(millis(100 + parting.random.below(1_000)))
            .await;
        parting.part(None);
    });
    let all = HOSTS * (HOSTS - 1);
    let ended = simulation.run_until(LIMIT, || net.finished.get() == all);
    let failures = simulation.scheduler().take_failures();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(
        ended,
        "{} of {all} callers have finished",
        net.finished.get()
    );
    for done in &net.done {
        assert!(
            done.borrow().values().all(|times| *times == 1),
            "a call was handled twice"
        );
    }
    let outcome = Outcome {
        trace: net.trace.get(),
        end: simulation.now(),
        calls: simulation.scheduler().stats().calls,
        connections: net.connections.get(),
    };
    assert!(outcome.calls >= 1_000, "{outcome:?}");
    outcome
}

/// Runs seeds on as many threads as there are processors; says which one fails.
fn run_all(seeds: std::ops::Range<u64>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads as u64 {
            let seeds = seeds.clone().skip(first as usize).step_by(threads);
            scope.spawn(move || {
                for seed in seeds {
                    if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
                        eprintln!("seed {seed} fails; replay it with BARROW_SEED={seed}");
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}

#[test]
#[ignore = "new, and not run yet: take this away with the first run that passes"]
fn ten_thousand_seeds_of_three_hosts_with_cuts_and_a_partition() {
    match std::env::var("BARROW_SEED") {
        Ok(seed) => println!("{:?}", run(seed.parse().expect("a seed is a number"))),
        Err(_) => run_all(0..10_000),
    }
}

#[test]
#[ignore = "new, and not run yet: take this away with the first run that passes"]
fn i8_determinism_a_seed_gives_the_same_run_again() {
    for seed in 0..50 {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1), run(2));
}
