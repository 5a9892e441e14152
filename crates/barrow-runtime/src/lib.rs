//! The hosts of the scheduler and their I/O: worker loop, buffer pool, sockets.
#![deny(unsafe_code)]

#[expect(
    unsafe_code,
    reason = "slots lie in memory that the kernel maps, and handles stand for exclusive access to them"
)]
pub mod buf;
