//! Ethernet addresses: text form and kinds.

use std::fmt;
use std::str::FromStr;

use crate::ethernet_types::MacAddress;

/// The text is not six pairs of hexadecimal digits with colons between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ethernet address")]
pub struct ParseMacAddressError;

impl MacAddress {
    /// `00:00:00:00:00:00`, which stands for "none" where an address is optional.
    pub const ZERO: Self = Self([0; 6]);

    /// `ff:ff:ff:ff:ff:ff`, the address of every station on a link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether all octets are zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Whether the address stands for a group of stations, as that of broadcast does.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether the address was assigned by an administrator rather than the manufacturer.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 != 0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

impl FromStr for MacAddress {
    type Err = ParseMacAddressError;

    /// Reads six pairs of hexadecimal digits with colons between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().ok_or(ParseMacAddressError)?;
            if part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(ParseMacAddressError);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| ParseMacAddressError)?;
        }
        match parts.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(ParseMacAddressError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_written() {
        let address = MacAddress([0x02, 0xfe, 0, 1, 2, 0xff]);
        assert_eq!(address.to_string(), "02:fe:00:01:02:ff");
        assert_eq!("02:fe:00:01:02:ff".parse(), Ok(address));
        assert_eq!("02:FE:00:01:02:FF".parse(), Ok(address));
        assert_eq!(format!("{address:>20}"), "   02:fe:00:01:02:ff");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "02:fe:00:01:02",
            "02:fe:00:01:02:ff:00",
            "2:fe:00:01:02:ff",
            "02:fe:00:01:02:fg",
            "+2:fe:00:01:02:ff",
            "02-fe-00-01-02-ff",
            "02:fe:00:01:02:ff ",
        ] {
            assert_eq!(
                text.parse::<MacAddress>(),
                Err(ParseMacAddressError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn kinds_are_told_by_the_first_octet() {
        assert!(MacAddress::BROADCAST.is_multicast());
        assert!(!MacAddress::ZERO.is_multicast());
        assert!(MacAddress::ZERO.is_zero());
        assert!(MacAddress([2, 0xfe, 0, 0, 0, 1]).is_local());
        assert!(!MacAddress([0, 0xfe, 0, 0, 0, 1]).is_local());
    }
}
