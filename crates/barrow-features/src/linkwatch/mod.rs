//! The carrier of the kernel's links, for interfaces that are on one.
//!
//! A process node listens to the kernel's news of links and passes on what concerns an interface. News is
//! taken as a hint only: what a link is like is then read anew, so that lost, repeated and outdated news
//! all end in the state that is.

mod process;
mod table;

pub(crate) use process::register;
pub(crate) use table::LinkWatch;
