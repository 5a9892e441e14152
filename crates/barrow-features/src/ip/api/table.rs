//! Tables.

use super::convert::only_ip4;
use super::{IpApi, number};
use crate::fib::{AddressFamily, FibIndex, Source};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::ip::{
    IpTable, IpTableAddDel, IpTableAddDelReply, IpTableAddDelV2, IpTableAddDelV2Reply,
    IpTableAllocate, IpTableAllocateReply, IpTableDetails, IpTableDump, IpTableFlush,
    IpTableFlushReply, IpTableReplaceBegin, IpTableReplaceBeginReply, IpTableReplaceEnd,
    IpTableReplaceEndReply,
};
use barrow_wire::FixedString;

pub(super) fn register(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    ip.on::<IpTableAddDel>(api, |ip, message| {
        ip.add_del_table(&message.table, message.is_add)?;
        Ok(IpTableAddDelReply::default())
    })?;
    // Without multicast routes there is no table of them to be made or not.
    ip.on::<IpTableAddDelV2>(api, |ip, message| {
        ip.add_del_table(&message.table, message.is_add)?;
        Ok(IpTableAddDelV2Reply::default())
    })?;
    ip.on::<IpTableAllocate>(api, |ip, message| {
        only_ip4(message.table.is_ip6)?;
        let table_id = match message.table.table_id {
            u32::MAX => ip
                .fib
                .unused_table_id(AddressFamily::Ip4)
                .ok_or(ApiError::EAGAIN)?,
            given => given,
        };
        let table = IpTable {
            table_id,
            ..message.table
        };
        ip.add_del_table(&table, true)?;
        Ok(IpTableAllocateReply { retval: 0, table })
    })?;
    ip.on::<IpTableReplaceBegin>(api, |ip, message| {
        let fib = ip.table_of_message(&message.table)?;
        ip.fib.replace_begin(fib, Source::API).map_err(number)?;
        Ok(IpTableReplaceBeginReply::default())
    })?;
    ip.on::<IpTableReplaceEnd>(api, |ip, message| {
        let fib = ip.table_of_message(&message.table)?;
        ip.fib.replace_end(fib, Source::API).map_err(number)?;
        Ok(IpTableReplaceEndReply::default())
    })?;
    ip.on::<IpTableFlush>(api, |ip, message| {
        let fib = ip.table_of_message(&message.table)?;
        ip.flush_table(fib)?;
        Ok(IpTableFlushReply::default())
    })?;
    let own = ip.clone();
    api.dump::<IpTableDump, _>(move |_, _| {
        let own = own.clone();
        let mut cursor = 0;
        move || {
            // Tables are few, and their indexes do not change.
            let mut tables = own.fib.tables().into_iter();
            let table = tables
                .find(|table| table.index.0 >= cursor && table.family == AddressFamily::Ip4)?;
            cursor = table.index.0.checked_add(1)?;
            Some(IpTableDetails {
                table: IpTable {
                    table_id: table.id,
                    is_ip6: false,
                    name: FixedString::truncated(&table.name),
                },
            })
        }
    })
}

impl IpApi {
    /// The default table is always there: adding or deleting it changes nothing.
    fn add_del_table(&self, table: &IpTable, is_add: bool) -> Result<(), ApiError> {
        only_ip4(table.is_ip6)?;
        if table.table_id == 0 {
            return Ok(());
        }
        if is_add {
            let name = table.name.to_string_lossy();
            self.fib
                .add_table(AddressFamily::Ip4, table.table_id, &name, Source::API)
                .map_err(number)?;
        } else if let Some(fib) = self.fib.find_table(AddressFamily::Ip4, table.table_id) {
            self.fib.unlock_table(fib, Source::API);
        }
        Ok(())
    }

    fn table_of_message(&self, table: &IpTable) -> Result<FibIndex, ApiError> {
        only_ip4(table.is_ip6)?;
        self.table(table.table_id)
    }

    /// Takes the table's interfaces down, then removes what clients added.
    fn flush_table(&self, fib: FibIndex) -> Result<(), ApiError> {
        let all: Vec<_> = self.interfaces.iter_indexes().collect();
        for index in all {
            let up = self
                .interfaces
                .sw(index)
                .is_some_and(|sw| sw.ip4_fib_index == fib.0 && sw.admin_up);
            if up {
                self.interfaces.set_admin(index, false)?;
            }
        }
        self.fib.flush(fib, Source::API).map_err(number)
    }
}
