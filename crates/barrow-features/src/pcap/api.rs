//! The messages `pcap_trace_on`, `pcap_trace_off` and `pcap_set_filter_function`.

use super::{PcapTrace, TraceError, TraceOptions};
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_engine::log::Class;
use barrow_messages::interface::{
    PcapSetFilterFunction, PcapSetFilterFunctionReply, PcapTraceOff, PcapTraceOffReply,
    PcapTraceOn, PcapTraceOnReply,
};

/// The one filter function: it asks a classifier, and there is none.
const FILTER_FUNCTION: &str = "vnet_is_packet_traced";

/// Registers the messages.
pub(super) fn register(
    api: &mut ApiRegistry,
    trace: &PcapTrace,
    interfaces: &Interfaces,
    log: &Class,
) -> Result<(), ApiRegisterError> {
    let (on, interfaces, log) = (trace.clone(), interfaces.clone(), log.clone());
    api.request::<PcapTraceOn>(move |_, message| {
        let options = options(&on, &interfaces, &message)?;
        if options.filter {
            log.notice(format_args!(
                "pcap trace: without a classifier, the filter takes no packet"
            ));
        }
        on.configure(options).map_err(number)?;
        Ok(PcapTraceOnReply::default())
    })?;
    let off = trace.clone();
    api.request::<PcapTraceOff>(move |_, _| {
        off.stop().map_err(number)?;
        Ok(PcapTraceOffReply::default())
    })?;
    api.request::<PcapSetFilterFunction>(|_, message| {
        // vpp:src/vnet/interface_api.c answers -1 for a name it does not know.
        if message.filter_function_name == FILTER_FUNCTION {
            Ok(PcapSetFilterFunctionReply::default())
        } else {
            Err(ApiError::UNSPECIFIED)
        }
    })
}

fn number(error: TraceError) -> ApiError {
    ApiError(error.retval())
}

fn options(
    trace: &PcapTrace,
    interfaces: &Interfaces,
    message: &PcapTraceOn,
) -> Result<TraceOptions, ApiError> {
    let file = message.filename.to_string_lossy().trim().to_owned();
    if file.is_empty() || file.contains("..") || file.contains('/') {
        return Err(ApiError::ILLEGAL_NAME);
    }
    let index = SwIfIndex(message.sw_if_index.0);
    if interfaces.sw(index).is_none() {
        return Err(ApiError::INVALID_SW_IF_INDEX);
    }
    let error = message.error.to_string_lossy();
    let error = match error.trim() {
        "" => None,
        name => Some(trace.error_by_name(name).ok_or(ApiError::NO_SUCH_ENTRY)?),
    };
    Ok(TraceOptions {
        rx: message.capture_rx,
        tx: message.capture_tx,
        drop: message.capture_drop,
        max_packets: message.max_packets,
        max_bytes_per_packet: message.max_bytes_per_packet,
        // `local0` stands for all of them.
        interface: (index != SwIfIndex::LOCAL0).then_some(index),
        error,
        filter: message.filter,
        file: Some(file),
    })
}
