//! Which fields of packets choose among equal paths.

use super::convert::{only_family4, only_ip4};
use super::{IpApi, number};
use crate::fib::FlowHashConfig;
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::ip::{
    SetIpFlowHash, SetIpFlowHashReply, SetIpFlowHashRouterId, SetIpFlowHashRouterIdReply,
    SetIpFlowHashV2, SetIpFlowHashV2Reply, SetIpFlowHashV3, SetIpFlowHashV3Reply,
};

pub(super) fn register(ip: &IpApi, api: &mut ApiRegistry) -> Result<(), ApiRegisterError> {
    ip.on::<SetIpFlowHash>(api, |ip, message| {
        only_ip4(message.is_ipv6)?;
        ip.set_flow_hash(message.vrf_id, bits_of(&message))?;
        Ok(SetIpFlowHashReply::default())
    })?;
    ip.on::<SetIpFlowHashV2>(api, |ip, message| {
        only_family4(message.af)?;
        ip.set_flow_hash(message.table_id, message.flow_hash_config.0)?;
        Ok(SetIpFlowHashV2Reply::default())
    })?;
    ip.on::<SetIpFlowHashV3>(api, |ip, message| {
        only_family4(message.af)?;
        ip.set_flow_hash(message.table_id, message.flow_hash_config.0)?;
        Ok(SetIpFlowHashV3Reply::default())
    })?;
    ip.on::<SetIpFlowHashRouterId>(api, |ip, message| {
        ip.forwarding.set_router_id(message.router_id);
        Ok(SetIpFlowHashRouterIdReply::default())
    })
}

/// The booleans of the first version, as the bits of the later ones.
fn bits_of(message: &SetIpFlowHash) -> u32 {
    let fields = [
        (message.src, FlowHashConfig::SRC),
        (message.dst, FlowHashConfig::DST),
        (message.sport, FlowHashConfig::SPORT),
        (message.dport, FlowHashConfig::DPORT),
        (message.proto, FlowHashConfig::PROTO),
        (message.reverse, FlowHashConfig::REVERSE),
        (message.symmetric, FlowHashConfig::SYMMETRIC),
    ];
    let wanted = fields.into_iter().filter(|(wanted, _)| *wanted);
    wanted.fold(0, |bits, (_, field)| bits | field.bits())
}

impl IpApi {
    fn set_flow_hash(&self, table_id: u32, bits: u32) -> Result<(), ApiError> {
        let fib = self.table(table_id)?;
        let config = FlowHashConfig::from_bits(bits);
        self.fib.set_flow_hash(fib, config).map_err(number)
    }
}
