//! Protocols without I/O, and the one loop that drives them.

mod driver;
mod ports;

pub use driver::Driver;
pub use ports::{Machine, Ports, PushOutput};

#[cfg(all(test, not(barrow_loom)))]
mod tests;
