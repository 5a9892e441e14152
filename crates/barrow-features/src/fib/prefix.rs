//! A network: an address and how many of its leading bits count.

use super::FibError;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressFamily {
    /// IPv4.
    Ip4,
    /// IPv6.
    Ip6,
}

impl AddressFamily {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ip4,
            IpAddr::V6(_) => Self::Ip6,
        }
    }

    /// Bits of an address.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ip4 => 32,
            Self::Ip6 => 128,
        }
    }
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip4 => "ipv4",
            Self::Ip6 => "ipv6",
        })
    }
}

/// A network; the bits beyond its length are 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prefix {
    address: IpAddr,
    len: u8,
}

impl Prefix {
    /// The network of `address` of `len` bits; further bits of the address are ignored, as VPP does.
    ///
    /// # Errors
    /// [`FibError::PrefixLength`] when an address of that family has fewer bits.
    pub fn new(address: IpAddr, len: u8) -> Result<Self, FibError> {
        if len > AddressFamily::of(address).bits() {
            return Err(FibError::PrefixLength);
        }
        let address = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask4(len))),
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
        };
        Ok(Self { address, len })
    }

    /// The network of one address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        Self {
            address,
            len: AddressFamily::of(address).bits(),
        }
    }

    /// The first address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a length in bits, not of a collection"
    )]
    pub const fn len(self) -> u8 {
        self.len
    }

    /// The family of the address.
    #[must_use]
    pub const fn family(self) -> AddressFamily {
        AddressFamily::of(self.address)
    }

    /// Whether it is one address.
    #[must_use]
    pub const fn is_host(self) -> bool {
        self.len == self.family().bits()
    }

    /// Whether `other` is this network or lies inside it.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.len <= other.len && Self::new(other.address, self.len) == Ok(self)
    }

    /// The IPv4 bits and length.
    ///
    /// # Errors
    /// [`FibError::AddressFamily`] for another family.
    pub(super) const fn ip4(self) -> Result<(u32, u8), FibError> {
        match self.address {
            IpAddr::V4(v4) => Ok((v4.to_bits(), self.len)),
            IpAddr::V6(_) => Err(FibError::AddressFamily),
        }
    }

    pub(super) const fn from_ip4(bits: u32, len: u8) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::from_bits(bits)),
            len,
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

/// The mask of an IPv4 prefix length of at most 32.
#[inline]
pub(crate) const fn mask4(len: u8) -> u32 {
    match u32::MAX.checked_shl(32 - len as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str, len: u8) -> Prefix {
        Prefix::new(text.parse().unwrap(), len).unwrap()
    }

    #[test]
    fn host_bits_are_ignored() {
        assert_eq!(prefix("32.1.2.3", 8).to_string(), "32.0.0.0/8");
        assert_eq!(prefix("255.255.255.255", 0).to_string(), "0.0.0.0/0");
        assert_eq!(prefix("2001:db8::1", 32).to_string(), "2001:db8::/32");
        assert_eq!(prefix("::1", 0).to_string(), "::/0");
    }

    #[test]
    fn a_length_beyond_the_family_is_refused() {
        let error = Prefix::new("1.1.1.1".parse().unwrap(), 33).unwrap_err();
        assert_eq!((error, error.retval()), (FibError::PrefixLength, -171));
        assert!(Prefix::new("::1".parse().unwrap(), 128).is_ok());
        assert!(Prefix::new("::1".parse().unwrap(), 129).is_err());
    }

    #[test]
    fn covering_is_by_leading_bits() {
        assert!(prefix("10.0.0.0", 8).covers(prefix("10.1.0.0", 16)));
        assert!(prefix("10.0.0.0", 8).covers(prefix("10.0.0.0", 8)));
        assert!(!prefix("10.0.0.0", 16).covers(prefix("10.0.0.0", 8)));
        assert!(!prefix("10.0.0.0", 8).covers(prefix("11.0.0.0", 16)));
        assert!(!prefix("0.0.0.0", 0).covers(prefix("::", 0)));
    }
}
