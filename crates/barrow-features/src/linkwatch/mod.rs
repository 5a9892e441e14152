//! Carrier and MTU of the kernel's links, for interfaces that are on one.
//!
//! A process node listens to the kernel's news of links and passes on what concerns an interface. News is
//! taken as a hint only: what a link is like is then read anew, so that lost, repeated and outdated news
//! all end in the state that is. A link that goes takes the interface's link down; one that is made anew
//! under its name is offered to the device, which may go on with it.

mod process;
mod table;

pub(crate) use process::register;
pub(crate) use table::{LinkUser, LinkWatch};
