//! Which fields of a packet choose among equal paths, and how (VPP: `vpp:src/vnet/ip/ip_flow_hash.h`).

use std::fmt;

/// Which fields go into the hash; one per table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowHashConfig(u16);

impl FlowHashConfig {
    /// Source address.
    pub const SRC: Self = Self(1);
    /// Destination address.
    pub const DST: Self = Self(2);
    /// Source port.
    pub const SPORT: Self = Self(4);
    /// Destination port.
    pub const DPORT: Self = Self(8);
    /// Protocol.
    pub const PROTO: Self = Self(16);
    /// Sources and destinations change places.
    pub const REVERSE: Self = Self(32);
    /// Both directions of a flow give the same hash.
    pub const SYMMETRIC: Self = Self(64);
    /// IPv6 flow label.
    pub const FLOW_LABEL: Self = Self(128);
    /// Tunnel id of GTPv1-U packets.
    pub const GTPV1_TEID: Self = Self(256);
    /// What a new table has: addresses, ports, protocol, flow label (0x9f).
    pub const DEFAULT: Self = Self(0x9f);

    const ALL: u32 = 0x1ff;
    const NAMES: [&'static str; 9] = [
        "src",
        "dst",
        "sport",
        "dport",
        "proto",
        "reverse",
        "symmetric",
        "flowlabel",
        "gtpv1teid",
    ];

    /// From the bits of `set_ip_flow_hash_v2` and `_v3`; unknown bits are dropped, as VPP answers 0 to them.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self((bits & Self::ALL) as u16)
    }

    /// The bits on the wire.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether all of `other` is in.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The field of a name as the CLI takes it: `src`, `dst`, `sport`, ...
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .position(|&known| known == name)
            .map(|bit| Self(1 << bit))
    }
}

impl Default for FlowHashConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl std::ops::BitOr for FlowHashConfig {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The names, each followed by a blank, as `show ip fib` prints them.
impl fmt::Display for FlowHashConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, name) in Self::NAMES.iter().enumerate() {
            if self.0 >> bit & 1 != 0 {
                write!(f, "{name} ")?;
            }
        }
        Ok(())
    }
}

/// The fields of an IPv4 packet that can go into the hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ip4Flow {
    /// Source address.
    pub src: u32,
    /// Destination address.
    pub dst: u32,
    /// Protocol.
    pub protocol: u8,
    /// Source port of TCP and UDP, else 0.
    pub sport: u16,
    /// Destination port of TCP and UDP, else 0.
    pub dport: u16,
    /// Tunnel id of a GTPv1-U packet, else 0.
    pub teid: u32,
}

impl Ip4Flow {
    /// The hash. `router_id` differs between routers (`set_ip_flow_hash_router_id`), so that routers in a
    /// row do not all choose alike.
    #[inline]
    #[must_use]
    pub fn hash(&self, config: FlowHashConfig, router_id: u32) -> u32 {
        let pick = |flag, value: u32| if config.contains(flag) { value } else { 0 };
        let mut src = pick(FlowHashConfig::SRC, self.src);
        let mut dst = pick(FlowHashConfig::DST, self.dst);
        let mut sport = pick(FlowHashConfig::SPORT, self.sport.into());
        let mut dport = pick(FlowHashConfig::DPORT, self.dport.into());
        if config.contains(FlowHashConfig::REVERSE) {
            (src, dst) = (dst, src);
            (sport, dport) = (dport, sport);
        }
        if config.contains(FlowHashConfig::SYMMETRIC) {
            (src, dst) = (src.min(dst), src.max(dst));
            (sport, dport) = (sport.min(dport), sport.max(dport));
        }
        let a = src ^ router_id;
        let b = dst ^ pick(FlowHashConfig::PROTO, self.protocol.into());
        let c = dport << 16 | sport;
        mix(a, b, c ^ pick(FlowHashConfig::GTPV1_TEID, self.teid))
    }
}

/// Bob Jenkins's lookup3: one `mix` and the `final`, both of which he put into the public domain.
const fn mix(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    macro_rules! step {
        ($x:ident -= $y:ident, $z:ident += $w:ident, $bits:literal) => {
            $x = $x.wrapping_sub($y) ^ $y.rotate_left($bits);
            $z = $z.wrapping_add($w);
        };
        ($x:ident ^= $y:ident, $bits:literal) => {
            $x = ($x ^ $y).wrapping_sub($y.rotate_left($bits));
        };
    }
    step!(a -= c, c += b, 4);
    step!(b -= a, a += c, 6);
    step!(c -= b, b += a, 8);
    step!(a -= c, c += b, 16);
    step!(b -= a, a += c, 19);
    step!(c -= b, b += a, 4);

    step!(c ^= b, 14);
    step!(a ^= c, 11);
    step!(b ^= a, 25);
    step!(c ^= b, 16);
    step!(a ^= c, 4);
    step!(b ^= a, 14);
    step!(c ^= b, 24);
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: Ip4Flow = Ip4Flow {
        src: 0x0a00_0001,
        dst: 0x0a00_0002,
        protocol: 17,
        sport: 1000,
        dport: 53,
        teid: 0,
    };

    fn hash(flow: Ip4Flow, config: FlowHashConfig) -> u32 {
        flow.hash(config, 0)
    }

    #[test]
    fn the_default_prints_as_vpp_prints_it() {
        let text = FlowHashConfig::default().to_string();
        assert_eq!(text, "src dst sport dport proto flowlabel ");
    }

    #[test]
    fn only_configured_fields_count() {
        let other_port = Ip4Flow {
            sport: 1001,
            ..FLOW
        };
        let addresses = FlowHashConfig::SRC | FlowHashConfig::DST;
        assert_eq!(hash(FLOW, addresses), hash(other_port, addresses));
        assert_ne!(
            hash(FLOW, FlowHashConfig::DEFAULT),
            hash(other_port, FlowHashConfig::DEFAULT)
        );
        let tunnel = Ip4Flow { teid: 9, ..FLOW };
        assert_eq!(
            hash(FLOW, FlowHashConfig::DEFAULT),
            hash(tunnel, FlowHashConfig::DEFAULT)
        );
        let with_tunnel = FlowHashConfig::DEFAULT | FlowHashConfig::GTPV1_TEID;
        assert_ne!(hash(FLOW, with_tunnel), hash(tunnel, with_tunnel));
    }

    #[test]
    fn symmetric_gives_both_directions_one_hash() {
        let back = Ip4Flow {
            src: FLOW.dst,
            dst: FLOW.src,
            sport: FLOW.dport,
            dport: FLOW.sport,
            ..FLOW
        };
        let symmetric = FlowHashConfig::DEFAULT | FlowHashConfig::SYMMETRIC;
        assert_eq!(hash(FLOW, symmetric), hash(back, symmetric));
        assert_ne!(
            hash(FLOW, FlowHashConfig::DEFAULT),
            hash(back, FlowHashConfig::DEFAULT)
        );
        let reverse = FlowHashConfig::DEFAULT | FlowHashConfig::REVERSE;
        assert_eq!(hash(FLOW, reverse), hash(back, FlowHashConfig::DEFAULT));
    }

    #[test]
    fn the_router_id_changes_the_choice() {
        assert_ne!(
            FLOW.hash(FlowHashConfig::DEFAULT, 0),
            FLOW.hash(FlowHashConfig::DEFAULT, 1)
        );
    }

    #[test]
    fn the_low_bits_spread_flows_evenly() {
        let mut counts = [0_u32; 16];
        for sport in 0..16_000 {
            let bucket = hash(Ip4Flow { sport, ..FLOW }, FlowHashConfig::DEFAULT) & 15;
            counts[bucket as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn names_and_bits_agree_with_the_wire() {
        assert_eq!(
            FlowHashConfig::from_name("gtpv1teid"),
            Some(FlowHashConfig::GTPV1_TEID)
        );
        assert_eq!(FlowHashConfig::from_name("nothing"), None);
        assert_eq!(FlowHashConfig::from_bits(0x7fff_ffff).bits(), 0x1ff);
    }
}
