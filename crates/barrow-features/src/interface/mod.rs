//! Interfaces: hardware and software, their queues, counters, events, messages and commands.
//!
//! A *hardware interface* is a device with its queues, its own `NAME-output` and `NAME-tx` nodes and a
//! [`Device`] that does what only its kind can do. A *software interface* is what everything else
//! refers to by [`SwIfIndex`]; each device has one, and VLAN sub-interfaces add more.
//!
//! [`Interfaces`] owns the state on the main thread. Packet nodes read [`InterfaceWords`]: one word an
//! interface, published by atomics, so that no change of an interface stops a worker.

mod api;
pub(crate) mod cli;
mod commands;
mod counters;
mod dataplane;
mod device;
mod device_nodes;
mod error;
mod feature;
mod index;
mod links;
mod model;
mod notify;
mod offload;
pub mod output;
#[cfg(test)]
mod output_tests;
mod outputs;
mod published;
mod queues;
mod random;
mod running_config;
mod settings;
mod stage;
mod table;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
pub(crate) mod test_device;
mod trace;

pub use counters::{Combined, InterfaceCounters, InterfaceRows, Simple};
pub use dataplane::{InterfaceWord, InterfaceWords};
pub use device::{Capabilities, Device, RxMode};
pub use error::InterfaceError;
pub use feature::InterfaceFeature;
pub use index::{HwIfIndex, SwIfIndex};
pub use links::InterfaceLinks;
pub(crate) use links::{broadcast_header, question_header};
pub use model::{
    Framing, HwInterface, MadeWith, Mtu, RxPlacement, SubInterface, SwInterface, VlanMatch,
};
pub use notify::InterfaceEvent;
pub(crate) use offload::sum_chain;
pub use outputs::OutputNodes;
pub use published::InterfaceNames;
pub(crate) use random::random_mac;
pub(crate) use stage::{Departure, Departures};
pub use table::{Interfaces, NewInterface};
pub(crate) use trace::output_trace;
