//! Worker threads, and receive queues that move between them under traffic.

use barrow_tests::{Attach, Flows, Routed, report, transfer};

const FLOWS: usize = 16;
const ONE_WORKER: &str = "cpu { workers 1 }";
const THREE_WORKERS: &str = "cpu { workers 3 }";

fn both_ways(net: &Routed) {
    net.acquaint();
    let (left, right) = (net.left(), net.right());
    for (from, to) in [(left, right), (right, left)] {
        let (source, target) = (from.address, to.address);
        Flows::between(&from.netns, source, &to.netns, target, FLOWS).exchange(100, 500);
        transfer(&from.netns, &to.netns, target, 8 << 20);
    }
}

#[test]
fn one_worker_beside_main_carries_what_main_carried() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host])
            .config(ONE_WORKER)
            .start()?;
        both_ways(&net);
        let placed = net.node.cli("show interface rx-placement");
        assert!(placed.contains("Thread 1"), "{placed}");
        Ok(())
    });
}

#[test]
fn three_unpinned_workers_share_the_queues() {
    report(|| {
        for pair in [[Attach::Host, Attach::Host], [Attach::Tap, Attach::Tap]] {
            let net = Routed::of(&pair).config(THREE_WORKERS).queues(3).start()?;
            both_ways(&net);
            let placed = net.node.cli("show interface rx-placement");
            for worker in 1..=3 {
                assert!(placed.contains(&format!("Thread {worker}")), "{placed}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_queue_that_moves_under_traffic_loses_and_reorders_nothing() {
    report(|| {
        for pair in [[Attach::Host, Attach::Tap], [Attach::Tap, Attach::Host]] {
            let net = Routed::of(&pair).config(THREE_WORKERS).start()?;
            net.acquaint();
            let (left, right) = (net.left(), net.right());
            let mut flows = Flows::between(
                &left.netns,
                left.address,
                &right.netns,
                right.address,
                FLOWS,
            );
            std::thread::scope(|scope| {
                let node = &net.node;
                let mover = scope.spawn(move || {
                    for n in 0..200 {
                        let place = match n % 4 {
                            3 => "main".to_owned(),
                            worker => format!("worker {worker}"),
                        };
                        let name = &left.interface;
                        node.set(&format!(
                            "set interface rx-placement {name} queue 0 {place}"
                        ));
                    }
                });
                flows.exchange_while(200, || !mover.is_finished());
                mover.join().expect("every move is taken");
            });
            // It still receives where it is now, and each flow goes on where it was.
            flows.exchange(20, 200);
        }
        Ok(())
    });
}

#[test]
fn a_packet_keeps_its_trace_on_a_worker() {
    report(|| {
        let net = Routed::of(&[Attach::Tap, Attach::Host])
            .config(ONE_WORKER)
            .start()?;
        net.acquaint();
        net.node.set("clear trace");
        net.node.set("trace add virtio-input 20");
        let (left, right) = (net.left(), net.right());
        Flows::between(&left.netns, left.address, &right.netns, right.address, 1).exchange(5, 100);
        let shown = net.node.cli("show trace max 50");
        let walks = shown.split("Packet ").filter(|walk| {
            walk.contains("UDP: 10.0.0.2 -> 10.1.0.2")
                && walk.contains("virtio-input")
                && walk.contains("ip4-rewrite")
                && walk.contains(&format!("{}-tx", right.interface))
        });
        assert_eq!(walks.count(), 5, "{shown}");
        Ok(())
    });
}
