//! A region as a picture.

use std::{collections::HashSet, fmt};

use super::{Edge, NodeIndex, NodeInfo};

/// What both pictures show.
#[derive(Clone, Debug)]
struct Picture {
    nodes: Vec<NodeInfo>,
    edges: Vec<Edge>,
}

impl Picture {
    /// Keeps the nodes that ran, and edges between them.
    fn only_active(mut self) -> Self {
        self.nodes.retain(|node| node.stats.calls > 0);
        let kept: HashSet<NodeIndex> = self.nodes.iter().map(|node| node.index).collect();
        self.edges
            .retain(|edge| kept.contains(&edge.from) && kept.contains(&edge.to));
        self
    }
}

/// A region in Graphviz's language: `dot -Tsvg`. Feedback edges are dashed.
///
/// ```
/// use barrow_graph::region::{Ran, Ready, Region, RegionNode};
///
/// struct Nothing;
/// impl RegionNode<()> for Nothing {
///     fn run(&mut self, (): &mut (), _: &mut Ready, _: u32) -> Ran {
///         Ran::all(0)
///     }
/// }
///
/// let mut region = Region::new();
/// let input = region.add_node("input", Box::new(Nothing));
/// let output = region.add_node("output", Box::new(Nothing));
/// region.connect(input, output);
/// region.connect(output, input);
/// let text = region.graphviz().to_string();
/// assert!(text.contains("n0 -> n1;"));
/// assert!(text.contains("n1 -> n0 [style=dashed, constraint=false];"));
/// ```
#[derive(Clone, Debug)]
pub struct Graphviz(Picture);

impl Graphviz {
    pub(super) fn new(nodes: Vec<NodeInfo>, edges: Vec<Edge>) -> Self {
        Self(Picture { nodes, edges })
    }

    /// Leaves out what never ran.
    #[must_use]
    pub fn only_active(self) -> Self {
        Self(self.0.only_active())
    }
}

impl fmt::Display for Graphviz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "digraph region {{")?;
        writeln!(f, "  rankdir=LR;")?;
        writeln!(f, "  node [shape=box, style=rounded];")?;
        for NodeInfo {
            index, name, stats, ..
        } in &self.0.nodes
        {
            write!(f, "  n{} [label=\"{}", index.get(), Quoted(name))?;
            if stats.calls > 0 {
                write!(f, "\\n{} items / {} calls", stats.items, stats.calls)?;
            }
            writeln!(f, "\"];")?;
        }
        for Edge { from, to, feedback } in &self.0.edges {
            let style = if *feedback {
                " [style=dashed, constraint=false]"
            } else {
                ""
            };
            writeln!(f, "  n{} -> n{}{style};", from.get(), to.get())?;
        }
        writeln!(f, "}}")
    }
}

/// A region in Mermaid's language, which many web pages draw. Feedback edges are dotted.
#[derive(Clone, Debug)]
pub struct Mermaid(Picture);

impl Mermaid {
    pub(super) fn new(nodes: Vec<NodeInfo>, edges: Vec<Edge>) -> Self {
        Self(Picture { nodes, edges })
    }

    /// Leaves out what never ran.
    #[must_use]
    pub fn only_active(self) -> Self {
        Self(self.0.only_active())
    }
}

impl fmt::Display for Mermaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "flowchart LR")?;
        for NodeInfo {
            index, name, stats, ..
        } in &self.0.nodes
        {
            write!(f, "  n{}[\"{}", index.get(), Escaped(name))?;
            if stats.calls > 0 {
                write!(f, "<br/>{} items / {} calls", stats.items, stats.calls)?;
            }
            writeln!(f, "\"]")?;
        }
        for Edge { from, to, feedback } in &self.0.edges {
            let arrow = if *feedback { "-.->" } else { "-->" };
            writeln!(f, "  n{} {arrow} n{}", from.get(), to.get())?;
        }
        Ok(())
    }
}

/// A text inside a Graphviz string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            '\n' => f.write_str("\\n"),
            c => write!(f, "{c}"),
        })
    }
}

/// A text inside a Mermaid string.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '"' => f.write_str("#quot;"),
            '<' => f.write_str("#lt;"),
            '\n' => f.write_str("<br/>"),
            c => write!(f, "{c}"),
        })
    }
}
