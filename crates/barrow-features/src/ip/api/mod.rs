//! The messages about tables, routes and addresses: modules `ip` and the IP part of `interface`.
//!
//! Return values are those of VPP's handlers (`vpp:src/vnet/ip/ip_api.c`, `vpp:src/vnet/interface_api.c`).
//! What asks for IPv6 is answered with INVALID_ADDRESS_FAMILY (-97).

mod address;
mod convert;
mod flow_hash;
mod path_mtu;
mod route;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use convert::only_ip4;

use super::{Addresses, PathMtus};
use crate::fib::{Fib, FibError, FibIndex};
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip4::Forwarding;
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_wire::Request;

/// What the handlers work on.
#[derive(Clone, Debug)]
pub(super) struct IpApi {
    pub(super) interfaces: Interfaces,
    pub(super) fib: Fib,
    pub(super) addresses: Addresses,
    pub(super) forwarding: Forwarding,
    pub(super) path_mtus: PathMtus,
}

type Handler<M> = fn(&IpApi, M) -> Result<<M as Request>::Reply, ApiError>;

impl IpApi {
    /// Registers all messages.
    pub(super) fn register(&self, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
        address::register(self, api)?;
        table::register(self, api)?;
        route::register(self, api)?;
        flow_hash::register(self, api)?;
        path_mtu::register(self, api)
    }

    fn on<M: Request>(
        &self,
        api: &mut ApiRegistry,
        handle: Handler<M>,
    ) -> Result<(), ApiRegisterError> {
        let own = self.clone();
        api.request::<M>(move |_, message| handle(&own, message))
    }

    /// An interface that exists.
    fn interface(&self, index: u32) -> Result<SwIfIndex, ApiError> {
        let index = SwIfIndex(index);
        match self.interfaces.sw(index) {
            Some(_) => Ok(index),
            None => Err(ApiError::INVALID_SW_IF_INDEX),
        }
    }

    /// The IPv4 table of an id.
    fn table(&self, id: u32) -> Result<FibIndex, ApiError> {
        let found = self.fib.find_table(crate::fib::AddressFamily::Ip4, id);
        found.ok_or(ApiError::NO_SUCH_FIB)
    }
}

/// The number of an error of the forwarding tables.
pub(crate) const fn number(error: FibError) -> ApiError {
    ApiError(error.retval())
}
