//! One clock for everything.

use barrow_engine::testing::Testbed;
use barrow_engine::{
    ErrorCounters, InputContext, InputMode, InputNode, Instant, NoErrors, NoNext, NodeOptions,
    Polled, ProcessContext, ProcessError, ProcessNode, Restart,
};
use std::ffi::CStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, ErrorCounters)]
enum Errors {
    #[error_counter(description = "ticks", severity = INFO)]
    Ticks,
}

struct Ticker(Arc<Mutex<Vec<Instant>>>);

impl ProcessNode for Ticker {
    const NAME: &'static CStr = c"ticker";
    type NextNodes = NoNext;
    type Errors = Errors;
    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        loop {
            cx.sleep(Duration::from_secs(1)).await;
            cx.count(Errors::Ticks, 1);
            self.0.lock().expect("nobody panicked").push(cx.now());
        }
    }
}

#[test]
fn timers_of_process_nodes_follow_the_clock_and_a_jump_fires_what_is_due_at_once() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let mut bed = Testbed::with(move |engine| {
        engine.process(Restart::Never, move || Ticker(times.clone()))?;
        Ok(())
    });
    bed.advance(Duration::from_millis(3500));
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3].map(Instant::from_secs));
    bed.control().clock().adjust(Duration::from_secs(3600));
    bed.run();
    assert_eq!(seen.lock().unwrap().len(), 4, "it was due, once");
    assert_eq!(
        bed.error("ticker", "ticks"),
        4,
        "listed with all other counters"
    );
    let info = bed.control().node(bed.node("ticker")).unwrap();
    assert_eq!(info.kind.to_string(), "process");
    let runtime = bed.control().runtime();
    let ticker = runtime[0]
        .nodes
        .iter()
        .find(|node| &*node.name == "ticker")
        .unwrap();
    assert_eq!(ticker.state, "clock wait");
    assert_eq!(ticker.runtime.suspends, 5);
}

/// Notes the time of each poll.
struct Polls(Arc<Mutex<Vec<Instant>>>, Polled);

impl InputNode for Polls {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn poll(&mut self, cx: &mut InputContext<'_, Self>) -> Polled {
        self.0.lock().expect("nobody panicked").push(cx.now());
        self.1
    }
}

fn polls(bed: &mut Testbed, seen: &Mutex<Vec<Instant>>, rounds: usize) -> usize {
    let before = seen.lock().expect("nobody panicked").len();
    for _ in 0..rounds {
        bed.round();
    }
    seen.lock().expect("nobody panicked").len() - before
}

#[test]
fn inputs_run_as_their_mode_says() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let mut bed = Testbed::with(move |engine| {
        let options = NodeOptions::new("input").mode(InputMode::Disabled);
        engine.input_node(options, move |_| Polls(times.clone(), Polled::NONE))?;
        Ok(())
    });
    let node = bed.node("input");
    let control = bed.control().clone();
    assert_eq!(polls(&mut bed, &seen, 5), 0, "disabled");
    control.set_input_mode(0, node, InputMode::Interrupt);
    assert_eq!(
        polls(&mut bed, &seen, 5),
        1,
        "looked at once when switched on"
    );
    control.interrupt(0, node).unwrap().raise();
    control.interrupt(0, node).unwrap().raise();
    assert_eq!(
        polls(&mut bed, &seen, 5),
        1,
        "two interrupts before it runs are one"
    );
    control.set_input_mode(0, node, InputMode::Polling);
    assert!(polls(&mut bed, &seen, 5) >= 5);
    control.set_input_mode(0, node, InputMode::Adaptive);
    control.with_node(0, node, |input: &mut Polls| input.1 = Polled::drained(1));
    polls(&mut bed, &seen, 2);
    control.with_node(0, node, |input: &mut Polls| input.1 = Polled::NONE);
    let after = polls(&mut bed, &seen, 100);
    assert!(after > 10, "it goes on looking for a while: {after}");
    assert_eq!(polls(&mut bed, &seen, 100), 0, "and then sleeps");
    control.interrupt(0, node).unwrap().raise();
    assert_eq!(polls(&mut bed, &seen, 100), 1);
}
