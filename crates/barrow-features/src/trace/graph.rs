//! The message of module `graph`: the nodes, for programs.

use super::is_traceable;
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry, CursorRun};
use barrow_engine::{Control, NodeId, NodeInfo, Role};
use barrow_messages::graph::{GraphNodeDetails, GraphNodeGet, GraphNodeGetReply, NodeFlag};
use barrow_wire::FixedString;
use std::cell::Cell;
use std::rc::Rc;

/// No cursor, no index.
const UNSET: u32 = u32::MAX;

/// Registers the message.
pub(super) fn register(api: &mut ApiRegistry, control: &Control) -> Result<(), ApiRegisterError> {
    let control = control.clone();
    let run = api.clients().limits().cursor_run;
    api.cursor::<GraphNodeGet>(move |_, message| get(&control, &message, run))
}

/// Lists one node by index or name, or all from the cursor on, by index: a cursor over indices stays
/// right when nodes come and go. The server cuts a run after `run` details.
fn get(
    control: &Control,
    message: &GraphNodeGet,
    run: usize,
) -> Result<CursorRun<GraphNodeGet>, ApiError> {
    let begins = message.cursor == UNSET || message.cursor == 0;
    let one = if begins && message.index != UNSET {
        Some(NodeId::from_index(message.index).and_then(|id| control.node(id)))
    } else if begins && !message.name.is_empty() {
        let name = message.name.to_string_lossy();
        Some(control.node_by_name(&name).and_then(|id| control.node(id)))
    } else {
        None
    };
    let arcs = message.want_arcs;
    if let Some(found) = one {
        let mut node = Some(found.ok_or(ApiError::NO_SUCH_ENTRY)?);
        let details = move || node.take().map(|node| describe(&node, arcs));
        return Ok(CursorRun::new(details, || reply(UNSET)));
    }
    let wanted = message.flags;
    let start = if begins { 0 } else { message.cursor };
    let nodes: Vec<_> = control
        .nodes()
        .into_iter()
        .filter(|n| n.id.index() >= start)
        .collect();
    let mut nodes = nodes
        .into_iter()
        .filter(move |node| wanted == NodeFlag::EMPTY || flags(node).0 & wanted.0 != 0)
        .peekable();
    let cursor = Rc::new(Cell::new(UNSET));
    let told = cursor.clone();
    let mut given = 0;
    let details = move || {
        let node = nodes.next()?;
        given += 1;
        // A run of full length is reported as cut, so it needs a place to go on from even at the end.
        let at_end = if given == run {
            node.id.index() + 1
        } else {
            UNSET
        };
        cursor.set(nodes.peek().map_or(at_end, |next| next.id.index()));
        Some(describe(&node, arcs))
    };
    Ok(CursorRun::new(details, move || reply(told.get())))
}

fn reply(cursor: u32) -> GraphNodeGetReply {
    GraphNodeGetReply { retval: 0, cursor }
}

fn describe(node: &NodeInfo, arcs: bool) -> GraphNodeDetails {
    let next = |(_, next): &(String, Option<NodeId>)| next.unwrap_or(NodeId::NULL).index();
    GraphNodeDetails {
        index: node.id.index(),
        name: FixedString::truncated(&node.name),
        flags: flags(node),
        arcs_out: if arcs {
            node.nexts.iter().map(next).collect()
        } else {
            Vec::new()
        },
    }
}

fn flags(node: &NodeInfo) -> NodeFlag {
    let role = match node.role {
        Role::Inner => NodeFlag::EMPTY,
        Role::Output => NodeFlag::NODE_FLAG_IS_OUTPUT,
        Role::Drop => NodeFlag::NODE_FLAG_IS_DROP,
        Role::Punt => NodeFlag::NODE_FLAG_IS_PUNT,
    };
    let handoff = match &*node.name {
        "worker-handoff" => NodeFlag::NODE_FLAG_IS_HANDOFF,
        _ => NodeFlag::EMPTY,
    };
    let trace = match is_traceable(node) {
        true => NodeFlag::NODE_FLAG_TRACE_SUPPORTED,
        false => NodeFlag::EMPTY,
    };
    NodeFlag(role.0 | handoff.0 | trace.0)
}
