//! What every backend promises, each shown on each of them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod cases;
mod world;

use barrow_runtime::io::Backend;
use world::{Kernel, Simulated};

/// A test of each case on each backend of the kernel.
macro_rules! on_every_backend {
    ($($case:ident)*) => {
        on_every_backend!(@ mio Mio $($case)*);
        on_every_backend!(@ poll Poll $($case)*);
        on_every_backend!(@ polling Polling $($case)*);
        on_every_backend!(@ io_uring IoUring $($case)*);
    };
    (@ $module:ident $backend:ident $($case:ident)*) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $case() {
                    cases::$case(&mut Kernel::new(Backend::$backend));
                }
            )*
            #[test]
            fn a_wake_from_another_thread_ends_a_sleep() {
                cases::wake_from_another_thread(&Kernel::new(Backend::$backend));
            }
            #[test]
            fn a_sleep_is_exact() {
                cases::a_sleep_is_exact(&Kernel::new(Backend::$backend));
            }
            #[test]
            fn a_lack_of_descriptors_costs_one_connection() {
                cases::descriptors(Backend::$backend);
            }
            #[test]
            fn a_lack_of_buffers_delays_and_loses_nothing() {
                cases::buffers(Backend::$backend);
            }
        }
    };
}

on_every_backend! {
    timers_fire_in_order
    ten_thousand_datagrams_are_conserved
    one_payload_goes_to_many
    segments_are_cut_and_joined
    a_long_datagram_is_an_error
    a_half_closed_stream_still_answers
    a_slow_reader_holds_the_writer_back
    a_slow_reader_costs_a_refusing_writer_nothing_else
    a_pending_connection_can_be_cancelled
    a_refused_connection_is_told
    closing_delivers_what_is_in_flight
    aborting_resets_the_peer
    unix_streams_and_datagrams_carry_bytes
    events_of_a_closed_socket_reach_nobody
}

/// The same in the simulation, as far as it has such sockets.
macro_rules! in_simulation {
    ($($case:ident)*) => {
        mod sim {
            use super::*;
            $(
                #[test]
                fn $case() {
                    cases::$case(&mut Simulated::new());
                }
            )*
        }
    };
}

in_simulation! {
    timers_fire_in_order
    ten_thousand_datagrams_are_conserved
    one_payload_goes_to_many
    segments_are_cut_and_joined
    a_long_datagram_is_an_error
    a_half_closed_stream_still_answers
    a_slow_reader_holds_the_writer_back
    a_slow_reader_costs_a_refusing_writer_nothing_else
    a_pending_connection_can_be_cancelled
    a_refused_connection_is_told
    closing_delivers_what_is_in_flight
    aborting_resets_the_peer
    events_of_a_closed_socket_reach_nobody
}
