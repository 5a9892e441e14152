//! Edges, and ranks that follow them.

/// One end of an edge.
#[derive(Clone, Copy, Debug)]
struct End {
    peer: u32,
    feedback: bool,
}

/// Nodes by number, their edges, and a rank for each such that every edge that is no feedback
/// edge goes from a lower to a higher rank.
#[derive(Default)]
pub(super) struct Topology {
    outgoing: Vec<Vec<End>>,
    incoming: Vec<Vec<End>>,
    rank_of: Vec<u32>,
    node_at: Vec<u32>,
    /// Edges left out of the order, in the order of connection.
    feedback: Vec<(u32, u32)>,
    /// Scratch: the search that saw a node last.
    seen: Vec<u32>,
    search: u32,
}

/// A search ran into the node that must not be reached.
struct Cycle;

impl Topology {
    /// A new node, last in rank.
    pub(super) fn push(&mut self) {
        let number = self.rank_of.len() as u32;
        self.outgoing.push(Vec::new());
        self.incoming.push(Vec::new());
        self.rank_of.push(number);
        self.node_at.push(number);
        self.seen.push(0);
    }

    #[inline]
    pub(super) fn node_at(&self, rank: u32) -> u32 {
        self.node_at[rank as usize]
    }

    pub(super) fn rank_of(&self, node: u32) -> u32 {
        self.rank_of[node as usize]
    }

    /// The targets of a node's edges with their feedback flag, in the order of connection.
    pub(super) fn targets(&self, node: u32) -> impl Iterator<Item = (u32, bool)> {
        self.outgoing[node as usize]
            .iter()
            .map(|end| (end.peer, end.feedback))
    }

    pub(super) fn is_connected(&self, from: u32, to: u32) -> bool {
        self.outgoing[from as usize]
            .iter()
            .any(|end| end.peer == to)
    }

    /// Adds an edge; returns the nodes that got another rank, with it.
    pub(super) fn connect(&mut self, from: u32, to: u32) -> Vec<(u32, u32)> {
        if self.is_connected(from, to) {
            return Vec::new();
        }
        let moved = self.make_room(from, to);
        let feedback = moved.is_err();
        self.outgoing[from as usize].push(End { peer: to, feedback });
        self.incoming[to as usize].push(End {
            peer: from,
            feedback,
        });
        if feedback {
            self.feedback.push((from, to));
        }
        moved.unwrap_or_default()
    }

    /// Takes an edge out; returns the nodes that got another rank, with it.
    pub(super) fn disconnect(&mut self, from: u32, to: u32) -> Vec<(u32, u32)> {
        self.outgoing[from as usize].retain(|end| end.peer != to);
        self.incoming[to as usize].retain(|end| end.peer != from);
        self.feedback.retain(|edge| *edge != (from, to));
        self.straighten()
    }

    /// Takes every edge of a node out; returns the nodes that got another rank, with it.
    pub(super) fn isolate(&mut self, node: u32) -> Vec<(u32, u32)> {
        for end in std::mem::take(&mut self.outgoing[node as usize]) {
            self.incoming[end.peer as usize].retain(|e| e.peer != node);
        }
        for end in std::mem::take(&mut self.incoming[node as usize]) {
            self.outgoing[end.peer as usize].retain(|e| e.peer != node);
        }
        self.feedback
            .retain(|(from, to)| *from != node && *to != node);
        self.straighten()
    }

    /// Makes feedback edges that no longer close a cycle ordinary ones.
    fn straighten(&mut self) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (from, to) in std::mem::take(&mut self.feedback) {
            match self.make_room(from, to) {
                Err(Cycle) => self.feedback.push((from, to)),
                Ok(moved) => {
                    all.extend(moved);
                    let mend = |ends: &mut Vec<End>, peer| {
                        ends.iter_mut()
                            .filter(|e| e.peer == peer)
                            .for_each(|e| e.feedback = false);
                    };
                    mend(&mut self.outgoing[from as usize], to);
                    mend(&mut self.incoming[to as usize], from);
                }
            }
        }
        // A node that moved twice counts with its last rank.
        for entry in &mut all {
            entry.1 = self.rank_of[entry.0 as usize];
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Orders the ranks so that an edge `from -> to` goes up. Only ranks between the two change:
    /// what is reachable from `to` moves behind what reaches `from`, each in its old order.
    fn make_room(&mut self, from: u32, to: u32) -> Result<Vec<(u32, u32)>, Cycle> {
        let (low, high) = (self.rank_of(to), self.rank_of(from));
        if low > high {
            return Ok(Vec::new());
        }
        if from == to {
            return Err(Cycle);
        }
        let after = self.search(to, Some(from), |ends| &ends.outgoing, |rank| rank <= high)?;
        let before = self.search(from, None, |ends| &ends.incoming, |rank| rank >= low)?;
        let mut ranks: Vec<_> = before.iter().chain(&after).map(|(rank, _)| *rank).collect();
        ranks.sort_unstable();
        let nodes = before.iter().chain(&after).map(|(_, node)| *node);
        let moved: Vec<_> = nodes.zip(ranks).collect();
        for (node, rank) in &moved {
            self.rank_of[*node as usize] = *rank;
            self.node_at[*rank as usize] = *node;
        }
        Ok(moved)
    }

    /// Everything within `bounds` on the way from `start`, as (rank, node), in rank order.
    fn search(
        &mut self,
        start: u32,
        forbidden: Option<u32>,
        ends: impl Fn(&Self) -> &Vec<Vec<End>>,
        bounds: impl Fn(u32) -> bool,
    ) -> Result<Vec<(u32, u32)>, Cycle> {
        self.search = self.search.wrapping_add(1);
        let search = self.search;
        self.seen[start as usize] = search;
        let (mut found, mut stack) = (Vec::new(), vec![start]);
        while let Some(node) = stack.pop() {
            found.push((self.rank_of(node), node));
            let mut next = 0;
            while let Some(end) = ends(self)[node as usize].get(next).copied() {
                next += 1;
                if end.feedback {
                    continue;
                }
                if Some(end.peer) == forbidden {
                    return Err(Cycle);
                }
                if self.seen[end.peer as usize] != search && bounds(self.rank_of(end.peer)) {
                    self.seen[end.peer as usize] = search;
                    stack.push(end.peer);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(nodes: u32, edges: &[(u32, u32)]) -> Topology {
        let mut topology = Topology::default();
        (0..nodes).for_each(|_| topology.push());
        for (from, to) in edges {
            topology.connect(*from, *to);
        }
        topology
    }

    fn check(topology: &Topology) {
        for (rank, node) in topology.node_at.iter().enumerate() {
            assert_eq!(topology.rank_of(*node) as usize, rank);
        }
        for from in 0..topology.outgoing.len() as u32 {
            for (to, feedback) in topology.targets(from) {
                assert!(feedback || topology.rank_of(from) < topology.rank_of(to));
            }
        }
    }

    #[test]
    fn an_edge_against_the_order_moves_only_what_it_must() {
        let mut topology = with(6, &[(0, 1), (2, 3)]);
        let moved = topology.connect(3, 0);
        assert_eq!(moved, [(2, 0), (3, 1), (0, 2), (1, 3)]);
        check(&topology);
        assert!(
            topology.connect(3, 0).is_empty(),
            "connecting again changes nothing"
        );
    }

    #[test]
    fn the_edge_that_closes_a_cycle_is_the_feedback_edge() {
        let mut topology = with(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        assert_eq!(topology.feedback, [(2, 0), (1, 1)]);
        check(&topology);
        topology.disconnect(0, 1);
        assert_eq!(
            topology.feedback,
            [(1, 1)],
            "2 -> 0 closes nothing any more"
        );
        check(&topology);
    }

    proptest! {
        #[test]
        fn every_edge_but_feedback_goes_up_whatever_is_connected(
            edges in prop::collection::vec((0u32..24, 0u32..24, 0u32..8), 0..120),
        ) {
            let mut topology = with(24, &[]);
            for (from, to, action) in edges {
                match action {
                    0 => { topology.isolate(from); }
                    1 => { topology.disconnect(from, to); }
                    _ => { topology.connect(from, to); }
                }
                check(&topology);
            }
            // And a feedback edge really closes a cycle: its source is reachable from its target.
            for (from, to) in topology.feedback.clone() {
                let reachable = topology.search(to, None, |t| &t.outgoing, |_| true);
                let nodes = reachable.ok().expect("nothing is forbidden");
                prop_assert!(nodes.iter().any(|(_, node)| *node == from));
            }
        }
    }
}
