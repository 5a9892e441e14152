//! What clients have switched on.

use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::{ArcError, ArcTable, ConfigStage, RunningConfig};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

/// A feature of an arc, on an interface.
type Switch = (SwIfIndex, String, String);

/// Switches features for clients, and knows which are on because of them; a cheap handle, main thread only.
#[derive(Clone)]
pub(super) struct Switches {
    arcs: ArcTable,
    interfaces: Interfaces,
    on: Rc<RefCell<BTreeSet<Switch>>>,
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Switches").field(&self.on.borrow()).finish()
    }
}

impl Switches {
    pub(super) fn new(arcs: ArcTable, interfaces: Interfaces) -> Self {
        let on = Rc::<RefCell<BTreeSet<Switch>>>::default();
        let own = Rc::clone(&on);
        interfaces.subscribe(move |event| {
            if let InterfaceEvent::Deleted(gone) = event {
                own.borrow_mut().retain(|(index, ..)| *index != gone);
            }
        });
        Self {
            arcs,
            interfaces,
            on,
        }
    }

    /// Switches a feature on or off on an interface that exists.
    pub(super) fn set(
        &self,
        index: SwIfIndex,
        arc: &str,
        feature: &str,
        on: bool,
    ) -> Result<(), ArcError> {
        self.arcs.enable(arc, feature, index.0, on, &[])?;
        let switch = (index, arc.to_owned(), feature.to_owned());
        if on {
            self.on.borrow_mut().insert(switch);
        } else {
            self.on.borrow_mut().remove(&switch);
        }
        self.interfaces.features_changed(index);
        Ok(())
    }

    /// The commands that switch them on again.
    pub(super) fn write(&self, config: &mut RunningConfig) {
        for (index, arc, feature) in &*self.on.borrow() {
            if let Some(name) = self.interfaces.name(*index) {
                let command = format_args!("set interface feature {name} {feature} arc {arc}");
                config.line(ConfigStage::Features, 0, command);
            }
        }
    }
}
