//! Interfaces and neighbours for tests.

use super::{Links, Neighbours, Output, Reach, Rewrite};
use crate::fib::AddressFamily;
use crate::interface::SwIfIndex;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Clone, Copy)]
struct Link {
    up: bool,
    point_to_point: bool,
    unnumbered_to: Option<SwIfIndex>,
    mtu: u16,
}

/// `local0`, `pg0`, `pg1` ... by index, all up, MTU 9000.
pub(crate) struct TestLinks {
    links: RefCell<BTreeMap<u32, Link>>,
    stations: RefCell<BTreeMap<(SwIfIndex, IpAddr), [u8; 6]>>,
}

impl TestLinks {
    pub(crate) fn new(count: u32) -> Self {
        let link = Link {
            up: true,
            point_to_point: false,
            unnumbered_to: None,
            mtu: 9000,
        };
        Self {
            links: RefCell::new((0..=count).map(|index| (index, link)).collect()),
            stations: RefCell::default(),
        }
    }

    fn change(&self, interface: SwIfIndex, change: impl FnOnce(&mut Link)) {
        change(self.links.borrow_mut().get_mut(&interface.0).unwrap());
    }

    fn get(&self, interface: SwIfIndex) -> Option<Link> {
        self.links.borrow().get(&interface.0).copied()
    }

    pub(crate) fn learn(&self, interface: SwIfIndex, address: IpAddr, station: [u8; 6]) {
        self.stations
            .borrow_mut()
            .insert((interface, address), station);
    }

    pub(crate) fn forget(&self, interface: SwIfIndex, address: IpAddr) {
        self.stations.borrow_mut().remove(&(interface, address));
    }

    pub(crate) fn set_mtu(&self, interface: SwIfIndex, mtu: u16) {
        self.change(interface, |link| link.mtu = mtu);
    }

    pub(crate) fn set_up(&self, interface: SwIfIndex, up: bool) {
        self.change(interface, |link| link.up = up);
    }

    pub(crate) fn set_point_to_point(&self, interface: SwIfIndex) {
        self.change(interface, |link| link.point_to_point = true);
    }

    pub(crate) fn set_unnumbered(&self, interface: SwIfIndex, to: Option<SwIfIndex>) {
        self.change(interface, |link| link.unnumbered_to = to);
    }

    pub(crate) fn delete(&self, interface: SwIfIndex) {
        self.links.borrow_mut().remove(&interface.0);
    }
}

impl Links for TestLinks {
    fn exists(&self, interface: SwIfIndex) -> bool {
        self.get(interface).is_some()
    }

    fn is_up(&self, interface: SwIfIndex) -> bool {
        self.get(interface).is_some_and(|link| link.up)
    }

    fn is_point_to_point(&self, interface: SwIfIndex) -> bool {
        self.get(interface).is_some_and(|link| link.point_to_point)
    }

    fn unnumbered_to(&self, interface: SwIfIndex) -> Option<SwIfIndex> {
        self.get(interface)?.unnumbered_to
    }

    fn name(&self, interface: SwIfIndex) -> String {
        match interface.0 {
            0 => "local0".into(),
            index => format!("pg{}", index - 1),
        }
    }

    fn output(&self, interface: SwIfIndex, _family: AddressFamily) -> Output {
        let mtu = self.get(interface).map_or(0, |link| link.mtu);
        Output {
            mtu,
            node: interface.0 as u16,
            features: false,
        }
    }

    fn rewrite(&self, interface: SwIfIndex, _family: AddressFamily, to: Reach) -> Option<Rewrite> {
        let station = match to {
            Reach::Station(station) => station,
            Reach::Peer => return Rewrite::new(&[]),
            Reach::Broadcast | Reach::Question => [0xff; 6],
        };
        let ethertype = if to == Reach::Question {
            [8, 6]
        } else {
            [8, 0]
        };
        let own = [2, 0xfe, 0, 0, 0, interface.0 as u8];
        Rewrite::new(&[&station[..], &own, &ethertype].concat())
    }
}

impl Neighbours for TestLinks {
    fn station(&self, interface: SwIfIndex, address: IpAddr) -> Option<[u8; 6]> {
        self.stations.borrow().get(&(interface, address)).copied()
    }
}
