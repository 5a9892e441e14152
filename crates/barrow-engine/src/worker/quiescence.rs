//! Telling tables when a thread holds none of their indexes.

/// What a thread tells a table that reuses slots only once every thread is past them (epochs): called on
/// the thread itself, between turns.
pub trait Quiescence: Send + 'static {
    /// The thread holds nothing it read before, and begins to read anew.
    fn begin(&mut self);
    /// The thread holds nothing, and reads nothing until [`begin`](Self::begin): it may sleep.
    fn end(&mut self);
}
