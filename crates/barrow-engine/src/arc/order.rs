//! From "before" and "after" to one order.

use std::collections::BTreeMap;

/// Where a feature wants to be on its arc.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constraint {
    /// Ahead of this feature (or of the arc's end node, which all are anyway).
    Before(String),
    /// Behind this feature.
    After(String),
}

impl Constraint {
    /// Ahead of `name`.
    #[must_use]
    pub fn before(name: impl Into<String>) -> Self {
        Self::Before(name.into())
    }

    /// Behind `name`.
    #[must_use]
    pub fn after(name: impl Into<String>) -> Self {
        Self::After(name.into())
    }
}

/// Features that each want to be ahead of the next, and the last ahead of the first.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the features of arc {arc} form a cycle: {}", features.join(", "))]
pub struct OrderError {
    /// The arc.
    pub arc: String,
    /// The features that are part of a cycle, or behind one.
    pub features: Vec<String>,
}

/// The order of an arc's features, and the names in constraints that nobody registered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    /// Indices of the features, first to run first.
    pub(super) order: Vec<usize>,
    /// (feature, unknown name)
    pub(super) unknown: Vec<(String, String)>,
}

/// Sorts features so that every constraint holds; among those that are free, the earlier registered one
/// comes first.
pub(super) fn order<'a>(
    arc: &str,
    end: &str,
    features: impl Iterator<Item = (&'a str, &'a [Constraint])>,
) -> Result<Ordered, OrderError> {
    let features: Vec<_> = features.collect();
    let index: BTreeMap<_, _> = features
        .iter()
        .enumerate()
        .map(|(i, (name, _))| (*name, i))
        .collect();
    let mut behind = vec![Vec::new(); features.len()];
    let mut ahead = vec![0usize; features.len()];
    let mut unknown = Vec::new();
    for (i, (name, constraints)) in features.iter().enumerate() {
        for constraint in *constraints {
            let (Constraint::Before(other) | Constraint::After(other)) = constraint;
            match (index.get(other.as_str()), constraint) {
                (Some(&other), Constraint::Before(_)) => {
                    behind[i].push(other);
                    ahead[other] += 1;
                }
                (Some(&other), Constraint::After(_)) => {
                    behind[other].push(i);
                    ahead[i] += 1;
                }
                (None, Constraint::Before(other)) if other == end => {}
                (None, _) => unknown.push(((*name).to_owned(), other.clone())),
            }
        }
    }
    let mut order = Vec::with_capacity(features.len());
    let mut free: std::collections::BTreeSet<_> =
        (0..features.len()).filter(|i| ahead[*i] == 0).collect();
    while let Some(next) = free.pop_first() {
        order.push(next);
        for &other in &behind[next] {
            ahead[other] -= 1;
            if ahead[other] == 0 {
                free.insert(other);
            }
        }
    }
    if order.len() < features.len() {
        let stuck = (0..features.len()).filter(|i| ahead[*i] > 0);
        return Err(OrderError {
            arc: arc.to_owned(),
            features: stuck.map(|i| features[i].0.to_owned()).collect(),
        });
    }
    Ok(Ordered { order, unknown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(features: &[(&str, &[Constraint])]) -> Result<Ordered, OrderError> {
        order("arc", "end", features.iter().copied())
    }

    #[test]
    fn constraints_hold_and_registration_order_breaks_ties() {
        let (before, after) = (Constraint::before, Constraint::after);
        let ordered = sorted(&[
            ("c", &[after("b")]),
            ("b", &[]),
            ("a", &[before("b"), before("end")]),
            ("d", &[]),
        ])
        .unwrap();
        assert_eq!(ordered.order, [2, 1, 0, 3]);
        assert!(ordered.unknown.is_empty());
    }

    #[test]
    fn a_cycle_is_an_error_that_names_its_members() {
        let (before, after) = (Constraint::before, Constraint::after);
        let error = sorted(&[
            ("a", &[before("b")]),
            ("b", &[before("a")]),
            ("x", &[after("end")]),
        ])
        .unwrap_err();
        assert_eq!(error.features, ["a", "b"]);
    }

    #[test]
    fn an_unknown_name_is_reported_and_otherwise_ignored() {
        let ordered = sorted(&[("a", &[Constraint::before("nobody")])]).unwrap();
        assert_eq!(ordered.order, [0]);
        assert_eq!(ordered.unknown, [("a".to_owned(), "nobody".to_owned())]);
    }
}
