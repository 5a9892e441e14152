//! Connections on sockets: the process node that accepts them, and the unit that drives each.

mod accept;
mod unit;

#[cfg(test)]
mod tests;

pub use accept::AcceptClients;
pub use unit::ConnectionUnit;

use super::{ApiTable, ApiTrace, Clients, Session};
use crate::log::Class;
use barrow_runtime::io::ByteStream;
use std::rc::Rc;

/// What all connections work with.
#[derive(Debug, Clone)]
pub struct ApiServer {
    /// The messages and their handlers.
    pub table: Rc<ApiTable>,
    /// Who is connected, within which bounds.
    pub clients: Clients,
    /// What records their messages.
    pub trace: ApiTrace,
    /// Where their trouble is logged.
    pub log: Class,
}

impl ApiServer {
    /// The unit of a connection on `stream`, whose descriptor has the number `descriptor`; none if there are too many.
    pub fn connection<S: ByteStream>(
        &self,
        stream: S,
        descriptor: i32,
    ) -> Option<ConnectionUnit<S>> {
        let client = self.clients.connect(descriptor)?;
        let (table, trace, log) = (self.table.clone(), self.trace.clone(), self.log.clone());
        let session = Session::new(table, &self.clients, client, trace, log);
        Some(ConnectionUnit::new(session, stream))
    }
}
