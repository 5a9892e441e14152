//! Commands as people see them. Texts without another source are those of `cli-captures.json`, captured
//! from VPP 26.06.

mod hardware;
mod queues;
mod set;
mod show;

use barrow_engine::testing::Testbed;

fn run(bed: &mut Testbed, command: &str) -> (i32, String) {
    let ran = bed.command(command);
    (ran.retval, ran.text)
}

/// Runs commands that succeed and say nothing.
fn quietly(bed: &mut Testbed, commands: &[&str]) {
    for command in commands {
        assert_eq!(run(bed, command), (0, String::new()), "{command}");
    }
}

fn fails(bed: &mut Testbed, command: &str, text: &str) {
    assert_eq!(run(bed, command), (-1, format!("{text}\n")), "{command}");
}
