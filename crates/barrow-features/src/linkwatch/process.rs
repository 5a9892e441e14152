//! `link-watch-process`.

use super::LinkWatch;
use barrow_core::Backoff;
use barrow_engine::{
    EngineBuilder, ErrorCounters, NoNext, ProcessContext, ProcessError, ProcessNode, RegisterError,
    Restart,
};
use barrow_runtime::io::Reactor;
use barrow_runtime::io::netlink::{Event, Events, Groups, Netlink};
use std::ffi::CStr;
use std::time::Duration;

/// How long the process waits before it listens again after a failure: to begin with, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(10);

/// Counters of the process.
#[derive(Clone, Copy, Debug, ErrorCounters)]
enum Seen {
    /// News of a link that an interface follows.
    #[error_counter(name = "link-changes", description = "changes of links", severity = INFO)]
    Change,
    /// The kernel dropped news; all links were looked at instead.
    #[error_counter(name = "news-lost", description = "news lost", severity = WARNING)]
    Lost,
}

/// Passes the kernel's news of links on.
struct Process {
    links: LinkWatch,
}

/// Starts the process; a host without a reactor (a test bed) has no news.
pub(crate) fn register(engine: &mut EngineBuilder, links: &LinkWatch) -> Result<(), RegisterError> {
    let links = links.clone();
    let restart = Restart::AfterBackoff(Backoff::new(FIRST_RETRY, LAST_RETRY));
    engine.process(restart, move || Process {
        links: links.clone(),
    })?;
    Ok(())
}

impl ProcessNode for Process {
    const NAME: &'static CStr = c"link-watch-process";
    type NextNodes = NoNext;
    type Errors = Seen;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let Some(reactor) = cx.extension::<Reactor>() else {
            return Ok(());
        };
        let mut events = Events::subscribe(&reactor, Groups::LINKS)?;
        let mut netlink = Netlink::open()?;
        self.links.refresh_all(&mut netlink)?;
        loop {
            match events.next().await? {
                Event::Link(link) | Event::LinkGone(link)
                    if self.links.heard(&mut netlink, &link)? =>
                {
                    cx.count(Seen::Change, 1);
                }
                Event::Lost => {
                    cx.count(Seen::Lost, 1);
                    self.links.refresh_all(&mut netlink)?;
                }
                _ => {}
            }
        }
    }
}
