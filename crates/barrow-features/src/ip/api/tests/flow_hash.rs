//! Flow hashes.

use crate::testing::Router;
use barrow_messages::ip::{
    IpFlowHashConfig, IpFlowHashConfigV2, SetIpFlowHash, SetIpFlowHashRouterId, SetIpFlowHashV2,
    SetIpFlowHashV3,
};
use barrow_messages::ip_types::AddressFamily;

#[test]
fn the_fields_of_the_flow_hash_are_those_of_the_table() {
    let mut router = Router::new(0);
    let v1 = SetIpFlowHash {
        src: true,
        proto: true,
        ..SetIpFlowHash::default()
    };
    assert_eq!(router.bed.retval(&v1), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[src proto ]")
    );
    let v2 = |table_id, bits| SetIpFlowHashV2 {
        table_id,
        af: AddressFamily::ADDRESS_IP4,
        flow_hash_config: IpFlowHashConfig(bits),
    };
    assert_eq!(router.bed.retval(&v2(4242, 3)), -3);
    assert_eq!(
        router.bed.retval(&v2(0, 0x7fff_ffff)),
        0,
        "unknown bits are dropped"
    );
    assert_eq!(router.bed.retval(&v2(0, 3)), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[src dst ]")
    );
    let v3 = SetIpFlowHashV3 {
        table_id: 0,
        af: AddressFamily::ADDRESS_IP4,
        flow_hash_config: IpFlowHashConfigV2(0x100),
    };
    assert_eq!(router.bed.retval(&v3), 0);
    assert!(
        router
            .bed
            .command("show ip fib summary")
            .text
            .contains("flow hash:[gtpv1teid ]")
    );
    let six = SetIpFlowHashV3 {
        af: AddressFamily::ADDRESS_IP6,
        ..v3
    };
    assert_eq!(router.bed.retval(&six), -97);
    assert_eq!(
        router.bed.retval(&SetIpFlowHash {
            is_ipv6: true,
            ..v1
        }),
        -97
    );
    assert_eq!(
        router.bed.retval(&SetIpFlowHashRouterId { router_id: 77 }),
        0
    );
    let forwarding: crate::ip4::Forwarding = router.bed.table();
    assert_eq!(forwarding.router_id(), 77);
}
