//! Routes changed under traffic.

use barrow_messages::fib_types::{FibPath, FibPathNh};
use barrow_messages::ip::{IpRoute, IpRouteAddDel, IpRouteAddDelReply};
use barrow_tests::{ApiClient, Attach, Flows, Routed, report};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};

/// The host that the traffic goes to, behind routes that come and go.
const TARGET: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// Two addresses of that host on the link to the node.
const NEXT_HOPS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 1, 0, 2), Ipv4Addr::new(10, 1, 0, 3)];
const ROUNDS: u32 = 100;

fn route(prefix: &str, next_hops: &[Ipv4Addr]) -> IpRoute {
    let path = |hop: &Ipv4Addr| FibPath {
        sw_if_index: u32::MAX,
        weight: 1,
        nh: FibPathNh::default().with_address(*hop),
        ..FibPath::default()
    };
    IpRoute::default()
        .with_prefix(
            prefix
                .parse::<barrow_messages::ip_types::Prefix>()
                .expect("a prefix"),
        )
        .with_paths(next_hops.iter().map(path).collect::<Vec<_>>())
}

fn change(is_add: bool, is_multipath: bool, route: IpRoute) -> IpRouteAddDel {
    IpRouteAddDel {
        is_add,
        is_multipath,
        route,
    }
}

/// Changes that leave the target reachable at every moment.
fn round(n: u32) -> Vec<IpRouteAddDel> {
    let [one, other] = NEXT_HOPS;
    let mut changes = vec![
        // A covering route is always there: longer ones come and go.
        change(true, false, route("198.18.0.1/32", &[other])),
        change(true, false, route("198.18.0.0/25", &[one])),
        change(false, false, route("198.18.0.1/32", &[])),
        // Paths are replaced, added and taken.
        change(true, false, route("198.18.0.0/25", &[other])),
        change(true, true, route("198.18.0.0/25", &[one])),
        change(false, true, route("198.18.0.0/25", &[other])),
        change(false, false, route("198.18.0.0/25", &[])),
        change(true, true, route("198.18.0.0/24", &[other])),
        change(false, true, route("198.18.0.0/24", &[other])),
    ];
    // Others of many lengths around it come in one round and go in the next.
    let is_add = n.is_multiple_of(2);
    let pair = n / 2;
    for m in 0..55 {
        let prefix = format!(
            "198.{}.{}.0/{}",
            18 + m % 2,
            (pair + m) % 200 + 1,
            24 + m % 9
        );
        changes.push(change(is_add, false, route(&prefix, &[one])));
    }
    changes
}

fn under_traffic(config: &str, pair: [Attach; 2]) {
    report(|| {
        let net = Routed::of(&pair).config(config).start()?;
        let (left, right) = (net.left(), net.right());
        right.netns.ip(&format!("addr add {TARGET}/32 dev lo"));
        right
            .netns
            .ip(&format!("addr add {}/24 dev {}", NEXT_HOPS[1], right.link));
        net.acquaint();
        Flows::between(&left.netns, left.address, &right.netns, NEXT_HOPS[1], 1).exchange(1, 64);
        let mut client = ApiClient::connect(&net.node.api_socket(), "routes");
        let base = change(true, false, route("198.18.0.0/24", &NEXT_HOPS[..1]));
        assert_eq!(client.request(&base).retval, 0);
        let stop = AtomicBool::new(false);
        let mut flows = Flows::between(&left.netns, left.address, &right.netns, TARGET, 8);
        std::thread::scope(|scope| {
            let changer = scope.spawn(|| {
                let stop = StopOnDrop(&stop);
                let changed: usize = (0..ROUNDS).map(|n| apply(&mut client, n)).sum();
                drop(stop);
                changed
            });
            let sent = flows.exchange_while(200, || !stop.load(Ordering::Acquire));
            let changed = changer.join().expect("every change is taken");
            assert!(
                changed > 5000 && sent > 1000,
                "{changed} changes, {sent} datagrams"
            );
        });
        Ok(())
    });
}

/// Ends the traffic, also when a change is refused.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// One round of changes, all on the way at once; how many there were.
fn apply(client: &mut ApiClient, n: u32) -> usize {
    let changes = round(n);
    for change in &changes {
        client.send(n, change);
    }
    for change in &changes {
        let (_, reply) = client.expect::<IpRouteAddDelReply>();
        assert_eq!(reply.retval, 0, "{change:?}");
    }
    changes.len()
}

#[test]
fn no_datagram_is_lost_while_thousands_of_routes_change() {
    under_traffic("", [Attach::Tap, Attach::Host]);
}

#[test]
fn no_datagram_is_lost_while_thousands_of_routes_change_beside_a_worker() {
    under_traffic("cpu { workers 1 }", [Attach::Host, Attach::Tap]);
}
