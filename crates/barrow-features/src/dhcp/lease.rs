//! What a server gave.

use super::message::Reply;
use barrow_engine::Instant;
use std::net::Ipv4Addr;
use std::time::Duration;

/// The length of time that stands for ever (RFC 2131, 3.3).
const FOR_EVER: u32 = u32::MAX;

/// An address for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// Length of its network's prefix.
    pub prefix_len: u8,
    /// The default router.
    pub router: Option<Ipv4Addr>,
    /// Who gave it.
    pub server: Ipv4Addr,
    /// Name servers.
    pub domain_servers: Vec<Ipv4Addr>,
    /// The host's name, as the server has it.
    pub host_name: Option<String>,
    /// When it was given.
    pub since: Instant,
    /// Seconds that it lasts; `u32::MAX` is for ever.
    pub seconds: u32,
    /// Seconds until its server is asked for more (T1).
    pub renewal: u32,
    /// Seconds until any server is asked for more (T2).
    pub rebinding: u32,
}

impl Lease {
    /// Whether an address may be that of a host.
    pub(super) fn usable(address: Ipv4Addr) -> bool {
        let odd = address.is_unspecified()
            || address.is_broadcast()
            || address.is_multicast()
            || address.is_loopback();
        !odd
    }

    /// The lease in an acknowledgement; `server` counts if that does not say who it is from. `None` if it
    /// makes no sense.
    pub(super) fn of(reply: &Reply, server: Option<Ipv4Addr>, now: Instant) -> Option<Self> {
        let seconds = reply.lease.filter(|seconds| *seconds > 0)?;
        // Halves and eighths where the server says nothing, or nonsense (RFC 2131, 4.4.5).
        let rebinding = reply.rebinding.filter(|t2| *t2 > 0 && *t2 < seconds);
        let rebinding = rebinding.unwrap_or(seconds - seconds / 8);
        let renewal = reply.renewal.filter(|t1| *t1 > 0 && *t1 <= rebinding);
        let renewal = renewal.unwrap_or((seconds / 2).min(rebinding));
        let address = Some(reply.address).filter(|address| Self::usable(*address))?;
        Some(Self {
            address,
            prefix_len: reply.prefix_len.unwrap_or_else(|| natural(address)),
            router: reply.router,
            server: reply.server.or(server)?,
            domain_servers: reply.domain_servers.clone(),
            host_name: reply.host_name.clone(),
            since: now,
            seconds,
            renewal,
            rebinding,
        })
    }

    fn after(&self, seconds: u32) -> Option<Instant> {
        let passes = self.seconds != FOR_EVER;
        passes.then(|| self.since + Duration::from_secs(seconds.into()))
    }

    /// When its server is asked for more time; never, if it is for ever.
    #[must_use]
    pub fn renew_at(&self) -> Option<Instant> {
        self.after(self.renewal)
    }

    /// When any server is asked for more time.
    #[must_use]
    pub fn rebind_at(&self) -> Option<Instant> {
        self.after(self.rebinding)
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.after(self.seconds)
    }

    /// Whether an interface is set up by this lease as by the other.
    pub(super) fn same_setup(&self, other: &Self) -> bool {
        (self.address, self.prefix_len, self.router)
            == (other.address, other.prefix_len, other.router)
    }
}

/// The length of prefix that the classes of RFC 791 give an address, for servers that say none.
fn natural(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    }
}
