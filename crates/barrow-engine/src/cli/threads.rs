//! `show threads`.

use super::{CliRegistry, DuplicateCommand};

/// One thread of the node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadInfo {
    /// 0 is the main thread.
    pub id: u32,
    /// Its name, such as `vpp_main`.
    pub name: String,
    /// `workers`, or nothing for the main thread.
    pub kind: String,
    /// The kernel's number of it.
    pub process_id: u32,
    /// Its scheduling policy.
    pub policy: String,
    /// Its scheduling priority.
    pub priority: i32,
    /// The logical CPU it is pinned to.
    pub cpu: Option<u32>,
    /// The core of that CPU.
    pub core: Option<u32>,
    /// The socket of that CPU.
    pub socket: Option<u32>,
}

/// Registers `show threads` with what `list` gives.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_threads(
    cli: &mut CliRegistry,
    list: impl Fn() -> Vec<ThreadInfo> + 'static,
) -> Result<(), DuplicateCommand> {
    cli.command("show threads", "Show threads", move |cx, _| {
        let number = |value: Option<u32>| value.map(|n| n.to_string()).unwrap_or_default();
        let header = [
            "ID",
            "Name",
            "Type",
            "LWP",
            "Sched Policy (Priority)",
            "lcore",
            "Core",
        ];
        let [id, name, kind, lwp, policy, lcore, core] = header;
        let socket = "Socket State";
        cx.print(format_args!(
            "{id:<7}{name:<20}{kind:<12}{lwp:<8}{policy:<25}{lcore:<7}{core:<7}{socket:<17}"
        ));
        for thread in list() {
            let policy = format!("{} ({})", thread.policy, thread.priority);
            cx.print(format_args!(
                "{:<7}{:<20}{:<12}{:<8}{policy:<25}{:<7}{:<7}{:<17}",
                thread.id,
                thread.name,
                thread.kind,
                thread.process_id,
                number(thread.cpu),
                number(thread.core),
                number(thread.socket),
            ));
        }
        Ok(())
    })
}
