//! The main thread's side of the arcs: who is on which, and who is switched on where.

use super::heap::{Chains, item};
use super::order::{Constraint, OrderError, order};
use super::{ArcEntry, ArcHandle, Heap, Published};
use crate::node::NodeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Interfaces beyond this have no features.
const MOST_INTERFACES: u32 = 1 << 20;

/// A node that can be switched in on an arc.
#[derive(Clone, Debug)]
pub(crate) struct FeatureSpec {
    pub(crate) arc: String,
    pub(crate) node: String,
    pub(crate) constraints: Vec<Constraint>,
}

#[derive(Debug)]
struct ArcState {
    name: String,
    starts: Vec<String>,
    end: String,
    end_node: NodeId,
    /// In their order.
    features: Vec<Feature>,
    interfaces: BTreeMap<u32, Interface>,
}

#[derive(Debug)]
struct Feature {
    name: String,
    node: NodeId,
}

/// What is switched on for one interface: feature index to configuration.
#[derive(Default, Debug)]
struct Interface {
    features: BTreeMap<usize, Vec<u32>>,
    end: Option<NodeId>,
}

#[derive(Default, Debug)]
struct Inner {
    arcs: Vec<ArcState>,
    chains: Chains,
    heap: Arc<Heap>,
    published: Arc<Published>,
}

/// All arcs; a cheap handle of the main thread.
#[derive(Clone, Default, Debug)]
pub struct ArcTable(Rc<RefCell<Inner>>);

/// Why a feature could not be switched.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArcError {
    /// There is no such arc.
    #[error("no feature arc {0}")]
    UnknownArc(String),
    /// There is an arc of this name already.
    #[error("feature arc {0} exists already")]
    Duplicate(String),
    /// No such feature on the arc.
    #[error("no feature {feature} on arc {arc}")]
    UnknownFeature {
        /// The arc.
        arc: String,
        /// What was asked for.
        feature: String,
    },
    /// A feature's or end node does not exist.
    #[error("arc {arc} needs node {node}, which does not exist")]
    UnknownNode {
        /// The arc.
        arc: String,
        /// The missing node.
        node: String,
    },
    /// The order of the features has no solution.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The interface index is beyond what arcs can hold.
    #[error("interface {0} is beyond what feature arcs hold")]
    InterfaceOutOfRange(u32),
    /// More different combinations of features and configurations than the node can hold.
    #[error("no room for another combination of features")]
    Full,
}

/// One arc, for listings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArcInfo {
    /// Its name.
    pub name: String,
    /// The nodes that start it.
    pub starts: Vec<String>,
    /// The node that ends it.
    pub end: String,
    /// Its features, in their order.
    pub features: Vec<String>,
}

impl ArcTable {
    /// Adds an arc; features follow with [`resolve`](Self::resolve).
    pub(crate) fn add(
        &self,
        name: &str,
        starts: &[&str],
        end: &str,
    ) -> Result<ArcHandle, ArcError> {
        let inner = &mut *self.0.borrow_mut();
        if inner.arcs.iter().any(|arc| arc.name == name) {
            return Err(ArcError::Duplicate(name.to_owned()));
        }
        let handle = ArcHandle(inner.arcs.len() as u16);
        inner.arcs.push(ArcState {
            name: name.to_owned(),
            starts: starts.iter().map(|&start| start.to_owned()).collect(),
            end: end.to_owned(),
            end_node: NodeId::NONE,
            features: Vec::new(),
            interfaces: BTreeMap::new(),
        });
        Ok(handle)
    }

    /// Puts all features in their order and finds their nodes. Returns warnings.
    pub(crate) fn resolve(
        &self,
        specs: &[FeatureSpec],
        node: impl Fn(&str) -> Option<NodeId>,
    ) -> Result<Vec<String>, ArcError> {
        let inner = &mut *self.0.borrow_mut();
        let mut warnings = Vec::new();
        for spec in specs {
            if !inner.arcs.iter().any(|arc| arc.name == spec.arc) {
                warnings.push(format!(
                    "feature {} is on unknown arc {}",
                    spec.node, spec.arc
                ));
            }
        }
        for arc in &mut inner.arcs {
            let missing = |node: &str| ArcError::UnknownNode {
                arc: arc.name.clone(),
                node: node.into(),
            };
            arc.end_node = node(&arc.end).ok_or_else(|| missing(&arc.end))?;
            let specs: Vec<_> = specs.iter().filter(|spec| spec.arc == arc.name).collect();
            let constraints = specs
                .iter()
                .map(|spec| (spec.node.as_str(), &spec.constraints[..]));
            let ordered = order(&arc.name, &arc.end, constraints)?;
            warnings.extend(ordered.unknown.iter().map(|(feature, unknown)| {
                format!(
                    "feature {feature} on arc {}: unknown feature {unknown} in its order",
                    arc.name
                )
            }));
            let features: Result<Vec<_>, ArcError> = ordered
                .order
                .iter()
                .map(|&i| {
                    let name = &specs[i].node;
                    let node = node(name).ok_or_else(|| missing(name))?;
                    Ok(Feature {
                        name: name.clone(),
                        node,
                    })
                })
                .collect();
            arc.features = features?;
        }
        Ok(warnings)
    }

    /// Every edge that switching features on can use: (from, to) by name.
    pub(crate) fn edges(&self) -> Vec<(String, String)> {
        let inner = self.0.borrow();
        let mut edges = Vec::new();
        for arc in &inner.arcs {
            let nodes: Vec<_> = arc
                .features
                .iter()
                .map(|f| &f.name)
                .chain(std::iter::once(&arc.end))
                .collect();
            for (i, to) in nodes.iter().enumerate() {
                let from = arc.starts.iter().chain(nodes[..i].iter().copied());
                edges.extend(from.map(|from| (from.clone(), (*to).clone())));
            }
        }
        edges
    }

    /// The arc of this name.
    ///
    /// # Errors
    /// [`ArcError::UnknownArc`].
    pub fn handle(&self, arc: &str) -> Result<ArcHandle, ArcError> {
        let inner = self.0.borrow();
        let index = inner.position(arc)?;
        Ok(ArcHandle(index as u16))
    }

    /// Switches a feature on or off for an interface; takes effect in each thread's next turn. `config`
    /// is handed to the feature's node with each packet. Switching on again replaces the configuration.
    ///
    /// # Errors
    /// When arc, feature or interface do not exist, or the heap of combinations is full.
    pub fn enable(
        &self,
        arc: &str,
        feature: &str,
        sw_if_index: u32,
        on: bool,
        config: &[u32],
    ) -> Result<(), ArcError> {
        let inner = &mut *self.0.borrow_mut();
        let (arc, feature) = inner.feature(arc, feature)?;
        inner.change(arc, sw_if_index, |interface| {
            if on {
                interface.features.insert(feature, config.to_vec());
            } else {
                interface.features.remove(&feature);
            }
        })
    }

    /// Whether a feature is switched on for an interface.
    ///
    /// # Errors
    /// When arc or feature do not exist.
    pub fn is_enabled(&self, arc: &str, feature: &str, sw_if_index: u32) -> Result<bool, ArcError> {
        let inner = self.0.borrow();
        let (arc, feature) = inner.feature(arc, feature)?;
        let interface = inner.arcs[arc].interfaces.get(&sw_if_index);
        Ok(interface.is_some_and(|interface| interface.features.contains_key(&feature)))
    }

    /// The features that are switched on for an interface, in the order in which they run.
    ///
    /// # Errors
    /// When the arc does not exist.
    pub fn enabled(&self, arc: &str, sw_if_index: u32) -> Result<Vec<String>, ArcError> {
        let inner = self.0.borrow();
        let arc = &inner.arcs[inner.position(arc)?];
        let interface = arc.interfaces.get(&sw_if_index);
        let features = interface
            .into_iter()
            .flat_map(|interface| interface.features.keys());
        Ok(features
            .map(|&feature| arc.features[feature].name.clone())
            .collect())
    }

    /// Ends the arc in another node for one interface; `None` takes the arc's own again.
    ///
    /// # Errors
    /// When arc or interface do not exist, or the heap of combinations is full.
    pub fn set_end(
        &self,
        arc: &str,
        sw_if_index: u32,
        end: Option<NodeId>,
    ) -> Result<(), ArcError> {
        let inner = &mut *self.0.borrow_mut();
        let arc = inner.position(arc)?;
        inner.change(arc, sw_if_index, |interface| interface.end = end)
    }

    /// Switches everything off for an interface that goes away.
    pub fn forget_interface(&self, sw_if_index: u32) {
        let inner = &mut *self.0.borrow_mut();
        for arc in 0..inner.arcs.len() {
            if inner.arcs[arc].interfaces.remove(&sw_if_index).is_some() {
                inner.publish(arc, sw_if_index, ArcEntry(0));
            }
        }
    }

    /// All arcs, in the order of registration.
    #[must_use]
    pub fn list(&self) -> Vec<ArcInfo> {
        let inner = self.0.borrow();
        let info = |arc: &ArcState| ArcInfo {
            name: arc.name.clone(),
            starts: arc.starts.clone(),
            end: arc.end.clone(),
            features: arc
                .features
                .iter()
                .map(|feature| feature.name.clone())
                .collect(),
        };
        inner.arcs.iter().map(info).collect()
    }

    /// What the data path reads.
    pub(crate) fn shared(&self) -> (Arc<Heap>, Arc<Published>) {
        let inner = self.0.borrow();
        (inner.heap.clone(), inner.published.clone())
    }
}

impl Inner {
    fn position(&self, arc: &str) -> Result<usize, ArcError> {
        let position = self.arcs.iter().position(|candidate| candidate.name == arc);
        position.ok_or_else(|| ArcError::UnknownArc(arc.to_owned()))
    }

    fn feature(&self, arc: &str, feature: &str) -> Result<(usize, usize), ArcError> {
        let index = self.position(arc)?;
        let found = self.arcs[index]
            .features
            .iter()
            .position(|f| f.name == feature);
        let missing = || ArcError::UnknownFeature {
            arc: arc.to_owned(),
            feature: feature.to_owned(),
        };
        Ok((index, found.ok_or_else(missing)?))
    }

    /// Changes what is on for an interface, appends its new chain and publishes it; nothing is changed
    /// on an error.
    fn change(
        &mut self,
        arc: usize,
        sw_if_index: u32,
        change: impl FnOnce(&mut Interface),
    ) -> Result<(), ArcError> {
        if sw_if_index >= MOST_INTERFACES {
            return Err(ArcError::InterfaceOutOfRange(sw_if_index));
        }
        let state = &mut self.arcs[arc];
        let mut interface = state.interfaces.remove(&sw_if_index).unwrap_or_default();
        let before = (interface.features.clone(), interface.end);
        change(&mut interface);
        let entry = if interface.features.is_empty() && interface.end.is_none() {
            Ok(0)
        } else {
            let features = interface
                .features
                .iter()
                .map(|(i, config)| (&state.features[*i], config));
            let mut words: Vec<u32> = features
                .flat_map(|(feature, config)| item(feature.node, config))
                .collect();
            words.extend(item(interface.end.unwrap_or(state.end_node), &[]));
            self.chains.intern(&self.heap, &words)
        };
        if entry.is_err() {
            (interface.features, interface.end) = before;
        }
        if !interface.features.is_empty() || interface.end.is_some() {
            state.interfaces.insert(sw_if_index, interface);
        }
        self.publish(
            arc,
            sw_if_index,
            ArcEntry(entry.map_err(|_| ArcError::Full)?),
        );
        Ok(())
    }

    fn publish(&self, arc: usize, sw_if_index: u32, entry: ArcEntry) {
        let snapshot = self.published.current();
        let handle = ArcHandle(arc as u16);
        if snapshot.entry(handle, sw_if_index) != entry {
            self.published
                .publish(snapshot.with(handle, sw_if_index, entry));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ArcTable {
        let table = ArcTable::default();
        table.add("in", &["start"], "end").unwrap();
        let spec = |node: &str, constraints: &[Constraint]| FeatureSpec {
            arc: "in".into(),
            node: node.into(),
            constraints: constraints.into(),
        };
        let names = ["start", "end", "a", "b"];
        let specs = [spec("b", &[]), spec("a", &[Constraint::before("b")])];
        let node = |name: &str| names.iter().position(|n| *n == name).map(NodeId::from_slot);
        assert_eq!(table.resolve(&specs, node).unwrap(), [""; 0]);
        table
    }

    fn walk(table: &ArcTable, sw_if_index: u32) -> Vec<u32> {
        let (heap, published) = table.shared();
        let mut position = published.current().entry(ArcHandle(0), sw_if_index).0;
        let mut nodes = Vec::new();
        if position != 0 {
            nodes.push(heap.node(position).unwrap().index());
        }
        while position != 0 && *nodes.last().unwrap() != 1 {
            let (next, node) = heap.next(position).unwrap();
            position = next;
            nodes.push(node.index());
        }
        nodes
    }

    #[test]
    fn a_disabled_feature_leaves_no_entry_and_an_enabled_one_a_chain_in_order() {
        let table = table();
        assert_eq!(walk(&table, 5), [0u32; 0]);
        table.enable("in", "b", 5, true, &[]).unwrap();
        table.enable("in", "a", 5, true, &[1, 2]).unwrap();
        assert_eq!(walk(&table, 5), [2, 3, 1]);
        assert_eq!(table.enabled("in", 5).unwrap(), ["a", "b"]);
        table.enable("in", "b", 5, false, &[]).unwrap();
        assert_eq!(walk(&table, 5), [2, 1]);
        assert!(table.is_enabled("in", "a", 5).unwrap());
        table.forget_interface(5);
        assert_eq!(walk(&table, 5), [0u32; 0]);
        assert!(!table.is_enabled("in", "a", 5).unwrap());
    }

    #[test]
    fn the_end_can_be_another_node_for_one_interface() {
        let table = table();
        table.set_end("in", 6, Some(NodeId::from_slot(9))).unwrap();
        let (heap, published) = table.shared();
        let entry = published.current().entry(ArcHandle(0), 6);
        assert_eq!(heap.node(entry.0).unwrap().index(), 9);
        table.set_end("in", 6, None).unwrap();
        assert_eq!(walk(&table, 6), [0u32; 0]);
    }

    #[test]
    fn what_does_not_exist_is_a_typed_error() {
        let table = table();
        let enable = |arc, feature, index| table.enable(arc, feature, index, true, &[]);
        assert!(matches!(
            enable("out", "a", 1),
            Err(ArcError::UnknownArc(_))
        ));
        assert!(matches!(
            enable("in", "x", 1),
            Err(ArcError::UnknownFeature { .. })
        ));
        assert_eq!(
            enable("in", "a", u32::MAX),
            Err(ArcError::InterfaceOutOfRange(u32::MAX))
        );
    }
}
