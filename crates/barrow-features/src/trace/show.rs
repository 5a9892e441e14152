//! Traces as text.

use barrow_engine::cli::Output;
use barrow_engine::{Control, TracedPacket};
use std::fmt::{self, Write};

/// The walk of one packet as clients get it: a line end, then the records.
pub(super) fn walk(control: &Control, packet: &TracedPacket) -> String {
    let mut text = String::from("\n");
    packet
        .write(&mut text, |node| control.node_name(node).to_string())
        .expect("a string takes everything");
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Prints `show trace`: of each thread, the first `most` packets.
pub(super) fn show(
    control: &Control,
    thread_prefix: &str,
    most: usize,
    out: &Output,
) -> fmt::Result {
    let limit = format!("Limiting display to {most} packets. To display more specify max.");
    let packets = control.trace().packets();
    let mut text = String::new();
    for thread in 0..control.thread_count() {
        let name = thread_name(thread_prefix, thread);
        writeln!(
            text,
            "------------------- Start of thread {thread} {name} -------------------"
        )?;
        let mut own = packets
            .iter()
            .filter(|packet| packet.thread == thread)
            .peekable();
        if own.peek().is_none() {
            text.push_str("No packets in trace buffer\n");
        }
        for (i, packet) in own.enumerate() {
            if i == most {
                out.print(&limit);
                text.push_str(&limit);
                text.push('\n');
                break;
            }
            write!(text, "Packet {}\n{}\n\n", i + 1, walk(control, packet))?;
        }
    }
    out.print(text);
    Ok(())
}

fn thread_name(prefix: &str, thread: usize) -> String {
    match thread.checked_sub(1) {
        None => format!("{prefix}_main"),
        Some(worker) => format!("{prefix}_wk_{worker}"),
    }
}
