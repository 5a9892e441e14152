//! The message table: which id means what in this run.

use super::handler::Handler;
use barrow_wire::{Message, MessageInfo, ModuleInfo};
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    rc::{Rc, Weak},
};

/// The module whose ids are fixed, because clients send its first message before they know any id.
const SESSION_MODULE: &str = "memclnt";

/// The first id of the other modules' blocks: behind the 28 messages of `memclnt`.
const FIRST_BLOCK: u16 = 29;

/// Every served message with its id.
pub struct ApiTable {
    /// By id; id 0 is illegal.
    entries: Vec<Option<Entry>>,
    by_name: HashMap<&'static str, u16>,
    ranges: Vec<MessageRange>,
}

/// A message that is listed.
pub(super) struct Entry {
    pub(super) info: &'static MessageInfo,
    pub(super) handler: Option<Handler>,
    pub(super) reply_id: u16,
    pub(super) details_id: u16,
}

/// The block of ids of a module.
#[derive(Debug, Clone, Copy)]
pub struct MessageRange {
    /// The module.
    pub module: &'static ModuleInfo,
    /// The id of its first message; the others follow in the order of their definition.
    pub first_id: u16,
    /// The id of its last message.
    pub last_id: u16,
}

impl ApiTable {
    pub(super) fn new(
        modules: &[&'static ModuleInfo],
        handlers: &BTreeMap<(&'static str, &'static str), Handler>,
        listed: &BTreeSet<(&'static str, &'static str)>,
    ) -> Self {
        let mut table = Self {
            entries: vec![None],
            by_name: HashMap::new(),
            ranges: Vec::new(),
        };
        let session = modules
            .iter()
            .filter(|module| module.name == SESSION_MODULE);
        let others = modules
            .iter()
            .filter(|module| module.name != SESSION_MODULE);
        for module in session {
            let all = module.messages.iter().map(|message| message.name).collect();
            table.add_block(module, &all, handlers);
        }
        table.entries.resize_with(FIRST_BLOCK.into(), || None);
        for module in others {
            let served = served_messages(module, handlers, listed);
            table.add_block(module, &served, handlers);
        }
        table
    }

    /// Adds the block of a module: an id for each of its messages, an entry for those that are `served`.
    fn add_block(
        &mut self,
        module: &'static ModuleInfo,
        served: &BTreeSet<&'static str>,
        handlers: &BTreeMap<(&'static str, &'static str), Handler>,
    ) {
        let first_id = u16::try_from(self.entries.len()).expect("fewer than 2^16 messages");
        let id_of = |name: Option<&str>| {
            let at = module
                .messages
                .iter()
                .position(|message| Some(message.name) == name)?;
            first_id.checked_add(u16::try_from(at).ok()?)
        };
        for info in module.messages {
            let service = module
                .services
                .iter()
                .find(|service| service.request == info.name);
            let entry = served.contains(info.name).then(|| Entry {
                info,
                handler: handlers.get(&(module.name, info.name)).cloned(),
                reply_id: service.and_then(|s| id_of(s.reply)).unwrap_or(0),
                details_id: service.and_then(|s| id_of(s.details)).unwrap_or(0),
            });
            if entry.is_some() {
                let id = u16::try_from(self.entries.len()).expect("fewer than 2^16 messages");
                self.by_name.insert(info.name_crc, id);
            }
            self.entries.push(entry);
        }
        let last_id = u16::try_from(self.entries.len() - 1).expect("fewer than 2^16 messages");
        self.ranges.push(MessageRange {
            module,
            first_id,
            last_id,
        });
    }

    pub(super) fn entry(&self, id: u16) -> Option<&Entry> {
        self.entries.get(usize::from(id))?.as_ref()
    }

    /// The id of a message type, if it is served.
    pub fn id_of<M: Message>(&self) -> Option<u16> {
        self.by_name.get(M::NAME_CRC).copied()
    }

    /// The served messages by id.
    pub fn messages(&self) -> impl Iterator<Item = (u16, &'static MessageInfo)> {
        let entries = (0_u16..).zip(&self.entries);
        entries.filter_map(|(id, entry)| Some((id, entry.as_ref()?.info)))
    }

    /// The message with this id.
    pub fn message(&self, id: u16) -> Option<&'static MessageInfo> {
        self.entry(id).map(|entry| entry.info)
    }

    /// Whether requests with this id are answered.
    pub fn is_handled(&self, id: u16) -> bool {
        self.entry(id).is_some_and(|entry| entry.handler.is_some())
    }

    /// The blocks of the modules behind `memclnt`, which has none by name.
    pub fn ranges(&self) -> impl Iterator<Item = &MessageRange> {
        self.ranges
            .iter()
            .filter(|range| range.module.name != SESSION_MODULE)
    }

    /// The served modules, `memclnt` included.
    pub fn modules(&self) -> impl Iterator<Item = &'static ModuleInfo> {
        self.ranges.iter().map(|range| range.module)
    }
}

/// The messages of a module that are listed: those with handlers, what they are answered with, and their events.
fn served_messages(
    module: &'static ModuleInfo,
    handlers: &BTreeMap<(&'static str, &'static str), Handler>,
    listed: &BTreeSet<(&'static str, &'static str)>,
) -> BTreeSet<&'static str> {
    let handled = |name: &'static str| handlers.contains_key(&(module.name, name));
    let messages = module.messages.iter().map(|message| message.name);
    let mut served: BTreeSet<_> = messages
        .filter(|name| handled(name) || listed.contains(&(module.name, *name)))
        .collect();
    for service in module
        .services
        .iter()
        .filter(|service| handled(service.request))
    {
        served.extend(service.reply);
        served.extend(service.details);
        served.extend(service.events);
    }
    served
}

impl fmt::Debug for ApiTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<_> = self.modules().map(|module| module.name).collect();
        f.debug_struct("ApiTable")
            .field("modules", &modules)
            .finish_non_exhaustive()
    }
}

/// The table as handlers, commands and senders of events see it: it comes after them. Clones are the same handle.
#[derive(Clone, Default)]
pub struct TableHandle {
    table: Rc<OnceCell<Weak<ApiTable>>>,
}

impl TableHandle {
    pub(super) fn set(&self, table: &Rc<ApiTable>) {
        self.table
            .set(Rc::downgrade(table))
            .expect("a registry is built once");
    }

    /// The table, once it exists.
    pub fn get(&self) -> Option<Rc<ApiTable>> {
        self.table.get()?.upgrade()
    }
}

impl fmt::Debug for TableHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TableHandle").field(&self.get()).finish()
    }
}
