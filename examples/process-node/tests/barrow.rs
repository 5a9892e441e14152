//! The node on Barrow's host.

use barrow_engine::testing::Testbed;
use process_node::{NapperFeature, node::NAME};
use std::time::Duration;

fn bed() -> Testbed {
    let bed = Testbed::builder().feature(NapperFeature).build();
    bed.expect("one feature fits")
}

fn tell(bed: &mut Testbed, event: &str) {
    let ran = bed.command(&format!("napper {event}"));
    assert_eq!(ran.retval, 0, "{}", ran.text);
}

#[test]
fn naps_overlap_and_end_in_time() {
    let mut bed = bed();
    for nap in ["nap 60000", "nap 10", "nap 3000", "nap 4000"] {
        tell(&mut bed, nap);
    }
    bed.advance(Duration::from_millis(3_500));
    assert_eq!(bed.error(NAME, "naps"), 2);
    bed.advance(Duration::from_secs(57));
    assert_eq!(
        (bed.error(NAME, "naps"), bed.error(NAME, "overslept")),
        (4, 0)
    );
}

#[test]
fn a_panic_restarts_it_and_nothing_is_lost() {
    let mut bed = bed();
    tell(&mut bed, "panic");
    for _ in 0..5 {
        tell(&mut bed, "tick");
    }
    bed.advance(Duration::from_secs(1));
    assert_eq!(bed.error(NAME, "events"), 6);
    assert_eq!(bed.error(NAME, "panics"), 1);
    let shown = bed.command("show node napper").text;
    assert!(
        shown.contains("2 starts") && shown.contains("last run panicked: as asked"),
        "{shown}"
    );
    assert!(bed.command("napper dance").retval != 0);
}

#[test]
fn it_ends_when_told_and_is_not_started_again() {
    let mut bed = bed();
    tell(&mut bed, "quit");
    bed.advance(Duration::from_secs(10));
    let shown = bed.command("show processes napper").text;
    assert!(shown.contains("finished"), "{shown}");
}
