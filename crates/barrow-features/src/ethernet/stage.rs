//! What `ethernet-input` does to a plain frame, as a stage of a fused group.
//!
//! Plain: no VLAN tag, for this station, on a device that is up and keeps its untagged frames.

use super::header::{EtherType, HEADER_LEN};
use super::port::{Port, PortList};
use crate::interface::{InterfaceWords, SwIfIndex};
use barrow_engine::Verdict;

/// Frames that come in on one device.
#[derive(Clone, Copy)]
pub(crate) struct Arrivals<'a> {
    port: &'a Port,
    /// The station's address as the first eight bytes of a frame give it.
    mac: u64,
}

/// The bytes of a destination address, in what [`word`] gives.
const MAC: u64 = u64::from_ne_bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);

impl<'a> Arrivals<'a> {
    /// Those of a device; `None` where frames need more than this stage does.
    pub(crate) fn of(ports: &'a PortList, words: &InterfaceWords, own: SwIfIndex) -> Option<Self> {
        let port = ports.get(own.slot())?.as_deref()?;
        let word = words.get(own);
        if port.untagged(own) != own || !word.is_up() || word.has_detailed_stats() {
            return None;
        }
        let [a, b, c, d, e, f] = port.mac;
        let mac = u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]);
        Some(Self { port, mac })
    }

    /// Whether the frame is for this station and carries `ether_type`, without a tag.
    #[inline]
    pub(crate) fn is_plain(&self, header: &[u8; HEADER_LEN], ether_type: EtherType) -> bool {
        let [start @ .., _, _, _, _, _, _] = header;
        let differs = (u64::from_ne_bytes(*start) ^ self.mac) & MAC;
        let [.., high, low] = *header;
        differs | u64::from(u16::from_be_bytes([high, low]) ^ ether_type.0) == 0
    }

    /// What to do with one that is not plain.
    #[cold]
    pub(crate) fn judge(&self, header: &[u8; HEADER_LEN], ether_type: EtherType) -> Verdict {
        let [a, b, c, d, e, f, .., high, low] = *header;
        let carried = EtherType(u16::from_be_bytes([high, low]));
        if carried.is_vlan() {
            Verdict::Stop
        } else if carried == ether_type && self.port.accepts(&[a, b, c, d, e, f]) {
            Verdict::Pass
        } else {
            Verdict::Leave
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const STATION: [u8; 6] = [2, 0xfe, 0, 0, 0, 1];

    fn header(destination: [u8; 6], ether_type: u16) -> [u8; HEADER_LEN] {
        let mut header = [0xee; HEADER_LEN];
        header[..6].copy_from_slice(&destination);
        header[12..].copy_from_slice(&ether_type.to_be_bytes());
        header
    }

    #[test]
    fn every_frame_that_is_not_plain_is_judged() {
        let ports = vec![Some(Arc::new(Port::new(STATION, vec![[2; 6]], false)))];
        let words = InterfaceWords::default();
        let own = SwIfIndex(0);
        assert!(Arrivals::of(&ports, &words, own).is_none(), "down");
        let up = crate::interface::InterfaceWord::new(true, true, 1500, 0);
        words.set(own, Some(up));
        let arrivals = Arrivals::of(&ports, &words, own).unwrap();
        let cases = [
            (STATION, 0x0800, true, Verdict::Pass),
            ([2; 6], 0x0800, false, Verdict::Pass),
            ([0xff; 6], 0x0800, false, Verdict::Pass),
            ([2, 0xfe, 0, 0, 0, 2], 0x0800, false, Verdict::Leave),
            (STATION, 0x0806, false, Verdict::Leave),
            (STATION, 0x8100, false, Verdict::Stop),
        ];
        for (destination, ether_type, plain, verdict) in cases {
            let header = header(destination, ether_type);
            assert_eq!(arrivals.is_plain(&header, EtherType::IP4), plain);
            assert_eq!(arrivals.judge(&header, EtherType::IP4), verdict);
        }
        words.set(own, Some(up.with_detailed_stats(true)));
        assert!(Arrivals::of(&ports, &words, own).is_none());
    }
}
