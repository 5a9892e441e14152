//! A hundred thousand process nodes on one host.

#![allow(clippy::disallowed_methods, reason = "what the start took is printed")]

use std::time::{Duration, Instant};

use barrow_core::{
    ProcessContext, ProcessError, ProcessNode, ProcessState,
    channel::{Receiver, bounded},
    process_node,
    testing::Simulation,
};

const NODES: usize = 100_000;

/// Waits for an event or for a day.
#[process_node(name = "idle")]
async fn idle(cx: ProcessContext<Idle>, mut events: Receiver<u8>) -> Result<(), ProcessError> {
    while let Ok(Some(_)) = cx.timeout(Duration::from_secs(86_400), events.recv()).await {}
    Ok(())
}

/// Resident bytes of this process.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// How large the future of a node is.
fn size_of_future<N: ProcessNode, F: Future>(_: fn(N, ProcessContext<N>) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn a_hundred_thousand_nodes_start_wait_and_stop_in_little_memory() {
    let mut simulation = Simulation::new();
    let channels: Vec<_> = (0..NODES).map(|_| bounded::<u8>(1)).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
    let (before, began) = (resident(), Instant::now());
    let mut statuses = Vec::with_capacity(NODES);
    for events in receivers {
        statuses.push(simulation.scheduler().start_process(Idle { events }).1);
    }
    simulation.settle();
    let after = resident();
    println!("{NODES} nodes started in {:?}", began.elapsed());
    assert!(
        statuses
            .iter()
            .all(|status| status.state() == ProcessState::Waiting)
    );
    match before.zip(after) {
        Some((before, after)) => {
            let each = (after - before) / NODES;
            let future = size_of_future(Idle::run);
            println!("{each} bytes a node with its armed timer; {future} of them are its future");
            assert!(each < 1024 + future, "{each}");
        }
        None => println!("skipped: no /proc/self/statm"),
    }
    for sender in &senders {
        sender.try_send(1).expect("there is room");
    }
    simulation.settle();
    assert!(statuses.iter().all(|status| status.polls() == 2));
    drop(senders);
    simulation.settle();
    assert!(
        statuses
            .iter()
            .all(|status| status.state() == ProcessState::Finished)
    );
}
