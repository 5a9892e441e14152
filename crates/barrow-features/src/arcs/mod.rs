//! Feature arcs in the hands of clients: `feature_enable_disable`, `feature_is_enabled`,
//! `set interface feature`, `show features`.
//!
//! The arcs themselves are the engine's ([`barrow_engine::ArcTable`]). A change is told to the table of
//! interfaces, so that adjacencies learn whether there is anything on their way out.

mod api;
mod cli;
mod feature;
mod switches;

#[cfg(test)]
mod tests;

pub use feature::ArcsFeature;
