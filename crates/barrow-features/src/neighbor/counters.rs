//! ARP messages by interface: `/net/arp/{rx,tx}/{requests,replies,gratuitous}`.

use crate::interface::SwIfIndex;
use barrow_stats::{EntryError, Segment, SimpleCounters, SimpleRow};

/// What is counted of one direction.
#[derive(Clone, Debug)]
struct Direction {
    requests: SimpleCounters,
    replies: SimpleCounters,
    gratuitous: SimpleCounters,
}

/// The counters; made, grown and cleared on the main thread.
#[derive(Clone, Debug)]
pub struct ArpCounters {
    rx: Direction,
    tx: Direction,
}

/// What was counted of one direction of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArpTotals {
    /// Answers.
    pub replies: u64,
    /// Questions.
    pub requests: u64,
    /// Announcements.
    pub gratuitous: u64,
}

/// One direction's rows of one thread.
#[derive(Debug)]
pub struct ArpRows {
    requests: SimpleRow,
    replies: SimpleRow,
    gratuitous: SimpleRow,
}

impl Direction {
    fn new(segment: &Segment, direction: &str) -> Result<Self, EntryError> {
        let make =
            |what| segment.simple(&format!("/net/arp/{direction}/{what}"), segment.threads());
        Ok(Self {
            requests: make("requests")?,
            replies: make("replies")?,
            gratuitous: make("gratuitous")?,
        })
    }

    fn all(&self) -> [&SimpleCounters; 3] {
        [&self.requests, &self.replies, &self.gratuitous]
    }

    fn rows(&self, thread: usize) -> ArpRows {
        let row = |counters: &SimpleCounters| counters.row(thread).expect("every thread has a row");
        ArpRows {
            requests: row(&self.requests),
            replies: row(&self.replies),
            gratuitous: row(&self.gratuitous),
        }
    }
}

impl ArpCounters {
    /// Adds the counters to the segment.
    ///
    /// # Errors
    /// When the segment has no room for them.
    pub fn new(segment: &Segment) -> Result<Self, EntryError> {
        Ok(Self {
            rx: Direction::new(segment, "rx")?,
            tx: Direction::new(segment, "tx")?,
        })
    }

    /// Makes room for an interface, its counters at 0.
    ///
    /// # Errors
    /// When the segment is full.
    pub fn ensure(&self, index: SwIfIndex) -> Result<(), EntryError> {
        for counters in self.rx.all().into_iter().chain(self.tx.all()) {
            counters.ensure(index.0)?;
            counters.clear(index.0);
        }
        Ok(())
    }

    /// What an interface has received, or sent.
    #[must_use]
    pub fn totals(&self, index: SwIfIndex, received: bool) -> ArpTotals {
        let direction = if received { &self.rx } else { &self.tx };
        ArpTotals {
            replies: direction.replies.sum(index.0),
            requests: direction.requests.sum(index.0),
            gratuitous: direction.gratuitous.sum(index.0),
        }
    }

    /// What a thread counts of received messages.
    #[must_use]
    pub fn rx_rows(&self, thread: usize) -> ArpRows {
        self.rx.rows(thread)
    }

    /// What a thread counts of sent messages.
    #[must_use]
    pub fn tx_rows(&self, thread: usize) -> ArpRows {
        self.tx.rows(thread)
    }
}

impl ArpRows {
    /// Counts a request.
    pub fn request(&self, index: SwIfIndex) {
        self.requests.increment(index.0);
    }

    /// Counts a reply.
    pub fn reply(&self, index: SwIfIndex) {
        self.replies.increment(index.0);
    }

    /// Counts an announcement.
    pub fn gratuitous(&self, index: SwIfIndex) {
        self.gratuitous.increment(index.0);
    }
}
