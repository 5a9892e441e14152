//! Names of the numbers in headers, as the packet generator's texts use them.

/// An EtherType by VPP's name (`vpp:src/vnet/ethernet/types.def`); case does not matter.
pub(super) fn ether_type(name: &str) -> Option<u16> {
    find(ETHER_TYPES, name)
}

/// An IP protocol by VPP's name (`vpp:src/vnet/ip/protocols.def`, after IANA's list).
pub(super) fn ip_protocol(name: &str) -> Option<u8> {
    find(IP_PROTOCOLS, name)
}

/// An ICMP type with its code, by the name of either.
pub(super) fn icmp4(name: &str) -> Option<(u8, u8)> {
    find(ICMP4_CODES, name).or_else(|| find(ICMP4_TYPES, name).map(|kind| (kind, 0)))
}

/// An ICMPv6 type with its code, by the name of either.
pub(super) fn icmp6(name: &str) -> Option<(u8, u8)> {
    find(ICMP6_CODES, name).or_else(|| find(ICMP6_TYPES, name).map(|kind| (kind, 0)))
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let found = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(found.1)
}

const ETHER_TYPES: &[(&str, u16)] = &[
    ("IP4", 0x0800),
    ("ARP", 0x0806),
    ("CDP", 0x2000),
    ("TRANSPARENT_BRIDGING", 0x6558),
    ("REVERSE_ARP", 0x8035),
    ("VLAN", 0x8100),
    ("IP6", 0x86dd),
    ("MAC_CONTROL", 0x8808),
    ("SLOW_PROTOCOLS", 0x8809),
    ("PPP", 0x880b),
    ("MPLS", 0x8847),
    ("MPLS_UPSTREAM_ASSIGNED", 0x8848),
    ("PPPOE_DISCOVERY", 0x8863),
    ("PPPOE_SESSION", 0x8864),
    ("802_1X_AUTHENTICATION", 0x888e),
    ("DOT1AD", 0x88a8),
    ("802_1_LLDP", 0x88cc),
    ("802_1_AE_MACSEC", 0x88e5),
    ("DOT1AH", 0x88e7),
    ("NSH", 0x894f),
    ("LOOPBACK", 0x9000),
    ("VLAN_9100", 0x9100),
    ("VLAN_9200", 0x9200),
];

const IP_PROTOCOLS: &[(&str, u8)] = &[
    ("IP6_HOP_BY_HOP_OPTIONS", 0),
    ("ICMP", 1),
    ("IGMP", 2),
    ("IP_IN_IP", 4),
    ("TCP", 6),
    ("EGP", 8),
    ("IGP", 9),
    ("UDP", 17),
    ("RDP", 27),
    ("IPV6", 41),
    ("IPV6_ROUTE", 43),
    ("IPV6_FRAGMENTATION", 44),
    ("RSVP", 46),
    ("GRE", 47),
    ("IPSEC_ESP", 50),
    ("IPSEC_AH", 51),
    ("ICMP6", 58),
    ("IP6_NONXT", 59),
    ("IP6_DESTINATION_OPTIONS", 60),
    ("EIGRP", 88),
    ("OSPF", 89),
    ("IPIP", 94),
    ("ETHERIP", 97),
    ("ENCAP", 98),
    ("PIM", 103),
    ("IPCOMP", 108),
    ("VRRP", 112),
    ("L2TP", 115),
    ("ISIS", 124),
    ("SCTP", 132),
    ("MOBILITY", 135),
    ("UDP_LITE", 136),
    ("MPLS_IN_IP", 137),
    ("IP6_ETHERNET", 143),
    ("EXP1", 253),
    ("EXP2", 254),
    ("RESERVED", 255),
];

const ICMP4_TYPES: &[(&str, u8)] = &[
    ("echo_reply", 0),
    ("destination_unreachable", 3),
    ("source_quench", 4),
    ("redirect", 5),
    ("echo_request", 8),
    ("router_advertisement", 9),
    ("router_solicitation", 10),
    ("time_exceeded", 11),
    ("parameter_problem", 12),
    ("timestamp_request", 13),
    ("timestamp_reply", 14),
    ("information_request", 15),
    ("information_reply", 16),
    ("address_mask_request", 17),
    ("address_mask_reply", 18),
    ("traceroute", 30),
];

const ICMP4_CODES: &[(&str, (u8, u8))] = &[
    ("destination_unreachable_net", (3, 0)),
    ("destination_unreachable_host", (3, 1)),
    ("protocol_unreachable", (3, 2)),
    ("port_unreachable", (3, 3)),
    ("fragmentation_needed_and_dont_fragment_set", (3, 4)),
    ("source_route_failed", (3, 5)),
    ("network_administratively_prohibited", (3, 9)),
    ("host_administratively_prohibited", (3, 10)),
    ("communication_administratively_prohibited", (3, 13)),
    ("network_redirect", (5, 0)),
    ("host_redirect", (5, 1)),
    ("ttl_exceeded_in_transit", (11, 0)),
    ("fragment_reassembly_time_exceeded", (11, 1)),
    ("pointer_indicates_error", (12, 0)),
    ("missing_required_option", (12, 1)),
    ("bad_length", (12, 2)),
];

const ICMP6_TYPES: &[(&str, u8)] = &[
    ("destination_unreachable", 1),
    ("packet_too_big", 2),
    ("time_exceeded", 3),
    ("parameter_problem", 4),
    ("echo_request", 128),
    ("echo_reply", 129),
    ("multicast_listener_request", 130),
    ("multicast_listener_report", 131),
    ("multicast_listener_done", 132),
    ("router_solicitation", 133),
    ("router_advertisement", 134),
    ("neighbor_solicitation", 135),
    ("neighbor_advertisement", 136),
    ("redirect", 137),
    ("multicast_listener_report_v2", 143),
];

const ICMP6_CODES: &[(&str, (u8, u8))] = &[
    ("no_route_to_destination", (1, 0)),
    ("destination_administratively_prohibited", (1, 1)),
    ("beyond_scope_of_source_address", (1, 2)),
    ("address_unreachable", (1, 3)),
    ("port_unreachable", (1, 4)),
    ("ttl_exceeded_in_transit", (3, 0)),
    ("fragment_reassembly_time_exceeded", (3, 1)),
    ("erroneous_header_field", (4, 0)),
    ("unrecognized_next_header", (4, 1)),
    ("unrecognized_option", (4, 2)),
];
