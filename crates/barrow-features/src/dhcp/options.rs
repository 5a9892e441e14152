//! Options of a DHCP message (RFC 2132): reading any bytes, writing our own.

use std::borrow::Cow;
use std::net::Ipv4Addr;

/// Option codes (RFC 2132, 3.3 to 9.14).
pub mod code {
    /// Subnet mask.
    pub const SUBNET_MASK: u8 = 1;
    /// Routers, the best first.
    pub const ROUTER: u8 = 3;
    /// Name servers, the best first.
    pub const DOMAIN_SERVER: u8 = 6;
    /// The host's name.
    pub const HOST_NAME: u8 = 12;
    /// The address that the client would like.
    pub const REQUESTED_ADDRESS: u8 = 50;
    /// Seconds that the lease lasts.
    pub const LEASE_TIME: u8 = 51;
    /// Which of the fields `file` and `sname` hold options too.
    pub const OVERLOAD: u8 = 52;
    /// What kind of message it is.
    pub const MESSAGE_TYPE: u8 = 53;
    /// Which server is meant.
    pub const SERVER_IDENTIFIER: u8 = 54;
    /// Which options the client would like.
    pub const PARAMETER_LIST: u8 = 55;
    /// The longest message that the client takes.
    pub const MAX_SIZE: u8 = 57;
    /// Seconds until the lease is to be renewed.
    pub const RENEWAL_TIME: u8 = 58;
    /// Seconds until any server may be asked to renew it.
    pub const REBINDING_TIME: u8 = 59;
    /// Who the client is.
    pub const CLIENT_IDENTIFIER: u8 = 61;
    /// One byte of nothing.
    pub const PAD: u8 = 0;
    /// There are no more.
    pub const END: u8 = 255;
}

/// The options in one area of a message, in order; what is cut off at its end is left out.
#[derive(Clone, Debug)]
pub struct Area<'a>(&'a [u8]);

impl<'a> Area<'a> {
    /// The options in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Area<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&code, rest) = self.0.split_first()?;
            match code {
                code::PAD => self.0 = rest,
                code::END => {
                    self.0 = &[];
                    return None;
                }
                _ => {
                    let (&len, rest) = rest.split_first()?;
                    let Some((value, rest)) = rest.split_at_checked(usize::from(len)) else {
                        self.0 = &[];
                        return None;
                    };
                    self.0 = rest;
                    return Some((code, value));
                }
            }
        }
    }
}

/// All options of a message: those of its options field, then those in `file` and `sname` where the
/// overload option says so (RFC 2131, 4.1).
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    areas: [&'a [u8]; 3],
}

impl<'a> Options<'a> {
    /// The options of a message with these three fields.
    #[must_use]
    pub fn new(options: &'a [u8], file: &'a [u8], sname: &'a [u8]) -> Self {
        let overload = Area::new(options).find(|(code, _)| *code == code::OVERLOAD);
        let overload = overload
            .and_then(|(_, value)| value.first())
            .map_or(0, |v| *v);
        let used = |bit, field| if overload & bit != 0 { field } else { &[][..] };
        Self {
            areas: [options, used(1, file), used(2, sname)],
        }
    }

    /// The value of an option; an option that was split is joined (RFC 3396).
    #[must_use]
    pub fn get(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let all = self.areas.iter().flat_map(|area| Area::new(area));
        let mut parts = all.filter(|(c, _)| *c == code).map(|(_, value)| value);
        let mut joined = Cow::Borrowed(parts.next()?);
        for part in parts {
            joined.to_mut().extend_from_slice(part);
        }
        Some(joined)
    }

    /// An option of one byte.
    #[must_use]
    pub fn byte(&self, code: u8) -> Option<u8> {
        match &*self.get(code)? {
            [byte] => Some(*byte),
            _ => None,
        }
    }

    /// An option that is a number of seconds.
    #[must_use]
    pub fn seconds(&self, code: u8) -> Option<u32> {
        let value = self.get(code)?;
        Some(u32::from_be_bytes(value.as_ref().try_into().ok()?))
    }

    /// The addresses of an option, up to `most`; what is not a whole address is left out.
    #[must_use]
    pub fn addresses(&self, code: u8, most: usize) -> Vec<Ipv4Addr> {
        let value = self.get(code).unwrap_or_default();
        let (whole, _) = value.as_chunks::<4>();
        whole
            .iter()
            .take(most)
            .map(|bytes| Ipv4Addr::from_octets(*bytes))
            .collect()
    }

    /// An option that is one address.
    #[must_use]
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let value = self.get(code)?;
        let bytes: [u8; 4] = value.as_ref().try_into().ok()?;
        Some(Ipv4Addr::from_octets(bytes))
    }
}

/// Writes options.
#[derive(Debug)]
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    /// Appends an option of at most 255 bytes; longer values are cut.
    pub fn put(&mut self, code: u8, value: &[u8]) {
        let value = &value[..value.len().min(255)];
        self.0.push(code);
        self.0.push(value.len() as u8);
        self.0.extend_from_slice(value);
    }

    /// Appends the end.
    pub fn end(self) {
        self.0.push(code::END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn options_are_found_padded_split_and_overloaded() {
        let options = [
            0, 53, 1, 5, 0, 0, 52, 1, 3, 12, 2, b'a', b'b', 255, 12, 1, b'x',
        ];
        let file = [12, 1, b'c', 255];
        let sname = [3, 4, 10, 0, 0, 1];
        let all = Options::new(&options, &file, &sname);
        assert_eq!(all.byte(code::MESSAGE_TYPE), Some(5));
        assert_eq!(all.get(code::HOST_NAME).as_deref(), Some(&b"abc"[..]));
        assert_eq!(all.address(code::ROUTER), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(all.get(code::LEASE_TIME), None);
    }

    #[test]
    fn without_overload_the_fields_are_no_options() {
        let all = Options::new(&[255], &[12, 1, b'c'], &[]);
        assert_eq!(all.get(code::HOST_NAME), None);
    }

    #[test]
    fn wrong_lengths_are_no_values() {
        let all = Options::new(
            &[51, 3, 0, 0, 1, 3, 5, 10, 0, 0, 1, 9, 53, 2, 1, 1],
            &[],
            &[],
        );
        assert_eq!(all.seconds(code::LEASE_TIME), None);
        assert_eq!(all.address(code::ROUTER), None);
        assert_eq!(all.addresses(code::ROUTER, 8), [Ipv4Addr::new(10, 0, 0, 1)]);
        assert_eq!(all.byte(code::MESSAGE_TYPE), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>, file: Vec<u8>, sname: Vec<u8>, wanted: u8) {
            let all = Options::new(&bytes, &file, &sname);
            let total = bytes.len() + file.len() + sname.len();
            prop_assert!(all.get(wanted).is_none_or(|value| value.len() <= total));
            prop_assert!(all.addresses(wanted, 3).len() <= 3);
        }

        #[test]
        fn what_is_written_is_read(options in prop::collection::vec((1..255u8, prop::collection::vec(any::<u8>(), 0..40)), 0..12)) {
            let mut bytes = Vec::new();
            let mut writer = Writer(&mut bytes);
            options.iter().for_each(|(code, value)| writer.put(*code, value));
            writer.end();
            let read: Vec<_> = Area::new(&bytes).map(|(c, v)| (c, v.to_vec())).collect();
            prop_assert_eq!(read, options);
        }
    }
}
