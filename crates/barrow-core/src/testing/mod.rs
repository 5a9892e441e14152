//! Virtual time and faulty pipes: what tests and simulations of sans-I/O code run on.
//!
//! Part of the library on purpose: users test their own machines and process nodes with it.
//! Misuse panics, as test harnesses do.

mod pipe;
mod simulation;

pub use pipe::{Faults, Pipe, PipeClosed, Read};
pub use simulation::Simulation;

/// One step of the splitmix64 generator: small, seedable, the same on every machine.
pub(crate) fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
