//! Path MTUs.

use crate::testing::Router;
use barrow_messages::ip::{
    IpPathMtu, IpPathMtuGet, IpPathMtuReplaceBegin, IpPathMtuReplaceEnd, IpPathMtuUpdate,
};

fn pmtu(address: &str, path_mtu: u16) -> IpPathMtuUpdate {
    let nh = address.parse().unwrap();
    IpPathMtuUpdate {
        pmtu: IpPathMtu {
            nh,
            path_mtu,
            ..IpPathMtu::default()
        },
    }
}

fn pmtus(router: &mut Router) -> Vec<(String, u16)> {
    let (details, reply) = router.bed.cursor(&IpPathMtuGet { cursor: 0 });
    assert_eq!((reply.retval, reply.cursor), (0, u32::MAX));
    details
        .iter()
        .map(|details| (details.pmtu.nh.to_string(), details.pmtu.path_mtu))
        .collect()
}

#[test]
fn path_mtus_are_kept_until_they_are_taken_back() {
    let mut router = Router::new(0);
    assert!(pmtus(&mut router).is_empty());
    for message in [
        pmtu("20.0.0.1", 1300),
        pmtu("20.0.0.2", 1400),
        pmtu("20.0.0.1", 1200),
    ] {
        assert_eq!(router.bed.retval(&message), 0);
    }
    let both = [("20.0.0.1".to_owned(), 1200), ("20.0.0.2".to_owned(), 1400)];
    assert_eq!(pmtus(&mut router), both);
    let (details, _) = router.bed.cursor(&IpPathMtuGet { cursor: 1 });
    assert_eq!(details.len(), 1, "from the second one on");
    let (_, reply) = router.bed.cursor(&IpPathMtuGet { cursor: 2 });
    assert_eq!(reply.retval, -7, "behind the last one");
    assert_eq!(router.bed.retval(&IpPathMtuReplaceBegin {}), 0);
    assert_eq!(router.bed.retval(&pmtu("20.0.0.2", 1400)), 0);
    assert_eq!(router.bed.retval(&IpPathMtuReplaceEnd {}), 0);
    assert_eq!(pmtus(&mut router), both[1..]);
    assert_eq!(router.bed.retval(&pmtu("20.0.0.2", 0)), 0);
    assert!(pmtus(&mut router).is_empty());
    // NO_SUCH_TABLE: ip_path_mtu_update in vpp:src/vnet/ip/ip_path_mtu.c
    let mut unknown = pmtu("20.0.0.1", 1300);
    unknown.pmtu.table_id = 4242;
    assert_eq!(router.bed.retval(&unknown), -65);
    assert_eq!(router.bed.retval(&pmtu("2001:db8::1", 1300)), -97);
}
