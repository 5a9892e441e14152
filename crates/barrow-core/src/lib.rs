//! What every host of a unit shares: scheduler, timers, channels, process nodes; no clock, thread or I/O.
#![forbid(unsafe_code)]
