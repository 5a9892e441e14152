//! Clients that send nonsense, stall, flood or die cost their own connection only.
//!
//! Each test drives the built node over its real sockets, and ends with a client that is served as ever.

mod api;
mod cli;
mod crowd;
mod slow;
mod stats;

use barrow_messages::memclnt::ControlPing;
use barrow_tests::{ApiClient, Node, NodeBuilder, Skip, skip};
use std::time::{Duration, Instant};

/// Runs a test on a node, where there is one; afterwards a new client of each socket must be served.
fn on(builder: NodeBuilder<'_>, test: impl FnOnce(&Node)) {
    match builder.start() {
        Err(Skip(why)) => skip(why),
        Ok(node) => {
            test(&node);
            serves(&node);
        }
    }
}

/// A new client of each socket is served.
#[track_caller]
fn serves(node: &Node) {
    let mut client = ApiClient::connect(&node.api_socket(), "as ever");
    assert_eq!(client.request(&ControlPing {}).retval, 0);
    assert!(node.cli("show version").starts_with("vpp v26.06"));
    barrow_stats::socket::receive_descriptor(&node.stats_socket(), Duration::from_secs(20))
        .expect("the segment is given");
}

/// What `show api counters` says for a line that contains `what`.
#[track_caller]
fn counted(node: &Node, what: &str) -> u64 {
    let text = node.cli("show api counters");
    let line = text.lines().find(|line| line.contains(what));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no count of `{what}' in:\n{text}"))
}

/// Asks again and again until something is so.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Numbers that look random and are the same in each run (xorshift).
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
