//! IP addresses and prefixes: conversions from and to [`std::net`], and their text forms.
//!
//! Towards `std` the conversion of an [`Address`] can fail, because a message may name a family
//! that nobody knows; that of a prefix also because its length may exceed its family's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::ip_types::{
    Address, AddressFamily, AddressUnion, AddressUnionMember, Ip4Address, Ip4Prefix, Ip6Address,
    Ip6Prefix, Prefix,
};

/// An address or prefix of a message makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The family is neither IPv4 nor IPv6. VPP's number for this is -97.
    #[error("unknown address family {0}")]
    UnknownFamily(u8),
    /// The prefix has more significant bits than its address. VPP's number for this is -59.
    #[error("prefix length {len} exceeds {max}")]
    PrefixTooLong {
        /// The length given.
        len: u8,
        /// Bits of an address of the family.
        max: u8,
    },
}

/// The text is not an address or prefix of the kind wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or prefix")]
pub struct ParseAddressError;

/// Between one of our types and the type of `std` that says the same.
macro_rules! same {
    ($($ours:ident, $std:ident;)*) => {
        $(
            impl From<$std> for $ours {
                fn from(address: $std) -> Self {
                    Self(address.octets())
                }
            }

            impl From<$ours> for $std {
                fn from(address: $ours) -> Self {
                    Self::from(address.0)
                }
            }

            impl From<$std> for AddressUnion {
                fn from(address: $std) -> Self {
                    let (_, union) = split(IpAddr::from(address));
                    union
                }
            }

            impl From<$std> for Address {
                fn from(address: $std) -> Self {
                    Self::from(IpAddr::from(address))
                }
            }

            impl fmt::Display for $ours {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    $std::from(*self).fmt(f)
                }
            }

            impl FromStr for $ours {
                type Err = ParseAddressError;

                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    let address: $std = text.parse().map_err(|_| ParseAddressError)?;
                    Ok(address.into())
                }
            }
        )*
    };
}

same! {
    Ip4Address, Ipv4Addr;
    Ip6Address, Ipv6Addr;
}

/// A prefix type: construction, check, text form.
macro_rules! prefix {
    ($($ours:ident of $address:ident, $std:ident;)*) => {
        $(
            impl $ours {
                /// An address and the number of its significant bits. Host bits are kept.
                ///
                /// # Errors
                ///
                /// When there are more significant bits than bits.
                pub fn new(address: impl Into<$std>, len: u8) -> Result<Self, AddressError> {
                    let address = address.into();
                    check(IpAddr::from(address), len)?;
                    Ok(Self { address: $address::from(address), len })
                }

                /// The address and the number of its significant bits, after a check that they
                /// make sense.
                ///
                /// # Errors
                ///
                /// When the family is unknown, or there are more significant bits than bits.
                pub fn parts(&self) -> Result<($std, u8), AddressError> {
                    let address = $std::try_from(self.address)?;
                    check(IpAddr::from(address), self.len)?;
                    Ok((address, self.len))
                }
            }

            /// As it is, even if it makes no sense.
            impl fmt::Display for $ours {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(&format!("{}/{}", self.address, self.len))
                }
            }

            impl FromStr for $ours {
                type Err = ParseAddressError;

                /// Reads an address, a slash, and a number of bits that the address has.
                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    let (address, len) = text.split_once('/').ok_or(ParseAddressError)?;
                    if !len.bytes().all(|byte| byte.is_ascii_digit()) {
                        return Err(ParseAddressError);
                    }
                    let address: $std = address.parse().map_err(|_| ParseAddressError)?;
                    let len = len.parse().map_err(|_| ParseAddressError)?;
                    Self::new(address, len).map_err(|_| ParseAddressError)
                }
            }
        )*
    };
}

prefix! {
    Prefix of Address, IpAddr;
    Ip4Prefix of Ip4Address, Ipv4Addr;
    Ip6Prefix of Ip6Address, Ipv6Addr;
}

impl From<std::convert::Infallible> for AddressError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Refuses a prefix longer than its address.
fn check(address: IpAddr, len: u8) -> Result<(), AddressError> {
    let max = if address.is_ipv4() { 32 } else { 128 };
    if len > max {
        Err(AddressError::PrefixTooLong { len, max })
    } else {
        Ok(())
    }
}

/// An address as the pair that messages carry.
fn split(address: IpAddr) -> (AddressFamily, AddressUnion) {
    match address {
        IpAddr::V4(ip4) => AddressUnionMember::Ip4(ip4.into()).into(),
        IpAddr::V6(ip6) => AddressUnionMember::Ip6(ip6.into()).into(),
    }
}

impl From<IpAddr> for AddressUnion {
    /// The union alone: the family has to be told elsewhere, as in a path's next hop.
    fn from(address: IpAddr) -> Self {
        split(address).1
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        let (af, un) = split(address);
        Self { af, un }
    }
}

impl TryFrom<Address> for IpAddr {
    type Error = AddressError;

    fn try_from(address: Address) -> Result<Self, AddressError> {
        match address.un_member() {
            Some(AddressUnionMember::Ip4(ip4)) => Ok(Self::V4(ip4.into())),
            Some(AddressUnionMember::Ip6(ip6)) => Ok(Self::V6(ip6.into())),
            None => Err(AddressError::UnknownFamily(address.af.0)),
        }
    }
}

/// An address of an unknown family shows that family.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match IpAddr::try_from(*self) {
            Ok(address) => address.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: IpAddr = text.parse().map_err(|_| ParseAddressError)?;
        Ok(address.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

    #[test]
    fn an_ip4_address_fills_the_first_bytes_of_the_union() {
        let address = Address::from(IP4);
        assert_eq!(address.af, AddressFamily::ADDRESS_IP4);
        assert_eq!(
            address.un.0,
            [192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(AddressUnion::from(IP4), address.un);
    }

    #[test]
    fn addresses_convert_there_and_back() {
        for std in [IpAddr::from(IP4), IpAddr::from(IP6)] {
            let address = Address::from(std);
            assert_eq!(IpAddr::try_from(address), Ok(std));
            assert_eq!(address.to_string(), std.to_string());
            assert_eq!(std.to_string().parse(), Ok(address));
        }
        assert_eq!(Ipv4Addr::from(Ip4Address::from(IP4)), IP4);
        assert_eq!(Ipv6Addr::from(Ip6Address::from(IP6)), IP6);
        assert_eq!("192.0.2.1".parse(), Ok(Ip4Address::from(IP4)));
        assert_eq!("192.0.2.1".parse::<Ip6Address>(), Err(ParseAddressError));
    }

    #[test]
    fn a_family_that_nobody_knows_is_an_error_with_its_number() {
        let address = Address {
            af: AddressFamily(7),
            ..Address::from(IP4)
        };
        assert_eq!(
            IpAddr::try_from(address),
            Err(AddressError::UnknownFamily(7))
        );
        assert_eq!(address.to_string(), "unknown address family 7");
        let prefix = Prefix { address, len: 8 };
        assert_eq!(prefix.parts(), Err(AddressError::UnknownFamily(7)));
    }

    #[test]
    fn prefixes_have_as_many_bits_as_their_address_at_most() {
        let prefix = Prefix::new(IP4, 24).unwrap();
        assert_eq!(prefix.to_string(), "192.0.2.1/24");
        assert_eq!("192.0.2.1/24".parse(), Ok(prefix));
        assert_eq!(prefix.parts(), Ok((IP4.into(), 24)));
        let too_long = AddressError::PrefixTooLong { len: 33, max: 32 };
        assert_eq!(Prefix::new(IP4, 33), Err(too_long));
        assert_eq!(Prefix { len: 33, ..prefix }.parts(), Err(too_long));
        assert_eq!(Prefix { len: 33, ..prefix }.to_string(), "192.0.2.1/33");
        assert_eq!(Ip4Prefix::new(IP4, 33), Err(too_long));
        assert_eq!(Ip6Prefix::new(IP6, 128).unwrap().parts(), Ok((IP6, 128)));
        assert!(Ip6Prefix::new(IP6, 129).is_err());
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in [
            "",
            "/",
            "192.0.2.0",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/33",
            "x/8",
        ] {
            assert_eq!(text.parse::<Prefix>(), Err(ParseAddressError), "{text:?}");
        }
        assert_eq!("::/0".parse::<Ip4Prefix>(), Err(ParseAddressError));
    }
}
