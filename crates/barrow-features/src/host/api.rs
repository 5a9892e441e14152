//! The messages of module `af_packet` (`vpp:src/plugins/af_packet/af_packet_api.c`).

use super::{HostError, Hosts, NewHost};
use crate::interface::SwIfIndex;
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::af_packet::{
    AfPacketCreate, AfPacketCreateReply, AfPacketCreateV2, AfPacketCreateV2Reply, AfPacketCreateV3,
    AfPacketCreateV3Reply, AfPacketDelete, AfPacketDeleteReply, AfPacketDetails, AfPacketDump,
    AfPacketFlags, AfPacketMode, AfPacketSetL4CksumOffload, AfPacketSetL4CksumOffloadReply,
};
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::interface_types::InterfaceIndex;
use barrow_wire::FixedString;

/// Registers the messages.
pub(super) fn register(api: &mut ApiRegistry, hosts: &Hosts) -> Result<(), ApiRegisterError> {
    let table = hosts.clone();
    api.request::<AfPacketCreate>(move |_, m| {
        let new = named(&m.host_if_name, m.use_random_hw_addr, m.hw_addr)?;
        let (retval, sw_if_index) = create(&table, &new)?;
        Ok(AfPacketCreateReply {
            retval,
            sw_if_index,
        })
    })?;
    let table = hosts.clone();
    api.request::<AfPacketCreateV2>(move |_, m| {
        let new = NewHost {
            rx_queues: m.num_rx_queues.max(1),
            rx_frame_size: m.rx_frame_size,
            rx_frames_per_block: m.rx_frames_per_block,
            ..named(&m.host_if_name, m.use_random_hw_addr, m.hw_addr)?
        };
        let (retval, sw_if_index) = create(&table, &new)?;
        Ok(AfPacketCreateV2Reply {
            retval,
            sw_if_index,
        })
    })?;
    let table = hosts.clone();
    api.request::<AfPacketCreateV3>(move |_, m| {
        let bare_ip = match m.mode {
            AfPacketMode::AF_PACKET_API_MODE_ETHERNET => false,
            AfPacketMode::AF_PACKET_API_MODE_IP => true,
            _ => {
                let retval = HostError::Invalid("mode").retval();
                return Ok(AfPacketCreateV3Reply {
                    retval,
                    sw_if_index: SwIfIndex::NONE.into(),
                });
            }
        };
        let new = NewHost {
            bare_ip,
            rx_queues: m.num_rx_queues.max(1),
            tx_queues: m.num_tx_queues.max(1),
            rx_frame_size: m.rx_frame_size,
            rx_frames_per_block: m.rx_frames_per_block,
            qdisc_bypass: m
                .flags
                .contains(AfPacketFlags::AF_PACKET_API_FLAG_QDISC_BYPASS),
            offloads: m
                .flags
                .contains(AfPacketFlags::AF_PACKET_API_FLAG_CKSUM_GSO),
            ..named(&m.host_if_name, m.use_random_hw_addr, m.hw_addr)?
        };
        let (retval, sw_if_index) = create(&table, &new)?;
        Ok(AfPacketCreateV3Reply {
            retval,
            sw_if_index,
        })
    })?;
    let table = hosts.clone();
    api.request::<AfPacketDelete>(move |_, m| {
        let link = m.host_if_name.to_string_lossy();
        table.delete(&link).map_err(|error| refused(&error))?;
        Ok(AfPacketDeleteReply::default())
    })?;
    // Deprecated in VPP, which answers every request like this: packets say themselves what is to be done.
    api.request::<AfPacketSetL4CksumOffload>(|_, _| Ok(AfPacketSetL4CksumOffloadReply::default()))?;
    let table = hosts.clone();
    api.dump::<AfPacketDump, _>(move |_, _| {
        let table = table.clone();
        let mut from = SwIfIndex(0);
        move || {
            let host = table.next(from)?;
            from = SwIfIndex(host.interface.0 + 1);
            Some(AfPacketDetails {
                sw_if_index: host.interface.into(),
                host_if_name: FixedString::truncated(&host.link),
            })
        }
    })
}

/// The parts that all versions of the request have. VPP's default flags, which the older versions cannot
/// change, are the usual ones.
fn named(name: &FixedString<64>, random: bool, mac: MacAddress) -> Result<NewHost, ApiError> {
    let name = name.to_str().map_err(|_| refused(&HostError::NoSuchLink))?;
    let mac = Some(mac).filter(|mac| !random && mac.0 != [0; 6]);
    Ok(NewHost {
        mac,
        ..NewHost::of(name)
    })
}

/// Return value and index of the reply: a link that is in use already comes with the index of its user.
fn create(hosts: &Hosts, new: &NewHost) -> Result<(i32, InterfaceIndex), ApiError> {
    match hosts.create(new) {
        Ok(index) => Ok((0, index.into())),
        Err(error) => match error {
            HostError::Exists(index) => Ok((error.retval(), index.into())),
            _ => Err(refused(&error)),
        },
    }
}

fn refused(error: &HostError) -> ApiError {
    ApiError(error.retval())
}
