//! The language of definitions: one header after the other, then a payload.
//!
//! ```text
//! IP4: 02:fe:00:00:00:01 -> 02:fe:00:00:00:02 vlan 9          ethernet-input starts here
//! UDP: 10.0.0.2 - 10.0.0.9 -> 20.0.0.0 + 20.255.255.255 ttl 2   ip4-input starts here
//! UDP: 1234 -> 2345
//! incrementing 30
//! ```
//!
//! The first word of a header names what the header carries, so each header tells which one follows it.

mod link;
mod network;
mod transport;

use super::draft::Draft;
use super::edit::{Place, Value};
use super::program::{Program, Sizes};
use super::text::Text;
use super::{DefinitionError, Start};

/// Reads a whole definition.
pub(super) fn parse(
    text: &str,
    start: Start,
    sizes: Option<Sizes>,
) -> Result<Program, DefinitionError> {
    let mut reader = Reader {
        text: Text::new(text),
        draft: Draft::new(sizes)?,
    };
    reader.begin(start)?;
    if !reader.text.is_empty() {
        return Err(reader.text.syntax());
    }
    reader.draft.finish()
}

/// What is still to be read, and what came of the rest.
struct Reader<'a> {
    text: Text<'a>,
    draft: Draft,
}

impl<'a> Reader<'a> {
    fn begin(&mut self, start: Start) -> Result<(), DefinitionError> {
        // A payload may stand wherever a header may.
        if self.is_payload() {
            return self.payload();
        }
        match start {
            Start::Ethernet => self.ethernet(),
            Start::Arp => self.arp(),
            Start::Ip4 => self.ip4(),
            Start::Ip6 => self.ip6(),
            Start::Udp => self.udp(None),
            Start::Payload => self.payload(),
        }
    }

    /// Whether a payload follows.
    fn is_payload(&self) -> bool {
        let mut ahead = self.text.clone();
        ahead.keyword("incrementing") || ahead.keyword("hex")
    }

    /// Reads `incrementing N`, `hex 0x...`, or the name of a node and what that expects.
    fn payload(&mut self) -> Result<(), DefinitionError> {
        if self.text.keyword("incrementing") {
            let len = self.required(|text| text.number(16))?;
            let len = usize::try_from(len).map_err(|_| DefinitionError::TooLong)?;
            // Bytes count up and start again after `len` of them, or after 256.
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            return self.draft.payload(&bytes);
        }
        if self.text.keyword("hex") {
            let bytes = self.required(Text::hex)?;
            return self.draft.payload(&bytes);
        }
        let start = self.text.attempt(|text| {
            let start = Start::of_node(text.name()?);
            (start != Start::Payload).then_some(start)
        });
        match start {
            Some(start) => self.begin(start),
            None => Err(self.text.syntax()),
        }
    }

    /// Takes what must come next.
    fn required<T>(
        &mut self,
        take: impl FnOnce(&mut Text<'a>) -> Option<T>,
    ) -> Result<T, DefinitionError> {
        take(&mut self.text).ok_or_else(|| self.text.syntax())
    }

    /// Takes a value that must come next.
    fn value(
        &mut self,
        take: impl FnMut(&mut Text<'a>) -> Option<u128>,
    ) -> Result<Value, DefinitionError> {
        self.text.value(take)?.ok_or_else(|| self.text.syntax())
    }

    /// Takes characters that must come next.
    fn expect(&mut self, literal: &str) -> Result<(), DefinitionError> {
        if self.text.literal(literal) {
            Ok(())
        } else {
            Err(self.text.syntax())
        }
    }

    /// Takes `keyword` and a number for a field; says whether they were there.
    fn number_field(&mut self, keyword: &str, place: Place) -> Result<bool, DefinitionError> {
        if !self.text.keyword(keyword) {
            return Ok(false);
        }
        let value = self.value(|text| text.number(place.bits))?;
        self.draft.put(place, value);
        Ok(true)
    }

    /// Takes `A -> B` into two fields.
    fn pair(
        &mut self,
        (from, to): (Place, Place),
        mut take: impl FnMut(&mut Text<'a>) -> Option<u128>,
    ) -> Result<(), DefinitionError> {
        let source = self.value(&mut take)?;
        self.expect("->")?;
        let destination = self.value(&mut take)?;
        self.draft.put(from, source);
        self.draft.put(to, destination);
        Ok(())
    }
}

/// Takes a name that `find` knows, or a number of at most `bits` bits.
fn named(text: &mut Text<'_>, bits: u32, find: impl Fn(&str) -> Option<u128>) -> Option<u128> {
    text.attempt(|text| find(text.name()?))
        .or_else(|| text.number(bits))
}
