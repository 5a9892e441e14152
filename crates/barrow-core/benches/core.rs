//! What the scheduler costs.
fn main() {}
