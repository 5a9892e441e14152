//! Adjacencies as text: the shapes of VPP's `show adj`.

use super::{AdjFlags, AdjIndex, AdjKey, AdjKind, AdjTable, AdjTarget, Adjacency};
use crate::fib::AddressFamily;
use crate::interface::SwIfIndex;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

impl AdjTable {
    /// One line for an adjacency, without its number: `ipv4 via 10.0.1.2 pg1: mtu:9000 next:3 flags:[] 02fe...`.
    #[must_use]
    pub fn describe(&self, index: AdjIndex) -> String {
        let Some(key) = self.key(index) else {
            return "<invalid adjacency>".into();
        };
        let record = self.reader().read(index);
        let AdjKey {
            family,
            target,
            interface,
        } = key;
        match target {
            AdjTarget::Glean(..) => {
                let prefix = key
                    .glean_prefix()
                    .map_or_else(String::new, |prefix| prefix.to_string());
                format!(
                    "{family}-glean: [src:{prefix}] {}",
                    self.header(interface, &record)
                )
            }
            AdjTarget::Neighbour(address) if record.kind == AdjKind::Incomplete => {
                format!(
                    "arp-{family}: via {address} {}",
                    self.links().name(interface)
                )
            }
            AdjTarget::Neighbour(address) => {
                format!("{family} via {address} {}", self.header(interface, &record))
            }
            AdjTarget::Broadcast => {
                let all = IpAddr::V4(Ipv4Addr::BROADCAST);
                format!(
                    "{} via {all} {}",
                    AddressFamily::Ip4,
                    self.header(interface, &record)
                )
            }
        }
    }

    /// `pg1: mtu:9000 next:3 flags:[] 02fe...`
    fn header(&self, interface: SwIfIndex, record: &Adjacency) -> String {
        let mut text = if self.links().exists(interface) {
            format!("{}:", self.links().name(interface))
        } else {
            format!("DELETED:{interface}")
        };
        let features = if record.flags.contains(AdjFlags::FEATURES) {
            "features "
        } else {
            ""
        };
        let (mtu, node) = (record.mtu, record.node);
        // writing to a string cannot fail
        let _ = write!(text, " mtu:{mtu} next:{node} flags:[{features}]");
        if !record.rewrite.is_empty() {
            let _ = write!(text, " {}", record.rewrite);
        }
        text
    }

    /// `show adj [INTERFACE]`.
    #[must_use]
    pub fn show(&self, interface: Option<SwIfIndex>) -> String {
        let lines = self.indexes(interface).into_iter();
        lines
            .map(|index| format!("[@{index}] {}\n", self.describe(index)))
            .collect()
    }

    /// `show adj N`. `paths` are the numbers of the FIB paths that use it.
    #[must_use]
    pub fn show_one(&self, index: AdjIndex, paths: &[u32]) -> String {
        if self.key(index).is_none() {
            return format!("adjacency {index} invalid\n");
        }
        let totals = self.totals(index);
        let mut text = format!(
            "[@{index}] {}\n   flags:None\n   counts:[{}:{}]\n   locks:{}\n delegates:\n children:\n",
            self.describe(index),
            totals.packets,
            totals.bytes,
            self.locks(index),
        );
        if !paths.is_empty() {
            let children: String = paths
                .iter()
                .map(|path| format!("{{path:{path}}}"))
                .collect();
            let _ = writeln!(text, "  {children}");
        }
        text
    }

    /// `show adj summary`.
    #[must_use]
    pub fn show_summary(&self) -> String {
        let counting = if self.reader().counting() {
            "enabled"
        } else {
            "disabled"
        };
        format!(
            "Number of adjacencies: {}\nPer-adjacency counters: {counting}\n",
            self.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adj::test_links::TestLinks;
    use crate::fib::Epochs;
    use std::rc::Rc;

    #[test]
    fn adjacencies_print_as_vpp_prints_them() {
        let links = Rc::new(TestLinks::new(2));
        links.learn(
            SwIfIndex(2),
            "10.0.1.2".parse().unwrap(),
            [2, 0xfe, 0, 0, 0, 9],
        );
        let table = AdjTable::new(Rc::clone(&links) as _, Epochs::default());
        table.set_neighbours(links);
        let pg0 = SwIfIndex(1);
        let connected = Some(("10.0.0.1".parse().unwrap(), 24));
        let glean = AdjKey::glean(pg0, AddressFamily::Ip4, connected);
        for key in [
            glean,
            AdjKey::neighbour(SwIfIndex(2), "10.0.1.2".parse().unwrap()),
            AdjKey::neighbour(SwIfIndex(2), "10.0.1.3".parse().unwrap()),
        ] {
            table.lock(key).unwrap();
        }
        assert_eq!(
            table.show(None),
            "[@0] ipv4-glean: [src:10.0.0.0/24] pg0: mtu:9000 next:1 flags:[] ffffffffffff02fe000000010806\n\
             [@1] ipv4 via 10.0.1.2 pg1: mtu:9000 next:2 flags:[] 02fe0000000902fe000000020800\n\
             [@2] arp-ipv4: via 10.0.1.3 pg1\n"
        );
        assert_eq!(
            table.show_one(AdjIndex(2), &[17]),
            "[@2] arp-ipv4: via 10.0.1.3 pg1\n   flags:None\n   counts:[0:0]\n   locks:1\n delegates:\n children:\n  {path:17}\n"
        );
        assert_eq!(table.show_one(AdjIndex(9), &[]), "adjacency 9 invalid\n");
        assert_eq!(
            table.show_summary(),
            "Number of adjacencies: 3\nPer-adjacency counters: disabled\n"
        );
    }
}
