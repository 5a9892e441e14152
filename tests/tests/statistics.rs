//! The statistics segment of the built node, read by our own reader.

use barrow_stats::reader::{Reader, Value};
use barrow_tests::{Node, Skip, skip};
use std::time::Duration;

const ROUTES: usize = 1_000_000;

/// Main and one worker: two rows of 16 bytes a route, for each of the two vectors of counters.
#[test]
fn a_million_routes_have_their_counters_without_any_configuration() {
    let node = match Node::builder().config("cpu { workers 1 }").start() {
        Ok(node) => node,
        Err(Skip(why)) => return skip(why),
    };
    let added = node.cli(&format!("ip route add 20.0.0.0/32 via drop count {ROUTES}"));
    assert!(added.contains("routes/sec"), "{added}");
    let mut reader = Reader::connect(&node.stats_socket(), Duration::from_secs(20))
        .expect("the segment is given");
    for name in ["/net/route/to", "/net/route/via"] {
        let value = reader.get(name).expect("it can be read");
        let Some(Value::Combined(rows)) = value else {
            panic!("{name} is {value:?}");
        };
        assert_eq!(rows.len(), 2, "{name}");
        assert!(rows.iter().all(|row| row.len() >= ROUTES), "{name}");
    }
    let log = node.cli("show log");
    assert!(!log.contains("no counters"), "{log}");
}
