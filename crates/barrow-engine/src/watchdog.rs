//! Tells the log which unit of the main thread failed, and which kept it for too long.
//!
//! Control logic shares the main thread: while one poll lasts, no other process node, client or command is
//! served. So each call is measured, and one that exceeds its budget is named with the place in the source
//! where it was registered.

use crate::control::Control;
use barrow_core::{Exit, Spawner};
use std::time::Duration;

/// How long a call of a unit of the main thread may take.
pub(crate) const BUDGET: Duration = Duration::from_millis(50);

/// Starts the task.
pub(crate) fn start(control: &Control) {
    let log = control.log().class("process");
    let spawner: Spawner = control.spawner().clone();
    control
        .spawner()
        .spawn_named_task("process-watchdog", async move {
            loop {
                let (failures, slow) = spawner.incidents().await;
                for failure in failures {
                    match failure.exit {
                        Exit::Panicked(message) => {
                            log.error(format_args!("{} panicked: {message}", failure.name));
                        }
                        exit => log.error(format_args!("{} {exit}", failure.name)),
                    }
                }
                slow.iter()
                    .for_each(|slow| log.warning(format_args!("{slow}")));
            }
        });
}
