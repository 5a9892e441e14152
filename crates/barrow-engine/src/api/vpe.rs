//! The messages of `vpe`: who the node is, what time it is, what it logged.

use super::{ApiRegisterError, ApiRegistry};
use crate::{NodeClock, cli::Identity, log::Logger};
use barrow_messages::{
    vpe::{
        LogDetails, LogDump, ShowVersion, ShowVersionReply, ShowVpeSystemTime,
        ShowVpeSystemTimeReply,
    },
    vpe_types::{LogLevel, Timestamp},
};
use barrow_wire::FixedString;
use std::rc::Rc;

/// Registers `show_version` and `show_vpe_system_time`.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_vpe(
    api: &mut ApiRegistry,
    identity: Rc<Identity>,
    clock: NodeClock,
) -> Result<(), ApiRegisterError> {
    api.request(move |_, _: ShowVersion| {
        Ok(ShowVersionReply {
            retval: 0,
            program: FixedString::truncated(&identity.program),
            version: FixedString::truncated(&identity.version),
            build_date: FixedString::truncated(&identity.build_date),
            build_directory: FixedString::truncated(&identity.build_directory),
        })
    })?;
    api.request(move |_, _: ShowVpeSystemTime| {
        let vpe_system_time = Timestamp(clock.wall().as_secs_f64());
        Ok(ShowVpeSystemTimeReply {
            retval: 0,
            vpe_system_time,
        })
    })
}

/// Registers `log_dump`: the kept messages from a point in time on.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_log_dump(api: &mut ApiRegistry, log: Logger) -> Result<(), ApiRegisterError> {
    api.dump(move |_, request: LogDump| {
        let mut entries = log.entries().into_iter();
        move || {
            let start = request.start_timestamp.0;
            let entry = entries.find(|entry| start <= entry.time.as_secs_f64())?;
            Some(LogDetails {
                timestamp: Timestamp(entry.time.as_secs_f64()),
                level: LogLevel(entry.level as u32),
                msg_class: FixedString::truncated(&entry.class),
                message: FixedString::truncated(&entry.text),
            })
        }
    })
}
