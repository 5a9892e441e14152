//! `dhcp_client_config`, `dhcp_client_dump`, `dhcp_compl_event` (`vpp:src/plugins/dhcp/dhcp.api`).

use super::clients::{Clients, Settings, View};
use super::machine::Phase;
use crate::interface::{Interfaces, SwIfIndex};
use barrow_engine::api::{ApiContext, ApiError, ApiRegisterError, ApiRegistry, Subscribers};
use barrow_messages::dhcp::{
    DhcpClient, DhcpClientConfig, DhcpClientConfigReply, DhcpClientDetails, DhcpClientDump,
    DhcpClientState, DhcpComplEvent, DhcpLease, DomainServer,
};
use barrow_messages::ethernet_types::MacAddress;
use barrow_messages::ip_types::IpDscp;
use barrow_wire::FixedString;
use std::net::{IpAddr, Ipv4Addr};

pub(super) fn register(
    api: &mut ApiRegistry,
    clients: &Clients,
    interfaces: &Interfaces,
) -> Result<(), ApiRegisterError> {
    let subscribers: Subscribers<DhcpClientConfig> = api.subscribers();
    let (own, told, known) = (clients.clone(), subscribers.clone(), interfaces.clone());
    api.request(move |cx: &mut ApiContext<'_>, message: DhcpClientConfig| {
        config(&own, &told, &known, cx, message)?;
        Ok(DhcpClientConfigReply::default())
    })?;
    let (own, known) = (clients.clone(), interfaces.clone());
    api.dump::<DhcpClientDump, _>(move |_, _| {
        let mut views = own.list().into_iter();
        let known = known.clone();
        move || {
            let view = views.next()?;
            Some(DhcpClientDetails {
                client: client(&view),
                lease: lease(&known, &view),
            })
        }
    })?;
    let known = interfaces.clone();
    clients.on_lease(move |view| {
        let lease = lease(&known, view);
        subscribers.publish(|config| {
            let own = SwIfIndex::from(config.client.sw_if_index) == view.index;
            own.then(|| DhcpComplEvent {
                pid: config.client.pid,
                lease: lease.clone(),
            })
        });
    });
    Ok(())
}

/// Adds or removes a client; who wants events is subscribed as long as the client exists.
fn config(
    clients: &Clients,
    told: &Subscribers<DhcpClientConfig>,
    interfaces: &Interfaces,
    cx: &ApiContext<'_>,
    message: DhcpClientConfig,
) -> Result<(), ApiError> {
    let wanted = &message.client;
    let index = SwIfIndex::from(wanted.sw_if_index);
    if interfaces.sw(index).is_none() {
        return Err(ApiError::INVALID_SW_IF_INDEX);
    }
    let same = move |known: &DhcpClientConfig| SwIfIndex::from(known.client.sw_if_index) == index;
    if !message.is_add {
        clients.remove(index)?;
        // Who added it may be another client, or want no events.
        let _none = told.remove(cx, same);
        return Ok(());
    }
    let id = wanted
        .id
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    let settings = Settings {
        host_name: wanted.hostname.to_string_lossy().into_owned().into_bytes(),
        client_id: id.to_vec(),
        broadcast: wanted.set_broadcast_flag,
        dscp: wanted.dscp.0 & 0x3f,
        told: wanted
            .want_dhcp_event
            .then(|| (cx.client_index(), wanted.pid)),
    };
    clients.add(index, settings)?;
    if wanted.want_dhcp_event {
        // One left from a client that somebody else removed is replaced.
        let _old = told.remove(cx, same);
        told.add(cx, message, same)?;
    }
    Ok(())
}

fn client(view: &View) -> DhcpClient {
    let settings = &view.settings;
    let mut id = [0; 64];
    for (to, from) in id.iter_mut().zip(&settings.client_id) {
        *to = *from;
    }
    DhcpClient {
        sw_if_index: view.index.into(),
        hostname: FixedString::truncated(&String::from_utf8_lossy(&settings.host_name)),
        id,
        want_dhcp_event: settings.told.is_some(),
        set_broadcast_flag: settings.broadcast,
        dscp: IpDscp(settings.dscp),
        pid: settings.told.map_or(0, |(_, pid)| pid),
    }
}

fn lease(interfaces: &Interfaces, view: &View) -> DhcpLease {
    let lease = view.lease.as_ref();
    let address =
        |address: Option<Ipv4Addr>| IpAddr::V4(address.unwrap_or(Ipv4Addr::UNSPECIFIED)).into();
    let given = lease.and_then(|lease| lease.host_name.clone());
    let host_name =
        given.unwrap_or_else(|| String::from_utf8_lossy(&view.settings.host_name).into_owned());
    DhcpLease {
        sw_if_index: view.index.into(),
        state: state(view.phase),
        is_ipv6: false,
        hostname: FixedString::truncated(&host_name),
        mask_width: lease.map_or(0, |lease| lease.prefix_len),
        host_address: address(lease.map(|lease| lease.address)),
        router_address: address(lease.and_then(|lease| lease.router)),
        host_mac: MacAddress(interfaces.outputs().mac(view.index).unwrap_or_default()),
        domain_server: lease
            .into_iter()
            .flat_map(|lease| &lease.domain_servers)
            .map(|server| DomainServer {
                address: address(Some(*server)),
            })
            .collect(),
    }
}

/// VPP knows three states: one that asks for more time is bound.
fn state(phase: Phase) -> DhcpClientState {
    match phase {
        Phase::Looking | Phase::Ended => DhcpClientState::DHCP_CLIENT_STATE_API_DISCOVER,
        Phase::Requesting | Phase::Checking => DhcpClientState::DHCP_CLIENT_STATE_API_REQUEST,
        Phase::Bound | Phase::Renewing | Phase::Rebinding => {
            DhcpClientState::DHCP_CLIENT_STATE_API_BOUND
        }
    }
}
