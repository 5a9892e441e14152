//! A process node of a user. [`node`] knows only `barrow-core`, so that both hosts run the same file: Barrow,
//! by the feature in [`feature`], and FD.io VPP, by `examples/vpp-plugin`.
#![forbid(unsafe_code)]

#[cfg(feature = "barrow")]
mod feature;
pub mod node;

#[cfg(feature = "barrow")]
pub use feature::NapperFeature;
