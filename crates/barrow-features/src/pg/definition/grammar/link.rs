//! Ethernet and ARP.

use super::super::edit::{Place, Value};
use super::super::names;
use super::super::text::Text;
use super::{DefinitionError, Reader, named};
use crate::arp::header::{PACKET_LEN, REPLY, REQUEST};
use crate::ethernet::header::{EtherType, HEADER_LEN, TAG_LEN};

/// VLAN tags a frame can be given.
const MOST_TAGS: usize = 2;

impl Reader<'_> {
    /// `TYPE: SOURCE -> DESTINATION [vlan ID [priority N] [cfi N]]...`
    pub(super) fn ethernet(&mut self) -> Result<(), DefinitionError> {
        let at = self.draft.header(HEADER_LEN)?;
        let carried = self.value(ether_type)?;
        self.expect(":")?;
        self.pair((Place::bytes(at + 6, 6), Place::bytes(at, 6)), Text::mac)?;
        let mut tags = 0;
        while self.text.keyword("vlan") {
            if tags == MOST_TAGS {
                return Err(self.text.syntax());
            }
            self.draft.extend(TAG_LEN)?;
            let tag = at + 12 + tags * TAG_LEN;
            let vlan = Value::Fixed(EtherType::DOT1Q.0.into());
            self.draft.put(Place::bytes(tag, 2), vlan);
            let id = self.value(|text| text.number(12))?;
            self.draft.put(Place::bits(tag + 2, 4, 12), id);
            self.number_field("priority", Place::bits(tag + 2, 0, 3))?;
            self.number_field("cfi", Place::bits(tag + 2, 3, 1))?;
            tags += 1;
        }
        self.draft
            .put(Place::bytes(at + 12 + tags * TAG_LEN, 2), carried);
        if self.is_payload() {
            return self.payload();
        }
        let Value::Fixed(carried) = carried else {
            return self.payload();
        };
        match EtherType(carried as u16) {
            EtherType::IP4 => self.ip4(),
            EtherType::IP6 => self.ip6(),
            EtherType::ARP => self.arp(),
            _ => self.payload(),
        }
    }

    /// `OPERATION: MAC/IP -> MAC/IP`, and maybe padding.
    pub(super) fn arp(&mut self) -> Result<(), DefinitionError> {
        let at = self.draft.header(PACKET_LEN)?;
        let fixed = |value: u16| Value::Fixed(value.into());
        self.draft.put(Place::bytes(at, 2), fixed(1));
        self.draft
            .put(Place::bytes(at + 2, 2), fixed(EtherType::IP4.0));
        self.draft.put(Place::bytes(at + 4, 2), fixed(0x0604));
        let operation = self.value(operation)?;
        self.draft.put(Place::bytes(at + 6, 2), operation);
        self.expect(":")?;
        self.station(at + 8)?;
        self.expect("->")?;
        self.station(at + 18)?;
        if self.is_payload() {
            self.payload()
        } else {
            Ok(())
        }
    }

    /// `MAC/IP`
    fn station(&mut self, at: usize) -> Result<(), DefinitionError> {
        let mac = self.value(Text::mac)?;
        self.draft.put(Place::bytes(at, 6), mac);
        self.expect("/")?;
        let ip = self.value(Text::ip4)?;
        self.draft.put(Place::bytes(at + 6, 4), ip);
        Ok(())
    }
}

fn ether_type(text: &mut Text<'_>) -> Option<u128> {
    named(text, 16, |name| names::ether_type(name).map(u128::from))
}

fn operation(text: &mut Text<'_>) -> Option<u128> {
    named(text, 16, |name| match name {
        "request" => Some(REQUEST.into()),
        "reply" => Some(REPLY.into()),
        _ => None,
    })
}
