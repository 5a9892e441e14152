//! `want_interface_events` and what it brings.
//!
//! As in VPP, what happens to an interface at once is told at once: one event for an interface that was
//! taken down, lost its link and was deleted. Its flags are what came up, not how things stand.

use crate::interface::{InterfaceEvent, Interfaces, SwIfIndex};
use barrow_engine::api::Subscribers;
use barrow_engine::{EngineBuilder, RegisterError, Spawner};
use barrow_messages::interface::{SwInterfaceEvent, WantInterfaceEvents};
use barrow_messages::interface_types::IfStatusFlags;
use std::cell::RefCell;
use std::rc::Rc;

/// Events that were not sent yet, in order; one an interface, two when its index came to another meanwhile.
type Pending = Rc<RefCell<Vec<Pended>>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Pended {
    index: SwIfIndex,
    flags: IfStatusFlags,
    deleted: bool,
}

pub(super) fn register(
    engine: &mut EngineBuilder,
    interfaces: &Interfaces,
) -> Result<(), RegisterError> {
    let subscribers = engine
        .api()
        .subscribe(|request: &WantInterfaceEvents| request.enable_disable != 0)?;
    let spawner = engine.control().spawner().clone();
    let pending = Pending::default();
    interfaces.subscribe(move |event| {
        if subscribers.is_empty() {
            return;
        }
        let first = pending.borrow().is_empty();
        if note(&mut pending.borrow_mut(), event) && first {
            send_soon(&spawner, &subscribers, &pending);
        }
    });
    Ok(())
}

/// Adds a change to what is to be told; says whether anything is.
fn note(pending: &mut Vec<Pended>, event: InterfaceEvent) -> bool {
    let (flags, deleted) = match event {
        InterfaceEvent::Created(_) => (IfStatusFlags::EMPTY, false),
        InterfaceEvent::Deleted(_) => (IfStatusFlags::EMPTY, true),
        InterfaceEvent::Admin { up, .. } => {
            (when(up, IfStatusFlags::IF_STATUS_API_FLAG_ADMIN_UP), false)
        }
        InterfaceEvent::Link { up, .. } => {
            (when(up, IfStatusFlags::IF_STATUS_API_FLAG_LINK_UP), false)
        }
        _ => return false,
    };
    let index = event.index();
    let open = |known: &&mut Pended| known.index == index && !known.deleted;
    match pending.iter_mut().find(open) {
        Some(known) => {
            known.flags |= flags;
            known.deleted = deleted;
        }
        None => pending.push(Pended {
            index,
            flags,
            deleted,
        }),
    }
    true
}

fn when(up: bool, flag: IfStatusFlags) -> IfStatusFlags {
    if up { flag } else { IfStatusFlags::EMPTY }
}

/// Sends what is pending when the main thread comes to it.
fn send_soon(spawner: &Spawner, subscribers: &Subscribers<WantInterfaceEvents>, pending: &Pending) {
    let (subscribers, pending) = (subscribers.clone(), pending.clone());
    spawner.spawn_task(async move {
        for event in pending.take() {
            subscribers.publish(|request: &WantInterfaceEvents| {
                Some(SwInterfaceEvent {
                    pid: request.pid,
                    sw_if_index: event.index.into(),
                    flags: event.flags,
                    deleted: event.deleted,
                })
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_an_interface_at_once_is_one_event() {
        let one = SwIfIndex(1);
        let mut pending = Vec::new();
        for event in [
            InterfaceEvent::Admin {
                index: one,
                up: false,
            },
            InterfaceEvent::Link {
                index: one,
                up: false,
            },
            InterfaceEvent::Mtu(one),
            InterfaceEvent::Deleted(one),
            InterfaceEvent::Created(one),
            InterfaceEvent::Admin {
                index: one,
                up: true,
            },
        ] {
            note(&mut pending, event);
        }
        let told: Vec<_> = pending.iter().map(|e| (e.flags.0, e.deleted)).collect();
        assert_eq!(told, [(0, true), (1, false)]);
    }
}
