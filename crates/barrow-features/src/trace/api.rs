//! The messages of module `tracedump`.

use super::cli::DEFAULT_COUNT;
use super::snapshot::Snapshot;
use super::{Snapshots, is_traceable, set_filter};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry, CursorRun};
use barrow_engine::{Control, Filter, NodeId};
use barrow_messages::tracedump::{
    TraceCapturePackets, TraceCapturePacketsReply, TraceClearCache, TraceClearCacheReply,
    TraceClearCapture, TraceClearCaptureReply, TraceDetails, TraceDump, TraceDumpReply,
    TraceFilterFlag, TraceSetFilters, TraceSetFiltersReply, TraceV2Details, TraceV2Dump,
};
use std::cell::Cell;
use std::rc::Rc;

/// "All", "none": the wire's value of an index that is not given.
const UNSET: u32 = u32::MAX;

/// Registers the messages.
pub(super) fn register(
    api: &mut ApiRegistry,
    control: &Control,
    snapshots: &Snapshots,
) -> Result<(), ApiRegisterError> {
    let own = control.clone();
    api.request::<TraceSetFilters>(move |_, message| {
        set_filter(&own, filter_of(&own, &message)?);
        Ok(TraceSetFiltersReply::default())
    })?;
    let own = control.clone();
    api.request::<TraceCapturePackets>(move |_, message| {
        capture(&own, &message)?;
        Ok(TraceCapturePacketsReply::default())
    })?;
    let own = control.clone();
    api.request::<TraceClearCapture>(move |_, _| {
        own.trace().clear();
        Ok(TraceClearCaptureReply::default())
    })?;
    let own = snapshots.clone();
    api.request::<TraceClearCache>(move |cx, _| {
        own.clear(cx.client_index());
        Ok(TraceClearCacheReply::default())
    })?;
    let own = snapshots.clone();
    // One less than a run may have, so that it is this piece that ends and not the run.
    let most = api.clients().limits().cursor_run.saturating_sub(1);
    api.cursor::<TraceDump>(move |cx, message| {
        if message.clear_cache != 0 {
            own.clear(cx.client_index());
        }
        if (message.thread_id, message.position) == (UNSET, UNSET) {
            return Ok(flushed());
        }
        let piece = dump(own.get_or_take(cx.client_index()), &message, most);
        piece.ok_or(ApiError::NO_SUCH_ENTRY)
    })?;
    let own = snapshots.clone();
    api.dump::<TraceV2Dump, _>(move |cx, message| {
        if message.clear_cache {
            own.clear(cx.client_index());
        }
        let snapshot = match message.position {
            UNSET => own.get(cx.client_index()).unwrap_or_default(),
            _ => own.get_or_take(cx.client_index()),
        };
        dump_v2(snapshot, &message)
    })
}

/// The node of an index, or VPP's error.
fn node_of(control: &Control, index: u32) -> Result<NodeId, ApiError> {
    NodeId::from_index(index)
        .filter(|node| control.node(*node).is_some())
        .ok_or(ApiError::NO_SUCH_NODE)
}

fn filter_of(control: &Control, message: &TraceSetFilters) -> Result<Filter, ApiError> {
    let count = message.count;
    match message.flag {
        TraceFilterFlag::TRACE_FF_NONE => Ok(Filter::None),
        TraceFilterFlag::TRACE_FF_INCLUDE_NODE => Ok(Filter::Include {
            node: node_of(control, message.node_index)?,
            count,
        }),
        TraceFilterFlag::TRACE_FF_EXCLUDE_NODE => Ok(Filter::Exclude {
            node: node_of(control, message.node_index)?,
            count,
        }),
        _ => Err(ApiError::INVALID_VALUE),
    }
}

fn capture(control: &Control, message: &TraceCapturePackets) -> Result<(), ApiError> {
    let node = node_of(control, message.node_index)?;
    if !control.node(node).as_ref().is_some_and(is_traceable) {
        return Err(ApiError::NO_SUCH_NODE);
    }
    if message.pre_capture_clear {
        control.trace().clear();
    }
    let count = match message.max_packets {
        u32::MAX => DEFAULT_COUNT,
        count => count,
    };
    control.trace().add(node, count);
    Ok(())
}

/// What a call that only forgets the snapshot is answered with.
fn flushed() -> CursorRun<TraceDump> {
    let reply = || TraceDumpReply {
        last_thread_id: UNSET,
        last_position: UNSET,
        flush_only: 1,
        done: 1,
        ..TraceDumpReply::default()
    };
    CursorRun::new(|| None, reply)
}

/// A position in a snapshot.
type Position = (usize, usize);

/// The first packet at or behind a position: only in the first thread does its second part count.
fn seek(snapshot: &Snapshot, (mut thread, mut at): Position) -> Option<Position> {
    loop {
        let packets = snapshot.get(thread)?;
        if at < packets.len() {
            return Some((thread, at));
        }
        (thread, at) = (thread + 1, 0);
    }
}

/// One piece of `trace_dump`; `None` where there is nothing to read.
fn dump(snapshot: Snapshot, message: &TraceDump, most: usize) -> Option<CursorRun<TraceDump>> {
    let start = seek(
        &snapshot,
        (message.thread_id as usize, message.position as usize),
    )?;
    if message.max_records == 0 {
        return None;
    }
    let last = Rc::new(Cell::new(TraceDumpReply {
        last_thread_id: UNSET,
        last_position: UNSET,
        ..TraceDumpReply::default()
    }));
    let told = last.clone();
    let mut next = Some(start);
    let mut left = most.min(message.max_records as usize);
    let details = move || {
        let (thread, at) = next.filter(|_| left > 0)?;
        left -= 1;
        next = seek(&snapshot, (thread, at + 1));
        let ends_piece = left == 0;
        let more_here = next.is_some_and(|(following, _)| following == thread);
        let reply = TraceDumpReply {
            retval: 0,
            last_thread_id: thread as u32,
            last_position: at as u32,
            more_this_thread: (ends_piece && more_here).into(),
            more_threads: (ends_piece && next.is_some() && !more_here).into(),
            flush_only: 0,
            done: next.is_none().into(),
        };
        let details = TraceDetails {
            thread_id: reply.last_thread_id,
            position: reply.last_position,
            more_this_thread: reply.more_this_thread,
            more_threads: reply.more_threads,
            done: reply.done,
            packet_number: reply.last_position,
            trace_data: (&*snapshot[thread][at]).into(),
        };
        last.set(reply);
        Some(details)
    };
    Some(CursorRun::new(details, move || told.take()))
}

/// The packets of one thread, or of each, from a position on.
fn dump_v2(
    snapshot: Snapshot,
    message: &TraceV2Dump,
) -> impl FnMut() -> Option<TraceV2Details> + use<> {
    let (first, last) = match message.thread_id {
        UNSET => (0, snapshot.len().saturating_sub(1)),
        thread => (thread as usize, thread as usize),
    };
    let start = message.position as usize;
    let end = start.saturating_add(message.max as usize);
    let (mut thread, mut at) = (first, start);
    move || {
        while thread <= last && thread < snapshot.len() {
            let packets = &snapshot[thread];
            if at < packets.len().min(end) {
                at += 1;
                return Some(TraceV2Details {
                    thread_id: thread as u32,
                    position: (at - 1) as u32,
                    more: at < packets.len(),
                    trace_data: (&*packets[at - 1]).into(),
                });
            }
            (thread, at) = (thread + 1, start);
        }
        None
    }
}
