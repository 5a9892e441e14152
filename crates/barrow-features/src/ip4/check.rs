//! Whether an IPv4 packet may be forwarded: the checks of RFC 1812 section 5.2.2.

use super::error::Ip4Error;
use super::header::{HEADER_LEN, Ip4Header, fold_with_options};
use barrow_engine::Packet;
use zerocopy::FromBytes;

/// Checks the header at the start of the data against itself and against the length of the packet.
///
/// `total_len` is that of the whole packet, chained buffers included; `data` its first buffer, which
/// holds the header whole. `verify_checksum` is off where the device has looked already.
///
/// # Errors
/// The first thing that is wrong.
#[inline]
pub fn check(data: &[u8], total_len: usize, verify_checksum: bool) -> Result<&Ip4Header, Ip4Error> {
    let Ok((header, _)) = Ip4Header::ref_from_prefix(data) else {
        return Err(Ip4Error::TooShort);
    };
    if header.version_and_length != 0x45 {
        unusual(header, data, verify_checksum)?;
    } else if verify_checksum && !header.checksum_is_right() {
        return Err(Ip4Error::BadChecksum);
    }
    let claimed = usize::from(header.total_length.get());
    if claimed < header.header_len() {
        return Err(Ip4Error::TooShort);
    }
    if claimed > total_len {
        return Err(Ip4Error::BadLength);
    }
    if header.fragment_offset() == 8 {
        return Err(Ip4Error::FragmentOffsetOne);
    }
    if header.ttl == 0 {
        return Err(Ip4Error::TimeExpired);
    }
    Ok(header)
}

/// Another version, a short header, or options.
#[cold]
fn unusual(header: &Ip4Header, data: &[u8], verify_checksum: bool) -> Result<(), Ip4Error> {
    if header.version() != 4 {
        return Err(Ip4Error::Version);
    }
    let len = header.header_len();
    if len < HEADER_LEN {
        return Err(Ip4Error::HeaderTooShort);
    }
    let whole = data.get(..len).ok_or(Ip4Error::TooShort)?;
    if verify_checksum && fold_with_options(whole) != 0xffff {
        return Err(Ip4Error::BadChecksum);
    }
    Ok(())
}

/// The IPv4 header at the start of a packet's data, once [`check`] has passed it.
#[inline]
#[must_use]
pub fn header_of<'a>(packet: &'a Packet<'_>) -> Option<&'a Ip4Header> {
    Ip4Header::ref_from_prefix(packet.data())
        .ok()
        .map(|(header, _)| header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use zerocopy::IntoBytes;

    fn packet(change: impl FnOnce(&mut Ip4Header)) -> Vec<u8> {
        let a = Ipv4Addr::new(10, 0, 0, 1);
        let mut header = Ip4Header::new(a, a, 17, 64, 60);
        change(&mut header);
        let mut bytes = header.as_bytes().to_vec();
        bytes.resize(60, 0);
        bytes
    }

    fn mended(change: impl FnOnce(&mut Ip4Header)) -> Vec<u8> {
        packet(|header| {
            change(header);
            header.set_checksum();
        })
    }

    #[test]
    fn each_fault_has_its_error() {
        let cases: [(&str, Vec<u8>, Option<Ip4Error>); 9] = [
            ("good", packet(|_| ()), None),
            (
                "a flipped bit",
                packet(|h| h.tos = 1),
                Some(Ip4Error::BadChecksum),
            ),
            (
                "version 5",
                mended(|h| h.version_and_length = 0x55),
                Some(Ip4Error::Version),
            ),
            (
                "IHL 4",
                mended(|h| h.version_and_length = 0x44),
                Some(Ip4Error::HeaderTooShort),
            ),
            (
                "longer than the frame",
                mended(|h| h.total_length = 61.into()),
                Some(Ip4Error::BadLength),
            ),
            (
                "shorter than itself",
                mended(|h| h.total_length = 19.into()),
                Some(Ip4Error::TooShort),
            ),
            (
                "offset one",
                mended(|h| h.flags_and_offset = 1.into()),
                Some(Ip4Error::FragmentOffsetOne),
            ),
            ("ttl 0", mended(|h| h.ttl = 0), Some(Ip4Error::TimeExpired)),
            (
                "cut",
                packet(|_| ())[..19].to_vec(),
                Some(Ip4Error::TooShort),
            ),
        ];
        for (what, bytes, expected) in cases {
            assert_eq!(check(&bytes, bytes.len(), true).err(), expected, "{what}");
        }
    }

    #[test]
    fn options_are_summed_too() {
        let mut bytes = mended(|h| h.version_and_length = 0x46);
        let sum = fold_with_options(&bytes[..24]);
        assert_eq!(sum, 0xffff, "zero options do not change the sum");
        assert!(check(&bytes, bytes.len(), true).is_ok());
        bytes[20] = 1;
        assert_eq!(
            check(&bytes, bytes.len(), true).err(),
            Some(Ip4Error::BadChecksum)
        );
    }
}
