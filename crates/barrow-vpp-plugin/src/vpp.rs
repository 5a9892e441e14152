//! The edge to VPP: a clock, a sleep, descriptions as C has them, and the macro that registers a node.

use std::ffi::{CStr, c_char};
use std::time::{Duration, Instant as SystemInstant};

use barrow_core::{CounterDescription, Instant, Scheduler, Severity};
pub use vpp_plugin;
use vpp_plugin::{bindings, vlib::process_node};

use crate::Host;

/// The process node of VPP that a root lives in.
#[derive(Clone, Copy, Debug)]
pub struct VppHost {
    start: SystemInstant,
}

impl Default for VppHost {
    fn default() -> Self {
        Self {
            start: SystemInstant::now(),
        }
    }
}

impl Host for VppHost {
    type Sleep = process_node::core::Sleep;

    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    fn sleep(&self, delay: Duration) -> Self::Sleep {
        process_node::sleep(delay)
    }
}

/// Tells VPP's standard error, which its log keeps, what became of nodes.
pub fn report(scheduler: &mut Scheduler) {
    for failure in scheduler.take_failures() {
        eprintln!("process node {} {}", failure.name, failure.exit);
    }
}

/// The descriptions of counters as VPP takes them. It has no severity above ERROR.
#[must_use]
pub const fn descriptions<const N: usize>(
    from: &[CounterDescription],
) -> [bindings::vlib_error_desc_t; N] {
    let mut to = [bindings::vlib_error_desc_t {
        name: std::ptr::null_mut(),
        desc: std::ptr::null_mut(),
        severity: bindings::vl_counter_severity_e_VL_COUNTER_SEVERITY_INFO,
        stats_entry_index: 0,
    }; N];
    let mut slot = 0;
    while slot < N {
        to[slot].name = from[slot].name.as_ptr().cast_mut();
        to[slot].desc = from[slot].description.as_ptr().cast_mut();
        to[slot].severity = match from[slot].severity {
            Severity::Info => bindings::vl_counter_severity_e_VL_COUNTER_SEVERITY_INFO,
            Severity::Warning => bindings::vl_counter_severity_e_VL_COUNTER_SEVERITY_WARN,
            Severity::Error | Severity::Critical => {
                bindings::vl_counter_severity_e_VL_COUNTER_SEVERITY_ERROR
            }
        };
        slot += 1;
    }
    to
}

/// The names of next nodes as VPP takes them.
#[must_use]
pub const fn names<const N: usize>(from: &[&'static CStr]) -> [*mut c_char; N] {
    let mut to = [std::ptr::null_mut(); N];
    let mut slot = 0;
    while slot < N {
        to[slot] = from[slot].as_ptr().cast_mut();
        slot += 1;
    }
    to
}

/// Whether two names are the same, for the compiler.
#[must_use]
pub const fn same(name: &CStr, text: &str) -> bool {
    let (name, text) = (name.to_bytes(), text.as_bytes());
    if name.len() != text.len() {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        if name[at] != text[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Registers a process node with VPP: once for each node, in the crate that becomes the plugin, which depends on
/// `vpp-plugin` itself.
///
/// `name` repeats the node's `NAME`, which is checked: VPP's macro needs a literal. `setup` gets the scheduler
/// before it starts, to open inboxes; `make` makes the node for its start and for each restart.
///
/// ```ignore
/// barrow_vpp_plugin::export_process_node! {
///     Napper,
///     name = "napper",
///     restart = Restart::OnFailure,
///     setup = |scheduler| *EVENTS.lock().unwrap() = scheduler.spawner().inbox("napper", 4096).ok(),
///     make = || Napper {},
/// }
/// ```
#[macro_export]
macro_rules! export_process_node {
    (
        $node:ty, name = $name:literal, restart = $restart:expr, setup = $setup:expr, make = $make:expr $(,)?
    ) => {
        const _: () = {
            use $crate::__core::{ErrorCounters as _, NextNodes as _, ProcessNode as _};
            use $crate::vpp as edge;
            type Node = $node;
            type NodeNext = <Node as $crate::__core::ProcessNode>::NextNodes;
            type NodeErrors = <Node as $crate::__core::ProcessNode>::Errors;
            const NEXTS: usize = <NodeNext as $crate::__core::NextNodes>::NAMES.len();
            const ERRORS: usize = <NodeErrors as $crate::__core::ErrorCounters>::COUNTERS.len();
            ::core::assert!(edge::same(Node::NAME, $name), "`name` differs from NAME");

            #[derive(Clone, Copy)]
            struct Next(u16);
            // SAFETY: NEXTS names, each a static C string; a slot of the derived enum is below NEXTS.
            unsafe impl ::vpp_plugin::vlib::node::NextNodes for Next {
                type CNamesArray = [*mut ::core::ffi::c_char; NEXTS];
                const C_NAMES: Self::CNamesArray = edge::names(NodeNext::NAMES);
                fn into_u16(self) -> u16 {
                    self.0
                }
            }

            #[derive(Clone, Copy)]
            struct Errors(u16);
            // SAFETY: ERRORS descriptions of static C strings; a slot of the derived enum is below ERRORS.
            unsafe impl ::vpp_plugin::vlib::node::ErrorCounters for Errors {
                type CDescriptionsArray = [::vpp_plugin::bindings::vlib_error_desc_t; ERRORS];
                const C_DESCRIPTIONS: Self::CDescriptionsArray =
                    edge::descriptions(NodeErrors::COUNTERS);
                fn into_u16(self) -> u16 {
                    self.0
                }
            }

            #[::vpp_plugin::vlib_process_node(name = $name, instance = HOST, log2_stack_bytes = 16)]
            struct Host;
            static HOST: Host = Host;

            impl ::vpp_plugin::vlib::ProcessNode for Host {
                type NextNodes = Next;
                type RuntimeData = ();
                type Errors = Errors;

                async fn function(
                    &self,
                    vm: &mut ::vpp_plugin::vlib::MainRef,
                    node: &mut ::vpp_plugin::vlib::NodeRuntimeRef<Self>,
                ) {
                    let bell = $crate::RootBell::default();
                    let extensions = $crate::__core::Extensions::new();
                    let mut scheduler = $crate::__core::Scheduler::new(bell.clone(), extensions);
                    let setup: fn(&mut $crate::__core::Scheduler) = $setup;
                    setup(&mut scheduler);
                    let (_, status) = scheduler.add_process($restart, $make);
                    let mut deltas = $crate::Deltas::default();
                    let after_turn = |scheduler: &mut $crate::__core::Scheduler| {
                        edge::report(scheduler);
                        deltas.take(&status, |slot, by| {
                            node.increment_process_error_counter(vm, Errors(slot), by);
                        });
                    };
                    $crate::root(edge::VppHost::default(), bell, scheduler, after_turn).await;
                }
            }
        };
    };
}
