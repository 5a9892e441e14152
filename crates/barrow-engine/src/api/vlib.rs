//! The messages of `vlib`: commands, graph, threads, and the byte order of floating-point numbers.

use super::{ApiError, ApiRegisterError, ApiRegistry};
use crate::{
    Control, NodeId,
    cli::{CliHandle, CliSession, Macros, SessionSettings, ThreadInfo, execute},
    log::Class,
};
use barrow_messages::vlib::{
    AddNodeNext, AddNodeNextReply, Cli, CliInband, CliInbandReply, GetF64EndianValue,
    GetF64EndianValueReply, GetF64IncrementByOne, GetF64IncrementByOneReply, GetNextIndex,
    GetNextIndexReply, GetNodeGraph, GetNodeIndex, GetNodeIndexReply, ShowThreads,
    ShowThreadsReply, ThreadData,
};
use barrow_wire::{FixedString, VarString};
use std::rc::Rc;

/// "No index", as VPP writes it.
const NONE: u32 = u32::MAX;

/// Registers `cli_inband`, refuses `cli` (it carries an address), and answers the two probes of floating-point numbers.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_cli(
    api: &mut ApiRegistry,
    cli: CliHandle,
    settings: Rc<SessionSettings>,
    macros: Rc<Macros>,
    log: Class,
) -> Result<(), ApiRegisterError> {
    api.request_async(move |cx, request: CliInband| {
        let name = format!("api:{}", cx.client_index().get());
        let session = CliSession::program_session(&name, settings.clone(), macros.clone());
        session.set_read_only(cx.client().is_read_only());
        let cli = cli.get();
        async move {
            let cli = cli.ok_or(ApiError::UNSPECIFIED)?;
            let command = request.cmd.to_string_lossy();
            let result = execute(&cli, &session, &command).await;
            let retval = if result.is_ok() {
                0
            } else {
                ApiError::UNSPECIFIED.0
            };
            let reply = VarString::from(session.output().take().as_str());
            Ok(CliInbandReply { retval, reply })
        }
    })?;
    let refused = log.clone();
    api.request(move |cx, _: Cli| {
        let name = cx.client_name();
        refused.warning(format_args!(
            "client `{name}': cli is refused, it carries an address"
        ));
        Err(ApiError::UNSUPPORTED)
    })?;
    api.request(move |cx, _: GetNodeGraph| {
        let name = cx.client_name();
        log.warning(format_args!(
            "client `{name}': get_node_graph would return an address"
        ));
        Err(ApiError::UNSUPPORTED)
    })?;
    api.request(|_, request: GetF64EndianValue| {
        #[expect(clippy::float_cmp, reason = "the probe asks for this very number")]
        let as_expected = request.f64_one == 1.0;
        let retval = if as_expected {
            0
        } else {
            ApiError::API_ENDIAN_FAILED.0
        };
        Ok(GetF64EndianValueReply {
            retval: retval.cast_unsigned(),
            f64_one_result: 1.0,
        })
    })?;
    api.request(|_, request: GetF64IncrementByOne| {
        Ok(GetF64IncrementByOneReply {
            retval: 0,
            f64_value: request.f64_value + 1.0,
        })
    })
}

/// Registers `get_node_index`, `get_next_index` and `add_node_next`.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_graph(api: &mut ApiRegistry, control: &Control) -> Result<(), ApiRegisterError> {
    let graph = control.clone();
    api.request(move |_, request: GetNodeIndex| {
        let found = find(&graph, &request.node_name).ok_or(ApiError::NO_SUCH_NODE);
        let (retval, node_index) = split(found.map(|node| node.index()));
        Ok(GetNodeIndexReply { retval, node_index })
    })?;
    let graph = control.clone();
    api.request(move |_, request: GetNextIndex| {
        let found = ends(&graph, &request.node_name, &request.next_name).and_then(|(from, to)| {
            let nexts = graph.node(from).map(|node| node.nexts).unwrap_or_default();
            let slot = nexts.iter().position(|(_, next)| *next == Some(to));
            slot.ok_or(ApiError::NO_SUCH_ENTRY)
        });
        let (retval, next_index) = split(found.map(slot_number));
        Ok(GetNextIndexReply { retval, next_index })
    })?;
    let graph = control.clone();
    api.request(move |_, request: AddNodeNext| {
        let added = ends(&graph, &request.node_name, &request.next_name)
            .and_then(|(from, to)| graph.connect(from, to).map_err(|_| ApiError::UNSPECIFIED));
        let (retval, next_index) = split(added.map(slot_number));
        Ok(AddNodeNextReply { retval, next_index })
    })
}

fn find(graph: &Control, name: &FixedString<64>) -> Option<NodeId> {
    graph.node_by_name(&name.to_string_lossy())
}

fn ends(
    graph: &Control,
    from: &FixedString<64>,
    to: &FixedString<64>,
) -> Result<(NodeId, NodeId), ApiError> {
    let from = find(graph, from).ok_or(ApiError::NO_SUCH_NODE)?;
    Ok((from, find(graph, to).ok_or(ApiError::NO_SUCH_NODE2)?))
}

fn slot_number(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(NONE)
}

/// Return value and index of a reply: an error has the index ~0.
fn split(result: Result<u32, ApiError>) -> (i32, u32) {
    match result {
        Ok(index) => (0, index),
        Err(error) => (error.0, NONE),
    }
}

/// Registers `show_threads` with what `list` gives.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_threads(
    api: &mut ApiRegistry,
    list: impl Fn() -> Vec<ThreadInfo> + 'static,
) -> Result<(), ApiRegisterError> {
    api.request(move |_, _: ShowThreads| {
        let data = |thread: ThreadInfo| ThreadData {
            id: thread.id,
            name: FixedString::truncated(&thread.name),
            r#type: FixedString::truncated(&thread.kind),
            pid: thread.process_id,
            cpu_id: thread.cpu.unwrap_or(NONE),
            core: thread.core.unwrap_or(NONE),
            cpu_socket: thread.socket.unwrap_or(NONE),
        };
        Ok(ShowThreadsReply {
            retval: 0,
            thread_data: list().into_iter().map(data).collect(),
        })
    })
}
