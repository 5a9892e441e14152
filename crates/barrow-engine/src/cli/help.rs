//! `help`, `?` and `choices`.

use super::{Output, registry::Node};

/// The next level below `node`, one line each; the help of the command itself if there is none.
pub(super) fn next_level(node: &Node, output: &Output) {
    if node.children.is_empty() {
        return own(node, output);
    }
    for (name, child) in &node.children {
        output.print(format_args!("  {name:<30} {}", child.help()));
    }
}

/// All commands at and below `node` with their full paths.
pub(super) fn all(node: &Node, output: &Output) {
    for command in node.commands() {
        own(command, output);
    }
}

/// One command's line.
fn own(node: &Node, output: &Output) {
    output.print(format_args!("  {:<40} {}", node.path, node.help()));
}
