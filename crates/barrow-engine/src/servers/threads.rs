//! What the kernel tells of the node's threads.

use crate::{Control, cli::ThreadInfo};
use std::{cell::RefCell, fs, rc::Rc};

/// The node's threads, for `show threads`. Clones are handles to the same table.
#[derive(Clone)]
pub(super) struct ThreadTable {
    prefix: Rc<str>,
    /// The kernel's numbers of them; 0 until known.
    numbers: Rc<RefCell<Vec<u32>>>,
}

impl ThreadTable {
    pub(super) fn new(control: &Control, prefix: &str) -> Self {
        let numbers = vec![0; control.thread_count()];
        Self {
            prefix: prefix.into(),
            numbers: Rc::new(RefCell::new(numbers)),
        }
    }

    /// Asks each thread for its number.
    pub(super) fn collect(&self, control: &Control) {
        for thread in 0..control.thread_count() {
            let asked = control.call(thread, |_| own_number());
            let numbers = self.numbers.clone();
            control
                .spawner()
                .spawn_named_task("thread-number", async move {
                    // A thread that is gone has none.
                    if let Ok(number) = asked.await
                        && let Some(known) = numbers.borrow_mut().get_mut(thread)
                    {
                        *known = number;
                    }
                });
        }
    }

    pub(super) fn list(&self) -> Vec<ThreadInfo> {
        (0_u32..)
            .zip(&*self.numbers.borrow())
            .map(|(id, number)| self.info(id, *number))
            .collect()
    }

    fn info(&self, id: u32, process_id: u32) -> ThreadInfo {
        let prefix = &self.prefix;
        let (name, kind) = match id.checked_sub(1) {
            None => (format!("{prefix}_main"), ""),
            Some(worker) => (format!("{prefix}_wk_{worker}"), "workers"),
        };
        let stat = fs::read_to_string(format!("/proc/self/task/{process_id}/stat"));
        let scheduling = stat.ok().and_then(|stat| Scheduling::parse(&stat));
        let cpu = scheduling.as_ref().map(|scheduling| scheduling.cpu);
        ThreadInfo {
            id,
            name,
            kind: kind.into(),
            process_id,
            policy: scheduling
                .as_ref()
                .map_or("other", |s| policy_name(s.policy))
                .into(),
            priority: scheduling
                .as_ref()
                .map_or(0, |scheduling| scheduling.priority),
            cpu,
            core: cpu.and_then(|cpu| topology(cpu, "core_id")),
            socket: cpu.and_then(|cpu| topology(cpu, "physical_package_id")),
        }
    }
}

/// The calling thread's number, from the link `/proc/thread-self`, which ends in it.
fn own_number() -> u32 {
    let link = fs::read_link("/proc/thread-self").unwrap_or_default();
    link.file_name()
        .and_then(|name| name.to_str()?.parse().ok())
        .unwrap_or(0)
}

/// Where and how a thread runs, from its `stat` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Scheduling {
    cpu: u32,
    priority: i32,
    policy: u32,
}

impl Scheduling {
    fn parse(stat: &str) -> Option<Self> {
        // The second field is the name, in parentheses that it may contain too; the third follows its end.
        let fields: Vec<&str> = stat[stat.rfind(')')? + 1..]
            .split_ascii_whitespace()
            .collect();
        let field = |number: usize| fields.get(number - 3);
        Some(Self {
            cpu: field(39)?.parse().ok()?,
            priority: field(40)?.parse().ok()?,
            policy: field(41)?.parse().ok()?,
        })
    }
}

/// VPP's names of the kernel's scheduling policies (sched(7)).
fn policy_name(policy: u32) -> &'static str {
    match policy {
        1 => "fifo",
        2 => "rr",
        3 => "batch",
        5 => "idle",
        _ => "other",
    }
}

fn topology(cpu: u32, file: &str) -> Option<u32> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/{file}");
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduling_is_read_whatever_the_thread_is_called() {
        let after = (4..=38)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join(" ");
        for name in ["vpp_main", "a) b (c) 1 2"] {
            let stat = format!("9742 ({name}) S {after} 7 50 1 0 0");
            let read = Scheduling::parse(&stat);
            assert_eq!(
                read,
                Some(Scheduling {
                    cpu: 7,
                    priority: 50,
                    policy: 1
                })
            );
        }
        assert_eq!(Scheduling::parse("1 (x) S 2"), None);
        assert_eq!(Scheduling::parse(""), None);
    }

    #[test]
    fn a_thread_knows_its_number() {
        assert_ne!(own_number(), 0);
    }
}
