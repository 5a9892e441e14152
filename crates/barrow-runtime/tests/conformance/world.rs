//! Where scripts run: on the kernel with one of its backends, or in a simulation.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use barrow_core::testing::Simulation;
use barrow_core::{Driver, Instant, Machine, Next, Scheduler};
use barrow_runtime::io::machine::Port;
use barrow_runtime::io::packet::Config;
use barrow_runtime::io::sim::{Faults, Net};
use barrow_runtime::io::{Action, Backend, Event, Packets, Reactor, Sockets};
use barrow_runtime::sys::Clock;

/// What a script sees: it says what to do, and when it wants to be called without an event.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    actions: VecDeque<Action<Infallible>>,
    pub(crate) wake_at: Option<Instant>,
    pub(crate) done: bool,
}

impl Steps {
    /// Whether everything said so far was taken: a deadline comes also while the network makes the
    /// machine wait.
    pub(crate) fn is_clear(&self) -> bool {
        self.actions.is_empty()
    }

    pub(crate) fn act(&mut self, action: Action<Infallible>) {
        self.actions.push_back(action);
    }
}

/// What happens to a script.
#[derive(Debug)]
pub(crate) enum Input {
    Start,
    Timeout,
    Event(Event<Infallible>),
}

/// A machine that a closure is the logic of.
pub(crate) struct Script<F> {
    logic: F,
    steps: Steps,
}

impl<F: FnMut(&mut Steps, Instant, Input)> Script<F> {
    pub(crate) fn new(now: Instant, mut logic: F) -> Self {
        let mut steps = Steps::default();
        logic(&mut steps, now, Input::Start);
        Self { logic, steps }
    }
}

impl<F: FnMut(&mut Steps, Instant, Input)> Machine for Script<F> {
    type Input<'a> = Event<Infallible>;
    type Output = Action<Infallible>;

    fn handle_input(&mut self, now: Instant, input: Event<Infallible>) {
        (self.logic)(&mut self.steps, now, Input::Event(input));
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.steps.wake_at = None;
        (self.logic)(&mut self.steps, now, Input::Timeout);
    }

    fn poll_output(&mut self, _: Instant) -> Option<Action<Infallible>> {
        self.steps.actions.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.steps.wake_at
    }

    fn is_finished(&self) -> bool {
        self.steps.done
    }
}

/// What a script does.
pub(crate) type Logic = Box<dyn FnMut(&mut Steps, Instant, Input)>;

/// A place for scripts.
pub(crate) trait World {
    /// Where its packets come from.
    fn packets(&self) -> Packets;
    /// The address of the next machine that is added.
    fn address(&self) -> IpAddr;
    /// Adds a machine.
    fn add(&mut self, logic: Logic);
    /// Runs until every machine has finished; panics after a long time.
    fn run(&mut self);
    /// Runs until a condition holds; panics after a long time.
    fn run_until(&mut self, done: &mut dyn FnMut() -> bool);
}

/// A scheduler on a real reactor.
pub(crate) struct Kernel {
    scheduler: Scheduler,
    pub(crate) reactor: Reactor,
    packets: Packets,
    end: Option<Instant>,
}

/// Longer than any test takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Kernel {
    pub(crate) fn new(backend: Backend) -> Self {
        Self::with(backend, Config::default())
    }

    pub(crate) fn with(backend: Backend, config: Config) -> Self {
        let reactor = Reactor::open(backend, Clock::new()).unwrap();
        assert_eq!(reactor.fallback(), None, "the kernel has every backend");
        Self {
            scheduler: Scheduler::new(reactor.bell(), barrow_core::Extensions::new()),
            reactor,
            packets: Packets::new(config).unwrap(),
            end: None,
        }
    }
}

impl World for Kernel {
    fn packets(&self) -> Packets {
        self.packets.clone()
    }

    fn address(&self) -> IpAddr {
        [127, 0, 0, 1].into()
    }

    fn add(&mut self, logic: Logic) {
        let script = Script::new(self.reactor.clock().now(), logic);
        let port = Port::new(Sockets::new(&self.reactor, self.packets.clone()));
        self.scheduler.add(Driver::new(script, port));
    }

    fn run(&mut self) {
        while !self.scheduler.units().is_empty() {
            self.run_until_or_empty(&mut || false);
        }
    }

    fn run_until(&mut self, done: &mut dyn FnMut() -> bool) {
        while !done() {
            self.run_until_or_empty(done);
        }
    }
}

impl Kernel {
    /// Its name in messages.
    pub(crate) fn name(&self) -> String {
        self.reactor.backend().to_string()
    }

    /// One turn, and a sleep unless there is nothing to wait for any more.
    fn run_until_or_empty(&mut self, done: &mut dyn FnMut() -> bool) {
        let now = self.reactor.clock().now();
        let end = *self.end.get_or_insert(now + PATIENCE);
        assert!(now < end, "{}: {:?}", self.name(), self.scheduler.units());
        let next = self.scheduler.turn(now, 64);
        let failures = self.scheduler.take_failures();
        assert!(failures.is_empty(), "{failures:?}");
        match next {
            Next::Again => {
                self.reactor.poll_now().unwrap();
            }
            Next::Park { until } => {
                if !self.scheduler.units().is_empty() && !done() {
                    let until = until.map_or(end, |until| until.min(end));
                    self.reactor.park(Some(until)).unwrap();
                }
            }
        }
    }
}

/// A simulation: each machine on a host of its own.
pub(crate) struct Simulated {
    simulation: Simulation,
    net: Net,
    packets: Packets,
    hosts: u8,
}

impl Simulated {
    pub(crate) fn new() -> Self {
        let simulation = Simulation::seeded(1);
        let net = Net::new(simulation.spawner(), Faults::default());
        Self {
            simulation,
            net,
            packets: Packets::new(Config::default()).unwrap(),
            hosts: 0,
        }
    }

    fn settle(&mut self, done: &mut dyn FnMut() -> bool) {
        // The network is a unit too, and stays.
        let limit = Duration::from_secs(3600);
        let spawner = self.simulation.spawner();
        let over = self
            .simulation
            .run_until(limit, || done() || spawner.units().len() <= 1);
        assert!(over, "{:?}", spawner.units());
    }
}

impl World for Simulated {
    fn packets(&self) -> Packets {
        self.packets.clone()
    }

    fn address(&self) -> IpAddr {
        [10, 0, 0, self.hosts].into()
    }

    fn add(&mut self, logic: Logic) {
        let script = Script::new(self.simulation.now(), logic);
        let port = Port::new(self.net.host(self.address(), self.packets.clone()));
        self.hosts += 1;
        self.simulation.scheduler().add(Driver::new(script, port));
    }

    fn run(&mut self) {
        self.settle(&mut || false);
    }

    fn run_until(&mut self, done: &mut dyn FnMut() -> bool) {
        self.settle(done);
        assert!(done(), "everything ended before");
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // Every buffer is accounted for at shutdown.
        let report = self.packets.report();
        assert!(
            report.iter().all(|report| report.is_conserved()),
            "{report:?}"
        );
    }
}
