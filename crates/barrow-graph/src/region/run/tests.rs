use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use proptest::prelude::*;

use super::*;
use crate::region::Edge;

/// Everything nodes share here: who ran, and queues beside the nodes.
#[derive(Default)]
struct World {
    ran: Vec<u32>,
    queues: Vec<VecDeque<u64>>,
}

/// Moves items from its queue to those of its targets, in turn.
struct Move {
    number: u32,
    targets: Vec<NodeIndex>,
}

impl RegionNode<World> for Move {
    fn run(&mut self, world: &mut World, ready: &mut Ready, quantum: u32) -> Ran {
        world.ran.push(self.number);
        let mut items = 0;
        while items < quantum
            && let Some(item) = world.queues[self.number as usize].pop_front()
        {
            items += 1;
            if self.targets.is_empty() || item == 0 {
                continue;
            }
            let target = self.targets[item as usize % self.targets.len()];
            world.queues[target.get() as usize].push_back(item - 1);
            ready.mark(target);
        }
        Ran {
            items,
            left: !world.queues[self.number as usize].is_empty(),
        }
    }
}

fn graph(nodes: u32, edges: &[(u32, u32)]) -> (Region<World>, World) {
    let mut region = Region::new();
    let indices: Vec<_> = (0..nodes)
        .map(|number| {
            let targets = edges.iter().filter(|(from, _)| *from == number);
            let targets = targets.map(|(_, to)| NodeIndex::new(*to)).collect();
            region.add_node(&format!("n{number}"), Box::new(Move { number, targets }))
        })
        .collect();
    for (from, to) in edges {
        region.connect(indices[*from as usize], indices[*to as usize]);
    }
    let queues = (0..nodes).map(|_| VecDeque::new()).collect();
    (
        region,
        World {
            ran: Vec::new(),
            queues,
        },
    )
}

fn give(region: &mut Region<World>, world: &mut World, node: u32, items: &[u64]) {
    world.queues[node as usize].extend(items);
    region.mark(NodeIndex::new(node));
}

#[test]
fn a_node_that_several_feed_runs_once_after_all_of_them() {
    // Added sink first, to show that edges and not indices make the order.
    let (mut region, mut world) = graph(4, &[(3, 1), (3, 2), (1, 0), (2, 0)]);
    give(&mut region, &mut world, 3, &[2, 3, 2, 3]);
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert_eq!(world.ran, [3, 1, 2, 0]);
    let stats = region.stats(NodeIndex::new(0));
    assert_eq!((stats.calls, stats.items, stats.max_items), (1, 4, 4));
}

#[test]
fn feedback_waits_for_the_next_turn() {
    let (mut region, mut world) = graph(2, &[(0, 1), (1, 0)]);
    assert_eq!(
        region
            .edges()
            .filter(|edge| edge.feedback)
            .collect::<Vec<_>>(),
        [Edge {
            from: NodeIndex(1),
            to: NodeIndex(0),
            feedback: true
        }]
    );
    give(&mut region, &mut world, 0, &[5]);
    for pass in 1..=2 {
        assert_eq!(region.turn(&mut world, 256), Work::More);
        assert_eq!(world.ran.len(), pass * 2);
    }
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert_eq!(region.passes(), 3);
}

#[test]
fn a_node_that_marks_itself_runs_once_a_turn() {
    struct Again(u32);
    impl RegionNode<u32> for Again {
        fn run(&mut self, runs: &mut u32, _: &mut Ready, _: u32) -> Ran {
            *runs += 1;
            self.0 -= 1;
            Ran {
                items: 0,
                left: self.0 > 0,
            }
        }
    }
    let mut region = Region::new();
    let node = region.add_node("again", Box::new(Again(3)));
    region.mark(node);
    let mut runs = 0;
    assert_eq!(region.turn(&mut runs, 1_000), Work::More);
    assert_eq!(runs, 1);
    assert_eq!(region.turn(&mut runs, 1_000), Work::More);
    assert_eq!(region.turn(&mut runs, 1_000), Work::Idle);
    assert_eq!(runs, 3);
}

#[test]
fn i2_bounded_turn_a_pass_that_does_not_fit_goes_on_where_it_stopped() {
    let (mut region, mut world) = graph(3, &[(0, 1), (1, 2)]);
    give(&mut region, &mut world, 0, &[9; 8]);
    let mut turns = 0;
    loop {
        turns += 1;
        // The source is refilled all the time; the sink runs in every third turn nevertheless.
        give(&mut region, &mut world, 0, &[9; 8]);
        assert_eq!(region.turn(&mut world, 4), Work::More);
        if turns == 9 {
            break;
        }
    }
    assert_eq!(world.ran, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

#[test]
fn nodes_and_edges_may_be_added_between_turns_while_work_waits() {
    let (mut region, mut world) = graph(2, &[]);
    give(&mut region, &mut world, 0, &[0]);
    give(&mut region, &mut world, 1, &[0]);
    let first = region.add_node(
        "n2",
        Box::new(Move {
            number: 2,
            targets: vec![],
        }),
    );
    world.queues.push(VecDeque::from([0]));
    region.mark(first);
    region.connect(first, NodeIndex::new(0));
    region.connect(NodeIndex::new(0), NodeIndex::new(0));
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert_eq!(world.ran.len(), 3);
    let place = |n| world.ran.iter().position(|ran| *ran == n);
    assert!(
        place(2) < place(0),
        "its work moved with its rank: {:?}",
        world.ran
    );
}

#[test]
fn a_removed_node_leaves_no_marks_and_its_index_is_used_again() {
    let (mut region, mut world) = graph(3, &[(0, 1), (1, 2)]);
    give(&mut region, &mut world, 1, &[1]);
    assert!(region.remove_node(NodeIndex::new(1)).is_some());
    assert!(region.remove_node(NodeIndex::new(1)).is_none());
    assert!(!region.has_work());
    assert_eq!((region.len(), region.edges().count()), (2, 0));
    let again = region.add_node(
        "new",
        Box::new(Move {
            number: 1,
            targets: vec![],
        }),
    );
    assert_eq!(
        (again, region.find("new")),
        (NodeIndex::new(1), Some(again))
    );
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert!(
        world.ran.is_empty(),
        "the new node did not inherit the old one's mark"
    );
    region.mark(NodeIndex::new(77));
    assert!(!region.has_work(), "a mark for nobody is ignored");
}

#[test]
fn i10_failures_are_values_a_panicking_node_fails_alone() {
    struct Bad;
    impl RegionNode<World> for Bad {
        fn run(&mut self, _: &mut World, _: &mut Ready, _: u32) -> Ran {
            panic!("bad node")
        }
    }
    let (mut region, mut world) = graph(2, &[]);
    let bad = region.add_node("bad", Box::new(Bad));
    region.connect(bad, NodeIndex::new(0));
    give(&mut region, &mut world, 0, &[0]);
    give(&mut region, &mut world, 1, &[0]);
    region.mark(bad);
    assert_eq!(region.turn(&mut world, 256), Work::More);
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert_eq!(world.ran, [1, 0], "the others ran, downstream included");
    let failures = region.take_failures();
    assert_eq!((failures.len(), failures[0].index), (1, bad));
    assert_eq!(
        (&*failures[0].name, &*failures[0].message),
        ("bad", "bad node")
    );
    region.mark(bad);
    assert_eq!(
        region.turn(&mut world, 256),
        Work::Idle,
        "its place is there and does nothing"
    );
    let mend = Move {
        number: 1,
        targets: vec![],
    };
    assert!(region.replace_node(bad, Box::new(mend)).is_some());
    region.mark(bad);
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    assert_eq!(world.ran, [1, 0, 1]);
}

#[test]
fn a_node_is_reachable_as_what_it_is() {
    let (mut region, _) = graph(1, &[]);
    let node = NodeIndex::new(0);
    region.node_mut::<Move>(node).expect("it is one").number = 7;
    assert_eq!(region.node_mut::<Move>(node).map(|n| n.number), Some(7));
    assert!(region.node_mut::<Vacant>(node).is_none());
}

#[test]
fn clocks_are_booked_to_the_node_that_spent_them() {
    #[derive(Clone, Default)]
    struct Ticks(Rc<RefCell<u64>>);
    impl Clock for Ticks {
        fn clocks(&self) -> u64 {
            *self.0.borrow()
        }
    }
    struct Spend(Ticks, u64, u32);
    impl RegionNode<()> for Spend {
        fn run(&mut self, (): &mut (), _: &mut Ready, _: u32) -> Ran {
            *self.0.0.borrow_mut() += self.1;
            self.1 /= 2;
            Ran::all(self.2)
        }
    }
    let ticks = Ticks::default();
    let mut region = Region::with_clock(ticks.clone());
    let a = region.add_node("a", Box::new(Spend(ticks.clone(), 100, 4)));
    let b = region.add_node("b", Box::new(Spend(ticks.clone(), 7, 1)));
    for _ in 0..2 {
        region.mark(a);
        region.mark(b);
        assert_eq!(region.turn(&mut (), 256), Work::Idle);
    }
    let (a, b) = (region.stats(a), region.stats(b));
    assert_eq!((a.clocks, a.max_clocks, a.max_clocks_items), (150, 100, 4));
    assert_eq!((b.clocks, b.max_clocks, b.calls), (10, 7, 2));
    region.clear_stats();
    assert_eq!(region.nodes().map(|node| node.stats.calls).sum::<u64>(), 0);
}

#[test]
fn pictures_show_names_counters_and_feedback() {
    let (mut region, mut world) = graph(3, &[(0, 1), (1, 0)]);
    give(&mut region, &mut world, 0, &[1]);
    assert_eq!(region.turn(&mut world, 256), Work::Idle);
    let mermaid = region.mermaid().only_active().to_string();
    assert_eq!(
        mermaid,
        "flowchart LR\n  n0[\"n0<br/>1 items / 1 calls\"]\n  n1[\"n1<br/>1 items / 1 calls\"]\n  \
         n0 --> n1\n  n1 -.-> n0\n"
    );
    assert!(region.mermaid().to_string().contains("n2[\"n2\"]"));
    assert!(
        region
            .graphviz()
            .to_string()
            .contains("n0 [label=\"n0\\n1 items / 1 calls\"];")
    );
}

proptest! {
    /// Whatever the graph and the budget: every item is moved until it is used up, a pass runs a
    /// node at most once, and upstream before downstream.
    #[test]
    fn every_item_arrives_and_passes_follow_the_ranks(
        edges in prop::collection::vec((0u32..10, 0u32..10), 0..30),
        starts in prop::collection::vec((0u32..10, 0u64..12), 1..20),
        budget in 1u32..40,
    ) {
        let (mut region, mut world) = graph(10, &edges);
        for (node, item) in starts {
            give(&mut region, &mut world, node, &[item]);
        }
        let ranks: Vec<u32> = {
            let mut nodes: Vec<_> = region.nodes().collect();
            nodes.sort_by_key(|node| node.index);
            nodes.iter().map(|node| node.rank).collect()
        };
        let mut passes = region.passes();
        for _ in 0..10_000 {
            let work = region.turn(&mut world, budget);
            if region.passes() != passes {
                passes = region.passes();
                let ran = std::mem::take(&mut world.ran);
                let ran: Vec<u32> = ran.iter().map(|n| ranks[*n as usize]).collect();
                prop_assert!(ran.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ran);
            }
            if work == Work::Idle {
                break;
            }
        }
        prop_assert!(!region.has_work());
        prop_assert!(world.queues.iter().all(VecDeque::is_empty));
    }
}
