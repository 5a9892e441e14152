//! The messages of interfaces (`vpp:src/vnet/interface.api`), as VPP's handlers answer them
//! (`vpp:src/vnet/interface_api.c`).
//!
//! Messages about addresses and tables are served with those, in [`crate::ip`].

mod dump;
mod events;
mod mac;
mod queues;
mod settings;
mod sub;

#[cfg(test)]
mod tests;

use super::{InterfaceCounters, InterfaceError, Interfaces, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_engine::{EngineBuilder, RegisterError, log::Class};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_wire::Request;

/// What the handlers work on.
pub(super) struct Served {
    interfaces: Interfaces,
    counters: InterfaceCounters,
    log: Class,
}

/// Registers all messages.
pub(super) fn register(
    engine: &mut EngineBuilder,
    interfaces: &Interfaces,
    counters: &InterfaceCounters,
) -> Result<(), RegisterError> {
    let served = Served {
        interfaces: interfaces.clone(),
        counters: counters.clone(),
        log: engine.logger("interface"),
    };
    events::register(engine, interfaces)?;
    let api = engine.api();
    dump::register(api, &served)?;
    settings::register(api, &served)?;
    mac::register(api, &served)?;
    queues::register(api, &served)?;
    sub::register(api, &served)?;
    Ok(())
}

/// Why a request is refused: its number, and the reason for the log.
#[derive(Debug)]
struct Refusal {
    number: ApiError,
    reason: Option<InterfaceError>,
}

impl From<ApiError> for Refusal {
    fn from(number: ApiError) -> Self {
        Self {
            number,
            reason: None,
        }
    }
}

impl From<InterfaceError> for Refusal {
    fn from(error: InterfaceError) -> Self {
        Self {
            number: error.clone().into(),
            reason: Some(error),
        }
    }
}

/// The refusal with another number than the error's own; an unknown interface keeps its number.
fn numbered(number: ApiError) -> impl Fn(InterfaceError) -> Refusal {
    move |error| match error {
        InterfaceError::NoSuchInterface => error.into(),
        _ => Refusal {
            number,
            reason: Some(error),
        },
    }
}

/// Registers the handler of a request. What it refuses is logged, but for unknown interfaces.
fn serve<M: Request>(
    api: &mut ApiRegistry,
    served: &Served,
    handle: impl Fn(&Interfaces, &M) -> Result<M::Reply, Refusal> + 'static,
) -> Result<(), ApiRegisterError> {
    let (interfaces, log) = (served.interfaces.clone(), served.log.clone());
    api.request(move |cx, request: M| {
        handle(&interfaces, &request).map_err(|refusal| {
            let unknown = InterfaceError::NoSuchInterface;
            if let Some(reason) = refusal.reason.filter(|reason| *reason != unknown) {
                let (client, number) = (cx.client_name(), refusal.number.0);
                log.warning(format_args!(
                    "client `{client}': {}: {reason} ({number})",
                    M::NAME
                ));
            }
            refusal.number
        })
    })
}

/// The index in a request, if there is such an interface.
fn existing(interfaces: &Interfaces, index: InterfaceIndex) -> Result<SwIfIndex, InterfaceError> {
    let index = SwIfIndex::from(index);
    match interfaces.sw(index) {
        Some(_) => Ok(index),
        None => Err(InterfaceError::NoSuchInterface),
    }
}
