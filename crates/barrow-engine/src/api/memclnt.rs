//! The session's own messages.

use super::{
    ApiError, ApiRegisterError, ApiRegistry, ApiTable, TableHandle,
    handler::{Answer, Handler},
};
use barrow_messages::memclnt::{
    ApiVersions, ApiVersionsReply, ControlPing, ControlPingReply, GetApiJson, GetApiJsonReply,
    GetFirstMsgId, GetFirstMsgIdReply, MemclntKeepalive, MemclntKeepaliveReply, MessageTableEntry,
    SockclntCreate, SockclntCreateReply, SockclntDelete, SockclntDeleteReply, TracePluginMsgIds,
};
use barrow_wire::{
    FixedString, Header, MessageInfo, VarString, decode_message, encode_message, frame,
};
use std::rc::Rc;

/// Registers the messages of `memclnt` that a socket may carry. Those with addresses of the sender's process (shared
/// memory, `rpc_call`) are listed, as their ids are fixed, and never served.
///
/// # Errors
/// See [`ApiRegisterError`].
pub fn register_memclnt(api: &mut ApiRegistry, process_id: u32) -> Result<(), ApiRegisterError> {
    let table = api.table();
    api.request(move |cx, request: SockclntCreate| {
        cx.client().set_name(&request.name.to_string_lossy());
        let index = cx.client_index().get();
        let message_table = table.get().map(|table| entries(&table)).unwrap_or_default();
        Ok(SockclntCreateReply {
            response: 0,
            index,
            message_table,
        })
    })?;
    api.request(|cx, request: SockclntDelete| {
        let own = request.index == cx.client_index().get() || request.index == 0;
        if own {
            cx.close_after_reply();
        }
        Ok(SockclntDeleteReply {
            response: if own { 1 } else { -1 },
        })
    })?;
    api.request(move |cx, _: ControlPing| {
        let client_index = cx.client_index().get();
        Ok(ControlPingReply {
            retval: 0,
            client_index,
            vpe_pid: process_id,
        })
    })?;
    api.request(|_, _: MemclntKeepalive| Ok(MemclntKeepaliveReply::default()))?;
    let table = api.table();
    api.request(move |_, request: GetFirstMsgId| {
        let table = table.get().ok_or(ApiError::UNSPECIFIED)?;
        let first = table
            .ranges()
            .find(|range| range.module.range_name.as_bytes() == request.name.as_bytes())
            .map(|range| range.first_id);
        let retval = if first.is_some() {
            0
        } else {
            ApiError::INVALID_VALUE.0
        };
        Ok(GetFirstMsgIdReply {
            retval,
            first_msg_id: first.unwrap_or(u16::MAX),
        })
    })?;
    // VPP registers no versions since 22.02 and answers with an empty list.
    api.request(|_, _: ApiVersions| Ok(ApiVersionsReply::default()))?;
    // It marks a range of ids in a recording, and means nothing elsewhere.
    api.one_way(|_, _: TracePluginMsgIds| {})?;
    let json = get_api_json(api.table());
    api.insert::<GetApiJson>(json)
}

/// The message table as clients get it, highest id first: GoVPP takes the last name that begins with `sockclnt_delete_`
/// for that message, and would otherwise say goodbye with the id of its reply.
fn entries(table: &ApiTable) -> Vec<MessageTableEntry> {
    let entry = |(index, info): (u16, &'static MessageInfo)| MessageTableEntry {
        index,
        name: FixedString::truncated(info.name_crc),
    };
    let mut entries: Vec<_> = table.messages().map(entry).collect();
    entries.reverse();
    entries
}

/// The definitions of the served modules: those with messages, and not `memclnt`, which a client must have to begin with.
fn definitions(table: &ApiTable) -> String {
    let modules = table.ranges().map(|range| range.module);
    let texts: Vec<_> = modules.map(|module| module.json.trim_end()).collect();
    format!("[\n{}\n]\n", texts.join(",\n"))
}

/// VPP counts the NUL behind the text into the message, though not into the text's length: one byte more than the
/// definition says.
fn get_api_json(table: TableHandle) -> Handler {
    Rc::new(move |call, out| {
        let (request, _) = decode_message::<GetApiJson>(call.message)?;
        let json = table
            .get()
            .map(|table| definitions(&table))
            .unwrap_or_default();
        let reply = GetApiJsonReply {
            retval: 0,
            json: VarString::from(json.as_str()),
        };
        let header = Header {
            id: call.reply_id,
            client_index: 0,
            context: request.context,
        };
        let written = frame::encode_with(out, |out| {
            encode_message(header, &reply, out)?;
            out.push(0);
            Ok(())
        });
        Ok(written.map_or_else(Answer::Lost, |()| Answer::Done))
    })
}
