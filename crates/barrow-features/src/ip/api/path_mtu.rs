//! Path MTUs.

use super::IpApi;
use super::convert::address4;
use crate::ip::{PathMtu, PathMtuKey};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry, CursorRun};
use barrow_messages::ip::{
    IpPathMtu, IpPathMtuDetails, IpPathMtuGet, IpPathMtuGetReply, IpPathMtuReplaceBegin,
    IpPathMtuReplaceBeginReply, IpPathMtuReplaceEnd, IpPathMtuReplaceEndReply, IpPathMtuUpdate,
    IpPathMtuUpdateReply,
};
use std::cell::Cell;
use std::rc::Rc;

/// The cursor behind the last entry.
const END: u32 = u32::MAX;

pub(super) fn register(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    ip.on::<IpPathMtuUpdate>(api, |ip, message| {
        let key = PathMtuKey {
            table_id: message.pmtu.table_id,
            address: address4(message.pmtu.nh)?,
        };
        ip.path_mtus.set(key, message.pmtu.path_mtu)?;
        Ok(IpPathMtuUpdateReply::default())
    })?;
    ip.on::<IpPathMtuReplaceBegin>(api, |ip, _| {
        ip.path_mtus.replace_begin();
        Ok(IpPathMtuReplaceBeginReply::default())
    })?;
    ip.on::<IpPathMtuReplaceEnd>(api, |ip, _| {
        ip.path_mtus.replace_end()?;
        Ok(IpPathMtuReplaceEndReply::default())
    })?;
    let own = ip.clone();
    api.cursor::<IpPathMtuGet>(move |_, message| {
        let mtus = own.path_mtus.clone();
        let start = if message.cursor == END {
            0
        } else {
            message.cursor
        };
        if mtus.next(start).is_none() && !mtus.is_empty() {
            return Err(ApiError::INVALID_VALUE);
        }
        let cursor = Rc::new(Cell::new(start));
        let reached = cursor.clone();
        let details = move || {
            let (index, entry) = mtus.next(cursor.get())?;
            cursor.set(index.saturating_add(1));
            Some(IpPathMtuDetails { pmtu: wire(&entry) })
        };
        let mtus = own.path_mtus.clone();
        let reply = move || IpPathMtuGetReply {
            retval: 0,
            cursor: mtus.next(reached.get()).map_or(END, |(index, _)| index),
        };
        Ok(CursorRun::new(details, reply))
    })
}

fn wire(entry: &PathMtu) -> IpPathMtu {
    IpPathMtu {
        table_id: entry.key.table_id,
        nh: entry.key.address.into(),
        path_mtu: entry.mtu,
        ..IpPathMtu::default()
    }
}
