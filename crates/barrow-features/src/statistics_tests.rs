//! What all features together keep in the statistics segment from the start.

use crate::arcs::ArcsFeature;
use crate::host::HostFeature;
use crate::pcap::PcapFeature;
use crate::pg::PgFeature;
use crate::tap::TapFeature;
use crate::testing::router_features;
use crate::trace::TraceFeature;
use barrow_engine::testing::Testbed;

fn node() -> Testbed {
    let builder = router_features()
        .feature(ArcsFeature)
        .feature(TapFeature)
        .feature(HostFeature)
        .feature(PgFeature)
        .feature(PcapFeature::default())
        .feature(TraceFeature);
    builder.build().unwrap()
}

#[test]
fn every_counter_that_a_node_declares_is_there_at_0() {
    let mut bed = node();
    assert_eq!(bed.command("create loopback interface").retval, 0);
    let errors = bed.control().errors().list();
    let declared: usize = bed
        .control()
        .nodes()
        .iter()
        .map(|node| node.counters.len())
        .sum();
    assert_eq!(errors.len(), declared);
    let stats = bed.control().stats();
    for error in errors {
        let path = format!("/err/{}/{}", error.node, error.name);
        assert!(stats.find(&path).is_some(), "{path}");
        assert_eq!(error.total(), 0, "{path}");
    }
}

#[test]
fn counters_of_routes_adjacencies_arp_and_interfaces_are_there() {
    let mut bed = node();
    assert_eq!(bed.command("create loopback interface").retval, 0);
    let stats = bed.control().stats();
    let each = "drops punt ip4 ip6 rx-no-buf rx-miss rx-error tx-error mpls rx rx-unicast rx-multicast \
                rx-broadcast tx tx-unicast tx-multicast tx-broadcast";
    for name in each.split(' ') {
        for folder in ["/if", "/interfaces/local0", "/interfaces/loop0"] {
            let path = format!("{folder}/{name}");
            assert!(stats.find(&path).is_some(), "{path}");
        }
    }
    for way in ["rx", "tx"] {
        for what in ["requests", "replies", "gratuitous"] {
            let path = format!("/net/arp/{way}/{what}");
            assert!(stats.find(&path).is_some(), "{path}");
        }
    }
    for path in [
        "/if/names",
        "/net/route/to",
        "/net/route/via",
        "/net/adjacency",
        "/net/punt",
    ] {
        assert!(stats.find(path).is_some(), "{path}");
    }
}
