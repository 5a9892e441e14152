//! Addresses, octets and unusual numbers as text.
//!
//! Each pair of functions reads back exactly what it wrote.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::plan::Special;
use super::{Fields, Value};

const IP4: u64 = 0;
const IP6: u64 = 1;

/// `0x` and two digits an octet.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes all text");
    }
    text
}

pub(super) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8);
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs.iter().map(|pair| byte(pair)).collect()
}

/// Numbers that JSON has no form for: `Infinity`, `-Infinity`, `NaN`, or `NaN:` and the bits in
/// hexadecimal for one that is not the usual one.
pub(super) fn special_float(value: f64) -> String {
    if value == f64::INFINITY {
        "Infinity".into()
    } else if value == f64::NEG_INFINITY {
        "-Infinity".into()
    } else if value.to_bits() == f64::NAN.to_bits() {
        "NaN".into()
    } else {
        format!("NaN:{:016x}", value.to_bits())
    }
}

pub(super) fn parse_special_float(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => {
            let digits = text.strip_prefix("NaN:")?;
            let bits = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok())?;
            bits.map(f64::from_bits).filter(|value| value.is_nan())
        }
    }
}

impl Special {
    /// What the text should be, for messages to people.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Ip4 => "an IPv4 address",
            Self::Ip6 => "an IPv6 address",
            Self::Mac => "an Ethernet address",
            Self::Address => "an IP address",
            Self::Prefix => "an IP prefix",
            Self::Ip4Prefix => "an IPv4 prefix",
            Self::Ip6Prefix => "an IPv6 prefix",
        }
    }

    /// The text of a value; none for an address of a family without text, or a value of another kind.
    pub(super) fn to_text(self, value: &Value) -> Option<String> {
        match self {
            Self::Ip4 => Some(Ipv4Addr::from(octets(value)?).to_string()),
            Self::Ip6 => Some(Ipv6Addr::from(octets(value)?).to_string()),
            Self::Mac => {
                let [a, b, c, d, e, f] = octets(value)?;
                Some(format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"))
            }
            Self::Address => {
                let union: [u8; 16] = octets(value.get("un")?)?;
                match value.get("af")?.as_u64()? {
                    IP4 => union
                        .first_chunk::<4>()
                        .map(|ip4| Ipv4Addr::from(*ip4).to_string()),
                    IP6 => Some(Ipv6Addr::from(union).to_string()),
                    _ => None,
                }
            }
            Self::Prefix | Self::Ip4Prefix | Self::Ip6Prefix => {
                let address = self.address().to_text(value.get("address")?)?;
                let len = value.get("len")?.as_u64()?;
                Some(format!("{address}/{len}"))
            }
        }
    }

    /// The value of a text.
    pub(super) fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Ip4 => {
                let ip4: Ipv4Addr = text.parse().ok()?;
                Some(Value::Bytes(ip4.octets().to_vec()))
            }
            Self::Ip6 => {
                let ip6: Ipv6Addr = text.parse().ok()?;
                Some(Value::Bytes(ip6.octets().to_vec()))
            }
            Self::Mac => {
                let octet = |part: &str| {
                    let digits =
                        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
                    digits.then(|| u8::from_str_radix(part, 16).ok())?
                };
                let bytes: Option<Vec<u8>> = text.split(':').map(octet).collect();
                bytes.filter(|bytes| bytes.len() == 6).map(Value::Bytes)
            }
            Self::Address => {
                let (family, mut bytes) = match text.parse().ok()? {
                    std::net::IpAddr::V4(ip4) => (IP4, ip4.octets().to_vec()),
                    std::net::IpAddr::V6(ip6) => (IP6, ip6.octets().to_vec()),
                };
                bytes.resize(16, 0);
                Some(pair(
                    "af",
                    Value::Unsigned(family),
                    "un",
                    Value::Bytes(bytes),
                ))
            }
            Self::Prefix | Self::Ip4Prefix | Self::Ip6Prefix => {
                let (address, len) = text.split_once('/')?;
                let digits = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
                let len: u8 = digits.then(|| len.parse().ok())??;
                let address = self.address().parse(address)?;
                Some(pair("address", address, "len", Value::from(len)))
            }
        }
    }

    /// What kind of address a prefix holds.
    const fn address(self) -> Self {
        match self {
            Self::Ip4Prefix => Self::Ip4,
            Self::Ip6Prefix => Self::Ip6,
            _ => Self::Address,
        }
    }
}

fn octets<const N: usize>(value: &Value) -> Option<[u8; N]> {
    value.as_bytes()?.try_into().ok()
}

fn pair(first: &str, one: Value, second: &str, two: Value) -> Value {
    Value::Struct(Fields::from_iter([(first, one), (second, two)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_read_back_as_written() {
        assert_eq!(hex(&[]), "0x");
        assert_eq!(hex(&[0, 0xab]), "0x00ab");
        assert_eq!(parse_hex("0x"), Some(vec![]));
        assert_eq!(parse_hex("0x00Ab"), Some(vec![0, 0xab]));
        for bad in ["", "00", "0x0", "0x+1", "0xg0", "0x 1", "0x\u{e9}"] {
            assert_eq!(parse_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn unusual_numbers_read_back_bit_for_bit() {
        let odd = f64::from_bits(0x7ff0_0000_0000_0001);
        for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN, odd] {
            let text = special_float(value);
            let read = parse_special_float(&text).unwrap();
            assert_eq!(read.to_bits(), value.to_bits(), "{text}");
        }
        for bad in [
            "",
            "nan",
            "NaN:",
            "NaN:3ff0000000000000",
            "NaN:+ff8000000000000",
        ] {
            assert_eq!(parse_special_float(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_read_back_as_written() {
        let cases = [
            (Special::Ip4, "192.0.2.1"),
            (Special::Ip6, "2001:db8::1"),
            (Special::Mac, "02:fe:01:02:03:04"),
            (Special::Address, "192.0.2.1"),
            (Special::Address, "::"),
            (Special::Prefix, "192.0.2.0/24"),
            (Special::Prefix, "2001:db8::/64"),
            (Special::Ip4Prefix, "0.0.0.0/255"),
            (Special::Ip6Prefix, "::1/128"),
        ];
        for (special, text) in cases {
            let value = special.parse(text).unwrap();
            assert_eq!(special.to_text(&value).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let cases = [
            (Special::Ip4, "192.0.2"),
            (Special::Ip4, "::1"),
            (Special::Ip6, "192.0.2.1"),
            (Special::Mac, "02:fe:01:02:03"),
            (Special::Mac, "02:fe:01:02:03:04:05"),
            (Special::Mac, "+2:fe:01:02:03:04"),
            (Special::Mac, "2:fe:01:02:03:04"),
            (Special::Address, "localhost"),
            (Special::Prefix, "192.0.2.0"),
            (Special::Prefix, "192.0.2.0/"),
            (Special::Prefix, "192.0.2.0/+8"),
            (Special::Prefix, "192.0.2.0/256"),
            (Special::Ip4Prefix, "::/0"),
        ];
        for (special, text) in cases {
            assert_eq!(special.parse(text), None, "{text}");
        }
    }
}
