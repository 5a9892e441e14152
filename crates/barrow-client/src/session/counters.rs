//! What a session counts.

/// Counted over all connections of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCounters {
    /// Calls started.
    pub calls: u64,
    /// Calls answered.
    pub answered: u64,
    /// Calls that ended by their deadline.
    pub timed_out: u64,
    /// Items of dumps and cursor streams.
    pub items: u64,
    /// Items dropped because their dump was cut.
    pub items_dropped: u64,
    /// Answers that nobody waited for any more.
    pub late: u64,
    /// Answers with a context that is not in use.
    pub stray: u64,
    /// Answers that did not belong to their request.
    pub unexpected: u64,
    /// Events that somebody watches.
    pub events: u64,
    /// Messages of kinds that nobody asked for.
    pub unheard: u64,
}
