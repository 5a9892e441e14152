//! The process nodes of the neighbour table: learning what was heard, and ageing what was not.

use super::table::{NeighborKey, Neighbors};
use crate::interface::SwIfIndex;
use barrow_core::channel::{Receiver, Sender, bounded};
use barrow_engine::{ErrorCounters, NoErrors, NoNext, ProcessContext, ProcessError, ProcessNode};
use barrow_messages::ethernet_types::MacAddress;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

/// What neighbours said that is not worked on yet, at most.
const BACKLOG: usize = 1024;
/// Questions to a neighbour that has grown old, before it is forgotten.
const PROBES: u32 = 3;

/// What a neighbour said of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Learnt {
    /// The link it was heard on.
    pub interface: SwIfIndex,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its address on the link.
    pub mac: [u8; 6],
    /// Only a neighbour that is known already is to be changed.
    pub only_known: bool,
}

/// The way to the process that learns.
#[derive(Clone, Debug)]
pub struct Learner {
    sender: Sender<Learnt>,
    receiver: Rc<RefCell<Option<Receiver<Learnt>>>>,
}

impl Learner {
    pub(super) fn new() -> Self {
        let (sender, receiver) = bounded(BACKLOG);
        Self {
            sender,
            receiver: Rc::new(RefCell::new(Some(receiver))),
        }
    }

    /// For packet nodes, on any thread.
    #[must_use]
    pub fn sender(&self) -> Sender<Learnt> {
        self.sender.clone()
    }

    pub(super) fn take(&self) -> Option<Receiver<Learnt>> {
        self.receiver.borrow_mut().take()
    }
}

/// Counters of the learning process.
#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(super) enum LearnError {
    /// Neighbours learnt or heard of again.
    #[error_counter(name = "learnt", description = "neighbors learnt", severity = INFO)]
    Learnt,
    /// What could not be learnt: the table is full, or the interface gone.
    #[error_counter(name = "refused", description = "neighbors not learnt", severity = WARNING)]
    Refused,
}

/// Puts what was heard into the table.
pub(super) struct Learn {
    pub(super) neighbors: Neighbors,
    pub(super) receiver: Receiver<Learnt>,
}

impl ProcessNode for Learn {
    const NAME: &'static CStr = c"neighbor-learn-process";
    type NextNodes = NoNext;
    type Errors = LearnError;

    async fn run(mut self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        while let Some(learnt) = self.receiver.recv().await {
            let key = NeighborKey {
                interface: learnt.interface,
                address: IpAddr::V4(learnt.address),
            };
            let outcome = self
                .neighbors
                .learn(key, MacAddress(learnt.mac), learnt.only_known);
            let counter = if outcome.is_ok() {
                LearnError::Learnt
            } else {
                LearnError::Refused
            };
            cx.count(counter, 1);
        }
        Ok(())
    }
}

/// Asks a neighbour that has not been heard of for too long; then forgets it.
pub(super) struct Age {
    pub(super) neighbors: Neighbors,
    pub(super) probe: Rc<dyn Fn(NeighborKey)>,
}

impl ProcessNode for Age {
    const NAME: &'static CStr = c"ip4-neighbor-age-process";
    type NextNodes = NoNext;
    type Errors = NoErrors;

    async fn run(self, cx: ProcessContext<Self>) -> Result<(), ProcessError> {
        let mut asked: BTreeMap<NeighborKey, u32> = BTreeMap::new();
        loop {
            cx.sleep(Duration::from_secs(1)).await;
            let age = self.neighbors.config().max_age;
            if age.is_zero() {
                asked.clear();
                continue;
            }
            let old = self.neighbors.older_than(age);
            asked.retain(|key, _| old.contains(key));
            for key in old {
                let probes = asked.entry(key).or_default();
                if *probes < PROBES {
                    *probes += 1;
                    (self.probe)(key);
                } else {
                    asked.remove(&key);
                    // Gone meanwhile, by whoever: that is what was wanted.
                    let _gone = self.neighbors.remove(key);
                }
            }
        }
    }
}
