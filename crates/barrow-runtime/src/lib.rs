//! The hosts of the scheduler and their I/O: worker loop, buffer pool, sockets.
#![deny(unsafe_code)]
