//! IPv4 and IPv6.

use super::super::edit::{Place, Value};
use super::super::fixup::{Fixup, Network};
use super::super::names;
use super::super::text::Text;
use super::{DefinitionError, Reader, named};

const IP4_LEN: usize = 20;
const IP6_LEN: usize = 40;

impl Reader<'_> {
    /// `PROTOCOL: [SOURCE -> DESTINATION]` with fields in any order.
    pub(super) fn ip4(&mut self) -> Result<(), DefinitionError> {
        let at = self.draft.header(IP4_LEN)?;
        self.draft.put(Place::bytes(at, 1), Value::Fixed(0x45));
        self.draft.put(Place::bytes(at + 8, 1), Value::Fixed(64));
        let protocol = self.value(ip_protocol)?;
        self.draft.put(Place::bytes(at + 9, 1), protocol);
        self.expect(":")?;
        if self.text.clone().ip4().is_some() {
            self.pair(
                (Place::bytes(at + 12, 4), Place::bytes(at + 16, 4)),
                Text::ip4,
            )?;
        }
        let (mut has_length, mut has_checksum) = (false, false);
        loop {
            if self.number_field("length", Place::bytes(at + 2, 2))? {
                has_length = true;
            } else if self.number_field("checksum", Place::bytes(at + 10, 2))? {
                has_checksum = true;
            } else if !self.ip4_field(at)? {
                break;
            }
        }
        if !has_length {
            self.draft.compute(Fixup::Ip4Length(at));
        }
        if !has_checksum {
            self.draft.compute(Fixup::Ip4Checksum(at));
        }
        let length_varies = !has_length && !self.draft.is_one_size();
        let header_varies = length_varies || !self.draft.is_fixed(at..at + IP4_LEN);
        if length_varies || (!has_checksum && header_varies) {
            self.draft.set_edit_function(at, "ip4_pg_edit_function");
        }
        self.transport(protocol, Network::Ip4(at))
    }

    /// One of the fields that nothing is computed from; says whether there was one.
    fn ip4_field(&mut self, at: usize) -> Result<bool, DefinitionError> {
        const FLAGS: [(&str, &str, usize); 3] = [("ce", "CE", 0), ("df", "DF", 1), ("mf", "MF", 2)];
        for (lower, upper, bit) in FLAGS {
            if self.text.keyword(lower) || self.text.keyword(upper) {
                self.draft.put(Place::bits(at + 6, bit, 1), Value::Fixed(1));
                return Ok(true);
            }
        }
        if self.text.keyword("fragment") {
            let id = Place::bytes(at + 4, 2);
            if !self.number_field("id", id)? || !self.text.keyword("offset") {
                return Err(self.text.syntax());
            }
            let offset = self.value(|text| text.number(16).map(|bytes| bytes / 8))?;
            self.draft.put(Place::bits(at + 6, 3, 13), offset);
            return Ok(true);
        }
        Ok(self.number_field("tos", Place::bytes(at + 1, 1))?
            || self.number_field("ttl", Place::bytes(at + 8, 1))?
            || self.number_field("version", Place::bits(at, 0, 4))?
            || self.number_field("header-length", Place::bits(at, 4, 4))?)
    }

    /// `PROTOCOL: SOURCE -> DESTINATION` with fields in any order.
    pub(super) fn ip6(&mut self) -> Result<(), DefinitionError> {
        let at = self.draft.header(IP6_LEN)?;
        self.draft.put(Place::bits(at, 0, 4), Value::Fixed(6));
        self.draft.put(Place::bytes(at + 7, 1), Value::Fixed(64));
        let protocol = self.value(ip_protocol)?;
        self.draft.put(Place::bytes(at + 6, 1), protocol);
        self.expect(":")?;
        self.pair(
            (Place::bytes(at + 8, 16), Place::bytes(at + 24, 16)),
            Text::ip6,
        )?;
        let mut has_length = false;
        loop {
            if self.number_field("length", Place::bytes(at + 4, 2))? {
                has_length = true;
            } else if !self.number_field("version", Place::bits(at, 0, 4))?
                && !self.number_field("traffic-class", Place::bits(at, 4, 8))?
                && !self.number_field("flow-label", Place::bits(at, 12, 20))?
                && !self.number_field("hop-limit", Place::bytes(at + 7, 1))?
            {
                break;
            }
        }
        if !has_length {
            self.draft.compute(Fixup::Ip6Length(at));
            if !self.draft.is_one_size() {
                self.draft.set_edit_function(at, "ip6_pg_edit_function");
            }
        }
        self.transport(protocol, Network::Ip6(at))
    }
}

fn ip_protocol(text: &mut Text<'_>) -> Option<u128> {
    named(text, 8, |name| names::ip_protocol(name).map(u128::from))
}
