//! The hosts of the scheduler and their I/O: worker loop, buffer pool, sockets.
//!
//! - [`host`]: threads that run a [`barrow_core::Scheduler`], and closures sent to them;
//! - [`controller`]: several workers as one runtime: tasks, messages, status, shutdown;
//! - [`bus`]: messages between tasks, wherever they run;
//! - [`rpc`]: typed calls between tasks, processes and machines;
//! - [`io`]: readiness and the one sleep of a thread, the sockets of machines, streams for tasks,
//!   netlink;
//! - [`buf`]: buffers of packets and messages, owned through move-only handles;
//! - [`signal`]: signals to the process;
//! - [`sys`]: clocks, processors, network namespaces, offloads.
//!
//! Linux only. Unsafe code is in [`buf`], [`sys`] and three modules of [`io`] alone: the ring, AF_XDP and
//! the crate `polling`.
#![deny(unsafe_code)]

#[expect(
    unsafe_code,
    reason = "slots lie in memory that the kernel maps; a handle stands for exclusive access to one"
)]
pub mod buf;
pub mod bus;
pub mod controller;
pub mod host;
pub mod io;
pub mod rpc;
pub mod signal;
#[expect(
    unsafe_code,
    reason = "the cycle counter, unshare and the ethtool call have no safe interface"
)]
pub mod sys;
