//! Passing the descriptor.
