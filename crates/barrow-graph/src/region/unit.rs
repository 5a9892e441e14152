//! A region as a unit of a scheduler.

use std::{fmt, task::Waker};

use barrow_core::{Clock, NoClock, Unit, UnitContext, Work};

use super::{NodeIndex, Region};

/// A region with what its nodes share, and the nodes that look at inputs from outside.
///
/// Each call marks the sources, so whoever feeds one only has to wake the unit.
///
/// ```
/// use barrow_core::{handoff::{Pull, handoff}, testing::Simulation};
/// use barrow_graph::region::{Ran, Ready, Region, RegionNode, RegionUnit};
///
/// struct Sum(Pull<u64>);
/// impl RegionNode<u64> for Sum {
///     fn run(&mut self, sum: &mut u64, _: &mut Ready, quantum: u32) -> Ran {
///         let mut items = Vec::new();
///         let count = self.0.take(&mut items, quantum as usize);
///         *sum += items.iter().sum::<u64>();
///         Ran { items: count as u32, left: !self.0.is_empty() }
///     }
/// }
///
/// let mut simulation = Simulation::new();
/// let (mut push, pull) = handoff(8);
/// let (mut region, hook) = (Region::new(), pull.hook());
/// let sum = region.add_node("sum", Box::new(Sum(pull)));
/// simulation.scheduler().add(RegionUnit::new("sums", region, 0).source(sum, hook));
/// push.push(40).expect("there is credit");
/// push.push(2).expect("there is credit");
/// assert_eq!(simulation.settle(), None, "everything is summed up");
/// assert_eq!(push.credit(), 8);
/// ```
pub struct RegionUnit<X, C = NoClock> {
    name: String,
    region: Region<X, C>,
    shared: X,
    sources: Vec<Source>,
}

struct Source {
    node: NodeIndex,
    hook: Box<dyn FnMut(&Waker)>,
}

impl<X: 'static, C: Clock> RegionUnit<X, C> {
    /// A unit without sources.
    #[must_use]
    pub fn new(name: &str, region: Region<X, C>, shared: X) -> Self {
        Self {
            name: name.to_owned(),
            region,
            shared,
            sources: Vec::new(),
        }
    }

    /// Adds a source; `hook` tells its input whom to wake.
    #[must_use]
    pub fn source(mut self, node: NodeIndex, hook: impl FnMut(&Waker) + 'static) -> Self {
        self.sources.push(Source {
            node,
            hook: Box::new(hook),
        });
        self
    }

    /// The region.
    pub fn region(&mut self) -> &mut Region<X, C> {
        &mut self.region
    }
}

impl<X: 'static, C: Clock> Unit for RegionUnit<X, C> {
    fn work(&mut self, cx: &mut UnitContext<'_>) -> Work {
        for Source { node, hook } in &mut self.sources {
            hook(cx.waker); // before the node looks at its input
            self.region.mark(*node);
        }
        self.region.turn(&mut self.shared, cx.quantum)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl<X, C> fmt::Debug for RegionUnit<X, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegionUnit")
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
