//! The ring of recorded messages.

use super::TraceFile;
use crate::api::ApiTable;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

/// Messages that are kept unless told otherwise (VPP's default).
const DEFAULT_ITEMS: usize = 256 << 10;

/// Bytes of messages that are kept at most, whatever the number of messages.
const MAX_BYTES: usize = 64 << 20;

/// Messages that VPP does not record: those that open, close and keep a session.
const NOT_RECORDED: [&str; 5] = [
    "sockclnt_create",
    "sockclnt_delete",
    "memclnt_keepalive",
    "memclnt_keepalive_reply",
    "trace_plugin_msg_ids",
];

/// The latest messages of all clients, while it is switched on. Clones are handles to the same one.
#[derive(Clone)]
pub struct ApiTrace {
    shared: Rc<Shared>,
}

struct Shared {
    enabled: Cell<bool>,
    ring: RefCell<Ring>,
}

struct Ring {
    messages: VecDeque<Box<[u8]>>,
    items: usize,
    bytes: usize,
    wrapped: bool,
    configured: bool,
}

impl Default for ApiTrace {
    fn default() -> Self {
        let ring = Ring {
            messages: VecDeque::new(),
            items: DEFAULT_ITEMS,
            bytes: 0,
            wrapped: false,
            configured: false,
        };
        Self {
            shared: Rc::new(Shared {
                enabled: Cell::new(false),
                ring: RefCell::new(ring),
            }),
        }
    }
}

impl ApiTrace {
    /// Switches it on, with room for so many messages.
    pub fn enable(&self, items: Option<usize>) {
        let mut ring = self.shared.ring.borrow_mut();
        ring.configured = true;
        ring.items = items.unwrap_or(ring.items).clamp(1, DEFAULT_ITEMS);
        ring.shrink();
        self.shared.enabled.set(true);
    }

    /// Switches it off; what is recorded stays.
    pub fn disable(&self) {
        self.shared.enabled.set(false);
    }

    /// Switches it off and forgets what is recorded.
    pub fn free(&self) {
        self.disable();
        let mut ring = self.shared.ring.borrow_mut();
        *ring = Ring {
            messages: VecDeque::new(),
            bytes: 0,
            wrapped: false,
            ..*ring
        };
        ring.configured = false;
    }

    /// Whether it is on.
    pub fn is_enabled(&self) -> bool {
        self.shared.enabled.get()
    }

    /// One line about its state.
    pub fn status(&self) -> String {
        let ring = self.shared.ring.borrow();
        if !ring.configured {
            return "RX trace: not yet configured.".into();
        }
        format!(
            "RX trace: used {} of {} items, {} enabled, {} wrapped",
            ring.messages.len(),
            ring.items,
            if self.is_enabled() { "is" } else { "is not" },
            if ring.wrapped { "has" } else { "has not" },
        )
    }

    /// What is recorded, as a file of the ids of `table`; none if there is nothing.
    pub fn to_file(&self, table: &ApiTable) -> Option<TraceFile> {
        let ring = self.shared.ring.borrow();
        if ring.messages.is_empty() {
            return None;
        }
        Some(TraceFile {
            wrapped: ring.wrapped,
            messages: ring
                .messages
                .iter()
                .map(|message| message.to_vec())
                .collect(),
            ..TraceFile::table_of(table)
        })
    }

    pub(in crate::api) fn record(&self, name: &str, message: &[u8]) {
        if self.is_enabled() && !NOT_RECORDED.contains(&name) {
            self.shared.ring.borrow_mut().push(message);
        }
    }
}

impl Ring {
    fn push(&mut self, message: &[u8]) {
        self.bytes += message.len();
        self.messages.push_back(message.into());
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.messages.len() > self.items || self.bytes > MAX_BYTES {
            let Some(oldest) = self.messages.pop_front() else {
                return;
            };
            self.bytes -= oldest.len();
            self.wrapped = true;
        }
    }
}

impl fmt::Debug for ApiTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status())
    }
}
