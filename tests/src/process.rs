//! What the kernel says of a process, from `/proc` (proc(5)).

use std::fs;

/// The number of open descriptors of a process.
///
/// # Panics
/// When there is no such process, or it is another user's.
#[must_use]
#[track_caller]
pub fn open_descriptors(pid: u32) -> usize {
    let listed = fs::read_dir(format!("/proc/{pid}/fd"));
    listed.expect("a process of ours").count()
}

/// Memory of a process that is its own and present, in KiB: heap, stacks, pools, no mapped files.
///
/// # Panics
/// When there is no such process.
#[must_use]
#[track_caller]
pub fn private_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process of ours");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse().ok())
        .expect("RssAnon in KiB (Linux 4.5)")
}
