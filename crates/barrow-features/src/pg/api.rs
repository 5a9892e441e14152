//! The messages of module `pg`.

use super::port::{PortMode, PortOptions};
use super::{PacketGenerator, PgError};
use crate::interface::{InterfaceError, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::pg::{
    PgCapture, PgCaptureReply, PgCreateInterface, PgCreateInterfaceReply, PgCreateInterfaceV2,
    PgCreateInterfaceV2Reply, PgCreateInterfaceV3, PgCreateInterfaceV3Reply, PgDeleteInterface,
    PgDeleteInterfaceReply, PgEnableDisable, PgEnableDisableReply,
    PgInterfaceEnableDisableCoalesce, PgInterfaceEnableDisableCoalesceReply, PgInterfaceFlags,
    PgInterfaceMode,
};
use std::path::Path;

/// Registers the messages.
pub(super) fn register(
    api: &mut ApiRegistry,
    generator: &PacketGenerator,
) -> Result<(), ApiRegisterError> {
    let own = generator.clone();
    api.request::<PgCreateInterface>(move |_, message| {
        let gso_size = message.gso_enabled.then_some(message.gso_size);
        let options = PortOptions {
            gso_size,
            ..PortOptions::default()
        };
        let sw_if_index = create(&own, message.interface_id, &options)?;
        Ok(PgCreateInterfaceReply {
            retval: 0,
            sw_if_index,
        })
    })?;
    let own = generator.clone();
    api.request::<PgCreateInterfaceV2>(move |_, message| {
        let gso_size = message.gso_enabled.then_some(message.gso_size);
        let options = PortOptions {
            mode: mode(message.mode)?,
            gso_size,
            ..PortOptions::default()
        };
        let sw_if_index = create(&own, message.interface_id, &options)?;
        Ok(PgCreateInterfaceV2Reply {
            retval: 0,
            sw_if_index,
        })
    })?;
    let own = generator.clone();
    api.request::<PgCreateInterfaceV3>(move |_, message| {
        let has = |flag: PgInterfaceFlags| message.pg_flags.0 & flag.0 != 0;
        // Checksums alone win over GSO, as in vpp:src/vnet/pg/pg_api.c.
        let checksum_offload = has(PgInterfaceFlags::PG_API_FLAG_CSUM_OFFLOAD);
        let gso = !checksum_offload && has(PgInterfaceFlags::PG_API_FLAG_GSO);
        let options = PortOptions {
            mode: mode(message.mode)?,
            mac: None,
            checksum_offload,
            gso_size: gso.then_some(message.gso_size),
            coalesce: gso && has(PgInterfaceFlags::PG_API_FLAG_GRO_COALESCE),
        };
        let sw_if_index = create(&own, message.interface_id, &options)?;
        Ok(PgCreateInterfaceV3Reply {
            retval: 0,
            sw_if_index,
        })
    })?;
    let own = generator.clone();
    api.request::<PgDeleteInterface>(move |_, message| {
        own.delete_interface(SwIfIndex(message.sw_if_index.0))
            .map_err(number)?;
        Ok(PgDeleteInterfaceReply::default())
    })?;
    let own = generator.clone();
    api.request::<PgInterfaceEnableDisableCoalesce>(move |_, message| {
        let index = SwIfIndex(message.sw_if_index.0);
        if own.interfaces().sw(index).is_none() {
            return Err(ApiError::INVALID_SW_IF_INDEX);
        }
        let port = own
            .ports()
            .by_index(index)
            .ok_or(ApiError::NO_MATCHING_INTERFACE)?;
        if own.ports().set_coalesce(&port, message.coalesce_enabled) {
            Ok(PgInterfaceEnableDisableCoalesceReply::default())
        } else {
            Err(ApiError::CANNOT_ENABLE_DISABLE_FEATURE)
        }
    })?;
    let own = generator.clone();
    api.request::<PgCapture>(move |_, message| {
        let port = own.ports().by_id(message.interface_id.0);
        let index = port.ok_or(ApiError::INVALID_SW_IF_INDEX)?.index;
        let done = if message.is_enabled {
            let name = message.pcap_file_name.to_string_lossy();
            let count = (message.count != 0).then_some(u64::from(message.count));
            own.capture(index, Path::new(&*name), count)
        } else {
            own.end_capture(index)
        };
        done.map(|()| PgCaptureReply::default())
            .map_err(|error| match error {
                PgError::Capture(_) => ApiError::CANNOT_CREATE_PCAP_FILE,
                _ => ApiError::INVALID_SW_IF_INDEX,
            })
    })?;
    let own = generator.clone();
    api.request::<PgEnableDisable>(move |_, message| {
        let name = message.stream_name.to_string_lossy();
        let done = match (&*name, message.is_enabled) {
            ("", true) => own.enable_all(),
            ("", false) => {
                own.disable_all();
                Ok(())
            }
            (name, true) => own.enable(name),
            (name, false) => own.disable(name),
        };
        // VPP takes an unknown name for all streams; here it is refused.
        done.map(|()| PgEnableDisableReply::default())
            .map_err(|error| match error {
                PgError::Interface(error) => number(error),
                _ => ApiError::NO_SUCH_ENTRY,
            })
    })
}

fn create(
    generator: &PacketGenerator,
    id: InterfaceIndex,
    options: &PortOptions,
) -> Result<InterfaceIndex, ApiError> {
    let index = generator.create_interface(id.0, options).map_err(number)?;
    Ok(InterfaceIndex(index.0))
}

fn mode(mode: PgInterfaceMode) -> Result<PortMode, ApiError> {
    match mode {
        PgInterfaceMode::PG_API_MODE_ETHERNET => Ok(PortMode::Ethernet),
        PgInterfaceMode::PG_API_MODE_IP4 => Ok(PortMode::Ip4),
        PgInterfaceMode::PG_API_MODE_IP6 => Ok(PortMode::Ip6),
        _ => Err(ApiError::INVALID_VALUE),
    }
}

fn number(error: InterfaceError) -> ApiError {
    ApiError(error.retval())
}
