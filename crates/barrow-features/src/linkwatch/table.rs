//! Which interfaces follow which links.

use crate::interface::{HwIfIndex, Interfaces};
use barrow_runtime::io::netlink::{Link, Netlink, NetlinkError};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// An interface and the kernel's number of the link it is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Followed {
    link: u32,
    hw: HwIfIndex,
}

/// The interfaces whose links follow those of the kernel; a cheap handle, main thread only.
#[derive(Clone)]
pub(crate) struct LinkWatch {
    interfaces: Interfaces,
    followed: Rc<RefCell<Vec<Followed>>>,
}

impl fmt::Debug for LinkWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkWatch")
            .field(&self.followed.borrow())
            .finish()
    }
}

impl LinkWatch {
    pub(crate) fn new(interfaces: Interfaces) -> Self {
        Self {
            interfaces,
            followed: Rc::default(),
        }
    }

    /// Lets an interface's link be up while the kernel's is, from how that is now.
    pub(crate) fn follow(&self, link: &Link, hw: HwIfIndex) {
        self.followed.borrow_mut().push(Followed {
            link: link.index,
            hw,
        });
        self.note(link.index, Some(link));
    }

    /// Leaves an interface alone from now on.
    pub(crate) fn forget(&self, hw: HwIfIndex) {
        self.followed
            .borrow_mut()
            .retain(|followed| followed.hw != hw);
    }

    /// Looks at a link, if an interface follows it; says whether one does.
    pub(super) fn refresh(&self, netlink: &mut Netlink, link: u32) -> Result<bool, NetlinkError> {
        if !self
            .followed
            .borrow()
            .iter()
            .any(|followed| followed.link == link)
        {
            return Ok(false);
        }
        let now = netlink.link_by_index(link)?;
        self.note(link, now.as_ref());
        Ok(true)
    }

    /// Looks at all links that are followed.
    pub(super) fn refresh_all(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let mut links: Vec<_> = self.followed.borrow().iter().map(|one| one.link).collect();
        links.sort_unstable();
        links.dedup();
        links
            .into_iter()
            .try_for_each(|link| self.refresh(netlink, link).map(|_| ()))
    }

    /// Passes on how a link is; a link that is gone is down.
    fn note(&self, link: u32, now: Option<&Link>) {
        let up = now.is_some_and(|now| now.admin_up && now.carrier);
        let followed = self.followed.borrow().clone();
        for Followed { hw, .. } in followed.into_iter().filter(|one| one.link == link) {
            // Gone meanwhile, by a subscriber to an earlier change: there is nobody left to be told.
            let _gone = self.interfaces.set_link(hw, up);
        }
    }
}
