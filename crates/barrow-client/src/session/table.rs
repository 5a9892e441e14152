//! The server's message table: what it speaks, and under which numbers.

use barrow_messages::memclnt::MessageTableEntry;
use barrow_wire::ModuleInfo;
use rustc_hash::FxHashMap;

/// Every message the server knows, by name and CRC, with its id for this connection.
///
/// Sent by the server in `sockclnt_create_reply`. A message whose name is here under another CRC has another
/// layout and must not be sent.
#[derive(Clone, Debug, Default)]
pub struct MessageTable {
    /// Name without CRC, to the variants the server has of it: in practice one.
    by_name: FxHashMap<Box<str>, Vec<(u32, u16)>>,
    len: usize,
}

/// What the server makes of one message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Name and CRC agree.
    Same {
        /// The id on this connection.
        id: u16,
    },
    /// The name is known with another layout.
    Changed {
        /// The CRC of the server's definition.
        server_crc: u32,
    },
    /// The name is not known: an older or newer server, or a plugin that is not loaded.
    Missing,
}

impl MessageTable {
    /// Reads the table as it came. Entries that are not `name_crc` are left out; of equal ones the first counts.
    pub(crate) fn new(entries: &[MessageTableEntry]) -> Self {
        let mut table = Self::default();
        for entry in entries {
            let Some((name, crc)) = entry.name.to_str().ok().and_then(split_crc) else {
                continue;
            };
            let variants = table.by_name.entry(name.into()).or_default();
            if variants.iter().all(|(known, _)| *known != crc) {
                variants.push((crc, entry.index));
                table.len += 1;
            }
        }
        table
    }

    /// How many messages the server knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the server knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the server makes of the message `name` with this `crc`.
    #[must_use]
    pub fn availability(&self, name: &str, crc: u32) -> Availability {
        let Some(variants) = self.by_name.get(name) else {
            return Availability::Missing;
        };
        match variants.iter().find(|(known, _)| *known == crc) {
            Some((_, id)) => Availability::Same { id: *id },
            None => Availability::Changed {
                server_crc: variants[0].0,
            },
        }
    }

    /// The id of `name` with this `crc`.
    #[must_use]
    pub fn id(&self, name: &str, crc: u32) -> Option<u16> {
        match self.availability(name, crc) {
            Availability::Same { id } => Some(id),
            _ => None,
        }
    }

    /// All messages: name, CRC, id; in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32, u16)> {
        self.by_name
            .iter()
            .flat_map(|(name, all)| all.iter().map(|(crc, id)| (&**name, *crc, *id)))
    }

    /// Compares the messages of these modules with the server's.
    #[must_use]
    pub fn compare(&self, modules: &[&ModuleInfo]) -> Compatibility {
        let mut found = Compatibility::default();
        for module in modules {
            let missing = found.missing.len();
            let mut known = 0;
            for message in module.messages {
                match self.availability(message.name, message.crc) {
                    Availability::Same { .. } => {
                        found.same += 1;
                        known += 1;
                    }
                    Availability::Changed { server_crc } => {
                        known += 1;
                        found.changed.push(Changed {
                            name: message.name,
                            crc: message.crc,
                            server_crc,
                        });
                    }
                    Availability::Missing => found.missing.push(message.name),
                }
            }
            if known == 0 && !module.messages.is_empty() {
                found.missing.truncate(missing);
                found.not_loaded.push(module.name);
            }
        }
        found
    }
}

/// A message with another layout at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: &'static str,
    /// The CRC of our definition.
    pub crc: u32,
    /// The CRC of the server's.
    pub server_crc: u32,
}

/// How our messages compare with a server's: as data, and as text by `Display`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// How many agree.
    pub same: usize,
    /// Those with another layout.
    pub changed: Vec<Changed>,
    /// Those the server has not, although it has others of their module.
    pub missing: Vec<&'static str>,
    /// Modules of which the server has no message at all: usually a plugin that is not loaded.
    pub not_loaded: Vec<&'static str>,
}

impl Compatibility {
    /// Whether every message agrees.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.changed.is_empty() && self.missing.is_empty() && self.not_loaded.is_empty()
    }
}

impl std::fmt::Display for Compatibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} messages agree", self.same)?;
        for changed in &self.changed {
            let Changed {
                name,
                crc,
                server_crc,
            } = changed;
            write!(f, "\nchanged: {name} ({crc:08x}, server {server_crc:08x})")?;
        }
        for name in &self.missing {
            write!(f, "\nmissing: {name}")?;
        }
        for name in &self.not_loaded {
            write!(f, "\nnot loaded: {name}")?;
        }
        Ok(())
    }
}

/// Splits `name_crc` at the last underscore.
fn split_crc(name_crc: &str) -> Option<(&str, u32)> {
    let (name, crc) = name_crc.rsplit_once('_')?;
    let hex = crc.len() == 8 && crc.bytes().all(|c| c.is_ascii_hexdigit());
    let crc = u32::from_str_radix(crc, 16).ok().filter(|_| hex)?;
    (!name.is_empty()).then_some((name, crc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barrow_messages::{interface, memclnt};

    fn table(entries: &[(&str, u16)]) -> MessageTable {
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, index)| MessageTableEntry {
                index: *index,
                name: (*name).try_into().unwrap(),
            })
            .collect();
        MessageTable::new(&entries)
    }

    #[test]
    fn a_message_is_known_by_name_and_crc_together() {
        let table = table(&[("control_ping_51077d14", 23), ("a_b_0000000a", 7)]);
        assert_eq!(table.id("control_ping", 0x5107_7d14), Some(23));
        assert_eq!(
            table.availability("control_ping", 1),
            Availability::Changed {
                server_crc: 0x5107_7d14
            }
        );
        assert_eq!(table.availability("a", 10), Availability::Missing);
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn entries_that_are_no_name_and_crc_are_left_out() {
        let table = table(&[
            ("", 1),
            ("x", 2),
            ("_00000000", 3),
            ("x_+0000000", 4),
            ("x_123", 5),
        ]);
        assert!(table.is_empty());
    }

    #[test]
    fn the_report_tells_changed_from_missing_from_not_loaded() {
        let table = table(&[("control_ping_51077d14", 23), ("get_api_json_00000000", 27)]);
        let modules = [&memclnt::MODULE, &interface::MODULE];
        let report = table.compare(&modules);
        assert_eq!(report.same, 1);
        assert_eq!(report.changed.len(), 1);
        assert_eq!(report.not_loaded, ["interface"]);
        assert!(report.missing.contains(&"sockclnt_create"));
        assert!(report.to_string().contains("changed: get_api_json"));
    }
}
