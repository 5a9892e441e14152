//! A plugin of FD.io VPP 26.06: the process node of `examples/process-node`, its inbox, a command, counters.

use std::sync::{Mutex, PoisonError};

use barrow_core::{Restart, channel::Sender};
use process_node::node::{BACKLOG, Event, NAME, Napper};
use vpp_plugin::vlib::BarrierHeldMainRef;
use vpp_plugin::vppinfra::error::ErrorStack;

/// The way into the node's inbox, once VPP has started it; it stays the same over restarts.
static EVENTS: Mutex<Option<Sender<Event>>> = Mutex::new(None);

barrow_vpp_plugin::export_process_node! {
    Napper,
    name = "napper",
    restart = Restart::OnFailure,
    setup = |scheduler| {
        let events = scheduler.spawner().inbox(NAME, BACKLOG).ok();
        *EVENTS.lock().unwrap_or_else(PoisonError::into_inner) = events;
    },
    make = || Napper {},
}

vpp_plugin::vlib_plugin_register! {
    version: "0.1.0",
    description: "Example of a Barrow process node",
    version_required: vpp_plugin::VPP_BUILD_VER,
}

/// `napper EVENT [times N] [thread]`: N times the event, at once or from another thread.
#[vpp_plugin::vlib_cli_command(
    path = "napper",
    short_help = "napper {tick | nap <milliseconds> | panic | quit} [times <n>] [thread]"
)]
fn napper(_vm: &mut BarrierHeldMainRef, input: &str) -> Result<(), ErrorStack> {
    let (input, from_thread) = match input.trim().strip_suffix("thread") {
        Some(rest) => (rest, true),
        None => (input, false),
    };
    let (event, times) = match input.split_once("times") {
        Some((event, times)) => (event, times.trim().parse().ok()),
        None => (input, Some(1u32)),
    };
    let (Some(event), Some(times)) = (Event::parse(event), times) else {
        return Err(ErrorStack::msg("tick, nap MS, panic or quit; times N; thread"));
    };
    let events = EVENTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(events) = events else {
        return Err(ErrorStack::msg("the node has not started"));
    };
    let send = move || (0..times).try_for_each(|_| events.try_send(event));
    if from_thread {
        // Ends by itself; what does not fit is lost, as the node's counter shows.
        std::thread::spawn(send);
        return Ok(());
    }
    send().map_err(|error| ErrorStack::msg(error.to_string()))
}
