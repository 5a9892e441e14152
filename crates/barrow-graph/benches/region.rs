//! What running a region costs.
fn main() {}
