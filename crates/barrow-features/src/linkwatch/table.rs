//! Which interfaces follow which links.

use crate::interface::{HwIfIndex, Interfaces};
use barrow_engine::log::Class;
use barrow_runtime::io::netlink::{Link, LinkChange, Netlink, NetlinkError};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;

/// A device that uses a link of the kernel.
pub(crate) trait LinkUser {
    /// Goes on with another link: the former one is gone, and this one was made under its name.
    ///
    /// # Errors
    /// When it cannot be used; it is offered again when there is news of it.
    fn rebind(&self, link: &Link) -> io::Result<()>;

    /// Takes note of how the link is.
    fn note(&self, link: &Link);
}

/// An interface, and the link it is on.
#[derive(Clone)]
struct Followed {
    /// The kernel's number of the link.
    link: u32,
    /// The link's name when the interface was made.
    name: String,
    hw: HwIfIndex,
    user: Rc<dyn LinkUser>,
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed")
            .field("link", &self.link)
            .field("hw", &self.hw)
            .finish_non_exhaustive()
    }
}

/// The interfaces whose links follow those of the kernel; a cheap handle, main thread only.
#[derive(Clone)]
pub(crate) struct LinkWatch {
    interfaces: Interfaces,
    followed: Rc<RefCell<Vec<Followed>>>,
    log: Class,
}

impl fmt::Debug for LinkWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LinkWatch")
            .field(&self.followed.borrow())
            .finish()
    }
}

impl LinkWatch {
    pub(crate) fn new(interfaces: Interfaces, log: Class) -> Self {
        Self {
            interfaces,
            followed: Rc::default(),
            log,
        }
    }

    /// Lets an interface's link be up while the kernel's is, from how that is now.
    pub(crate) fn follow(&self, link: &Link, hw: HwIfIndex, user: Rc<dyn LinkUser>) {
        self.followed.borrow_mut().push(Followed {
            link: link.index,
            name: link.name.clone(),
            hw,
            user,
        });
        self.note(link.index, Some(link));
    }

    /// Leaves an interface alone from now on.
    pub(crate) fn forget(&self, hw: HwIfIndex) {
        self.followed
            .borrow_mut()
            .retain(|followed| followed.hw != hw);
    }

    /// Looks at a link of which there is news, if an interface follows it or one of its name; says whether
    /// one does.
    pub(super) fn heard(&self, netlink: &mut Netlink, news: &Link) -> Result<bool, NetlinkError> {
        let (by_number, by_name) = {
            let followed = self.followed.borrow();
            let by_number = followed.iter().any(|one| one.link == news.index);
            let by_name = followed.iter().any(|one| one.name == news.name);
            (by_number, by_name)
        };
        if by_number {
            let now = netlink.link_by_index(news.index)?;
            self.note(news.index, now.as_ref());
        }
        if by_name {
            self.rebind(netlink, &news.name)?;
        }
        Ok(by_number || by_name)
    }

    /// Looks at all links that are followed.
    pub(super) fn refresh_all(&self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        let mut all: Vec<_> = self
            .followed
            .borrow()
            .iter()
            .map(|one| (one.link, one.name.clone()))
            .collect();
        all.sort_unstable();
        all.dedup();
        for (link, name) in all {
            let now = netlink.link_by_index(link)?;
            self.note(link, now.as_ref());
            self.rebind(netlink, &name)?;
        }
        Ok(())
    }

    /// Passes on how a link is; a link that is gone is down.
    fn note(&self, link: u32, now: Option<&Link>) {
        let up = now.is_some_and(|now| now.admin_up && now.carrier);
        let followed = self.followed.borrow().clone();
        for Followed { hw, user, .. } in followed.into_iter().filter(|one| one.link == link) {
            // Gone meanwhile, by a subscriber to an earlier change: there is nobody left to be told.
            if let Some(now) = now {
                user.note(now);
                let _gone = self.interfaces.note_hw_mtu(hw, now.mtu);
            }
            let _gone = self.interfaces.set_link(hw, up);
        }
    }

    /// Offers the link of this name to those that followed one of the name which is gone.
    fn rebind(&self, netlink: &mut Netlink, name: &str) -> Result<(), NetlinkError> {
        let followed = self.followed.borrow().clone();
        for one in followed.into_iter().filter(|one| one.name == name) {
            if netlink.link_by_index(one.link)?.is_some() {
                continue;
            }
            let Some(mut link) = netlink.link(name)? else {
                continue;
            };
            if !link.admin_up && self.is_wanted_up(one.hw) {
                netlink.change_link(link.index, LinkChange::new().up())?;
                link.admin_up = true;
            }
            if let Err(error) = one.user.rebind(&link) {
                self.log
                    .error(format_args!("link {name} was made anew: {error}"));
                continue;
            }
            for followed in self.followed.borrow_mut().iter_mut() {
                if followed.hw == one.hw {
                    followed.link = link.index;
                }
            }
            let now = netlink.link_by_index(link.index)?;
            self.note(link.index, now.as_ref());
        }
        Ok(())
    }

    /// Whether an interface is up by its administrator's will.
    fn is_wanted_up(&self, hw: HwIfIndex) -> bool {
        let index = self.interfaces.hw(hw).map(|hw| hw.sw);
        let sw = index.and_then(|index| self.interfaces.sw(index));
        sw.is_some_and(|sw| sw.admin_up)
    }
}
