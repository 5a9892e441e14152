//! UDP, TCP and ICMP.

use super::super::edit::{Place, Value};
use super::super::fixup::{Fixup, Network, Transport};
use super::super::names;
use super::{DefinitionError, Reader};
use crate::ip4::header::protocol;

/// ICMP for IPv6 (IANA protocol numbers).
const ICMP6: u8 = 58;
const UDP_LEN: usize = 8;
const TCP_LEN: usize = 20;
const ICMP_LEN: usize = 4;
/// Bytes of TCP options that a header can have.
const MOST_OPTIONS: usize = 40;

/// TCP flags by name, lowest bit first.
const TCP_FLAGS: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

impl Reader<'_> {
    /// What an IP packet carries: the header of its protocol, or bytes.
    pub(super) fn transport(
        &mut self,
        carried: Value,
        network: Network,
    ) -> Result<(), DefinitionError> {
        let Value::Fixed(carried) = carried else {
            return self.payload();
        };
        let follows = |header: &str| self.text.rest().starts_with(header);
        match carried as u8 {
            protocol::UDP if follows("UDP:") => self.udp(Some(network)),
            protocol::TCP if follows("TCP:") => self.tcp(network),
            protocol::ICMP if follows("ICMP") => self.icmp(Transport::Icmp4, network),
            ICMP6 if follows("ICMP") => self.icmp(Transport::Icmp6, network),
            _ => self.payload(),
        }
    }

    /// `UDP: PORT -> PORT [length N] [checksum N]`
    pub(super) fn udp(&mut self, network: Option<Network>) -> Result<(), DefinitionError> {
        let at = self.draft.header(UDP_LEN)?;
        self.expect("UDP:")?;
        self.ports(at)?;
        let (mut has_length, mut has_checksum) = (false, false);
        loop {
            if self.number_field("length", Place::bytes(at + 4, 2))? {
                has_length = true;
            } else if self.number_field("checksum", Place::bytes(at + 6, 2))? {
                has_checksum = true;
            } else {
                break;
            }
        }
        if !has_length {
            self.draft.compute(Fixup::UdpLength(at));
        }
        if !has_checksum {
            let transport = Transport::Udp;
            self.draft.compute(Fixup::TransportChecksum {
                transport,
                at,
                network,
            });
        }
        if !has_length || !has_checksum {
            self.draft.set_edit_function(at, "udp_pg_edit_function");
        }
        self.payload()
    }

    /// `TCP: PORT -> PORT` with fields and flags, then `opt` options.
    fn tcp(&mut self, network: Network) -> Result<(), DefinitionError> {
        let at = self.draft.header(TCP_LEN)?;
        self.expect("TCP:")?;
        self.ports(at)?;
        self.draft.put(Place::bytes(at + 14, 2), Value::Fixed(4096));
        let mut has_checksum = false;
        loop {
            if self.number_field("checksum", Place::bytes(at + 16, 2))? {
                has_checksum = true;
            } else if !self.tcp_field(at)? {
                break;
            }
        }
        let options = self.tcp_options()?;
        let words = (TCP_LEN + options) / 4;
        self.draft
            .put(Place::bits(at + 12, 0, 4), Value::Fixed(words as u128));
        if !has_checksum {
            let (transport, network) = (Transport::Tcp, Some(network));
            self.draft.compute(Fixup::TransportChecksum {
                transport,
                at,
                network,
            });
            self.draft.set_edit_function(at, "tcp_pg_edit_function");
        }
        self.payload()
    }

    fn tcp_field(&mut self, at: usize) -> Result<bool, DefinitionError> {
        for (bit, flag) in TCP_FLAGS.iter().enumerate() {
            if self.text.keyword(flag) {
                self.draft
                    .put(Place::bits(at + 13, 7 - bit, 1), Value::Fixed(1));
                return Ok(true);
            }
        }
        Ok(self.number_field("seqnum", Place::bytes(at + 4, 4))?
            || self.number_field("acknum", Place::bytes(at + 8, 4))?
            || self.number_field("window", Place::bytes(at + 14, 2))?)
    }

    /// Reads options behind the header; gives their bytes, padded to words.
    fn tcp_options(&mut self) -> Result<usize, DefinitionError> {
        let mut len = 0;
        while self.text.keyword("opt") {
            if len == 0 {
                self.draft.header(0)?;
            }
            // Kind, and the bytes of each value (RFC 9293, RFC 7323, RFC 2018).
            let (kind, width, count) = match self.text.name() {
                Some("mss") => (2, 2, 1),
                Some("winscale") => (3, 1, 1),
                Some("sackperm") => (4, 0, 0),
                Some("sack") => (5, 4, 2 * self.sack_blocks()?),
                Some("timestamp") => (8, 4, 2),
                _ => return Err(self.text.syntax()),
            };
            len += self.tcp_option(kind, width, count)?;
            if len > MOST_OPTIONS {
                return Err(DefinitionError::TooLong);
            }
        }
        let padded = len.next_multiple_of(4);
        if padded > len {
            let end = self.draft.extend(padded - len)?;
            (end..end + padded - len)
                .for_each(|at| self.draft.put(Place::bytes(at, 1), Value::Fixed(1)));
        }
        Ok(padded)
    }

    /// `nvalues N`
    fn sack_blocks(&mut self) -> Result<usize, DefinitionError> {
        if !self.text.keyword("nvalues") {
            return Err(self.text.syntax());
        }
        let count = self.required(|text| text.number(2))?;
        Ok(count as usize)
    }

    fn tcp_option(
        &mut self,
        kind: u8,
        width: usize,
        count: usize,
    ) -> Result<usize, DefinitionError> {
        let len = 2 + width * count;
        let at = self.draft.extend(len)?;
        self.draft
            .put(Place::bytes(at, 1), Value::Fixed(kind.into()));
        self.draft
            .put(Place::bytes(at + 1, 1), Value::Fixed(len as u128));
        for i in 0..count {
            let place = Place::bytes(at + 2 + i * width, width as u32);
            let value = self.value(|text| text.number(place.bits))?;
            self.draft.put(place, value);
        }
        Ok(len)
    }

    /// `ICMP NAME [checksum N]`
    fn icmp(&mut self, transport: Transport, network: Network) -> Result<(), DefinitionError> {
        let at = self.draft.header(ICMP_LEN)?;
        self.expect("ICMP")?;
        let find = match transport {
            Transport::Icmp6 => names::icmp6,
            _ => names::icmp4,
        };
        let (kind, code) = self.required(|text| text.attempt(|text| find(text.name()?)))?;
        self.draft
            .put(Place::bytes(at, 1), Value::Fixed(kind.into()));
        self.draft
            .put(Place::bytes(at + 1, 1), Value::Fixed(code.into()));
        if !self.number_field("checksum", Place::bytes(at + 2, 2))? {
            let network = Some(network);
            self.draft.compute(Fixup::TransportChecksum {
                transport,
                at,
                network,
            });
            let name = match transport {
                Transport::Icmp6 => "icmp6_pg_edit_function",
                _ => "icmp4_pg_edit_function",
            };
            self.draft.set_edit_function(at, name);
        }
        self.payload()
    }

    /// `PORT -> PORT`
    fn ports(&mut self, at: usize) -> Result<(), DefinitionError> {
        self.pair((Place::bytes(at, 2), Place::bytes(at + 2, 2)), |text| {
            text.number(16)
        })
    }
}
