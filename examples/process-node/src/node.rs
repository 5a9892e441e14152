//! `napper`: takes naps when it is told to, many at once, and counts them.

use barrow_core::{ErrorCounters, NextNodes, ProcessContext, ProcessError, process_node};
use futures::{StreamExt, stream::FuturesUnordered};
use std::time::Duration;

/// Name of the node and of its inbox.
pub const NAME: &str = "napper";
/// Events that may wait.
pub const BACKLOG: usize = 4096;

/// What the node is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Count this.
    Tick,
    /// Take a nap.
    Nap(Duration),
    /// Panic: it is started again, and nothing that was sent is lost.
    Panic,
    /// End, for good.
    Quit,
}

impl Event {
    /// An event by its words: `tick`, `nap MILLISECONDS`, `panic`, `quit`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let event = match words.next()? {
            "tick" => Self::Tick,
            "nap" => Self::Nap(Duration::from_millis(words.next()?.parse().ok()?)),
            "panic" => Self::Panic,
            "quit" => Self::Quit,
            _ => return None,
        };
        words.next().is_none().then_some(event)
    }
}

/// Where it could send packets, on a host that has some.
#[derive(Clone, Copy, Debug, NextNodes)]
pub enum Next {
    /// To their end.
    #[next_node = "error-drop"]
    Drop,
}

/// What it counts.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub enum Counter {
    /// Events of any kind.
    #[error_counter(name = "events", description = "events received", severity = INFO)]
    Events,
    /// Naps that are over.
    #[error_counter(name = "naps", description = "naps taken", severity = INFO)]
    Naps,
    /// Naps that were longer than asked for by more than a tenth of a second.
    #[error_counter(name = "overslept", description = "naps that were too long", severity = WARNING)]
    Overslept,
    /// It was told to panic.
    #[error_counter(name = "panics", description = "panics as asked", severity = CRITICAL)]
    Panics,
}

/// Takes naps when it is told to.
#[process_node(name = "napper", errors = Counter, next_nodes = Next)]
pub async fn napper(cx: ProcessContext<Napper>) -> Result<(), ProcessError> {
    let mut events = cx.inbox::<Event>(NAME, BACKLOG)?;
    let mut naps = FuturesUnordered::new();
    loop {
        futures::select! {
            event = events.select_next_some() => {
                cx.count(Counter::Events, 1);
                match event {
                    Event::Tick => {}
                    Event::Nap(length) => {
                        let (end, cx) = (cx.now() + length, cx.clone());
                        naps.push(async move {
                            cx.sleep_until(end).await;
                            cx.now() - end
                        });
                    }
                    Event::Panic => {
                        cx.count(Counter::Panics, 1);
                        std::panic::resume_unwind(Box::new("as asked"));
                    }
                    Event::Quit => return Ok(()),
                }
            }
            late = naps.select_next_some() => {
                cx.count(Counter::Naps, 1);
                if late > Duration::from_millis(100) {
                    cx.count(Counter::Overslept, 1);
                }
            }
            complete => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_words() {
        let nap = Event::Nap(Duration::from_millis(10));
        assert_eq!(Event::parse("nap 10"), Some(nap));
        assert_eq!(Event::parse(" quit "), Some(Event::Quit));
        for bad in ["", "nap", "nap x", "nap 1 2", "tock"] {
            assert_eq!(Event::parse(bad), None, "{bad}");
        }
    }
}
