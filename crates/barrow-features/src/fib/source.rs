//! Who made a route, and who wins when several did (`vpp:src/vnet/fib/fib_source.h`).

use super::FibError;
use std::fmt;

/// How a source behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Behaviour {
    /// Always a drop.
    Drop,
    /// Routes with path lists that are shared.
    Api,
    /// Routes with path lists of their own.
    Simple,
    /// Forwards as its covering route does.
    Recursive,
    /// Connected and local routes.
    Interface,
    /// A neighbour: forwards only if its covering route is attached to the same interface.
    Adjacency,
    /// Exists in VPP only.
    Foreign(&'static str),
}

impl Behaviour {
    const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Api => "api",
            Self::Simple => "simple",
            Self::Recursive => "rr",
            Self::Interface => "interface",
            Self::Adjacency => "adjacency",
            Self::Foreign(name) => name,
        }
    }
}

struct Description {
    name: &'static str,
    priority: u8,
    behaviour: Behaviour,
}

const fn describe(name: &'static str, priority: u8, behaviour: Behaviour) -> Description {
    Description {
        name,
        priority,
        behaviour,
    }
}

/// A source of routes. The numbers are VPP's: `ip_route_add_del_v2` carries them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(u8);

impl Source {
    /// Every table has these; nothing overrides them.
    pub const SPECIAL: Self = Self(1);
    /// Interface configuration: connected and local routes.
    pub const INTERFACE: Self = Self(4);
    /// The binary API.
    pub const API: Self = Self(8);
    /// The command line.
    pub const CLI: Self = Self(9);
    /// DHCP.
    pub const DHCP: Self = Self(12);
    /// A neighbour.
    pub const ADJACENCY: Self = Self(15);
    /// The target that a recursive path resolves through.
    pub const RECURSIVE: Self = Self(18);
    /// The default route of a new table, and other drops that a route may override.
    pub const DEFAULT_ROUTE: Self = Self(20);

    const ALL: [Description; 22] = [
        describe("invalid", 0xff, Behaviour::Drop),
        describe("special", 0x00, Behaviour::Simple),
        describe("classify", 0x01, Behaviour::Simple),
        describe("proxy", 0x02, Behaviour::Simple),
        describe("interface", 0x03, Behaviour::Interface),
        describe("SR", 0x10, Behaviour::Api),
        describe("BIER", 0x20, Behaviour::Simple),
        describe("6RD", 0x30, Behaviour::Api),
        describe("API", 0x80, Behaviour::Api),
        describe("CLI", 0x81, Behaviour::Api),
        describe("LISP", 0x90, Behaviour::Foreign("lisp")),
        describe("MAP", 0xa0, Behaviour::Simple),
        describe("DHCP", 0xb0, Behaviour::Api),
        describe("IPv6-proxy-nd", 0xc0, Behaviour::Api),
        describe("IPv6-nd", 0xc1, Behaviour::Api),
        describe("adjacency", 0xd0, Behaviour::Adjacency),
        describe("mpls", 0xe0, Behaviour::Foreign("mpls")),
        describe("attached_export", 0xf0, Behaviour::Simple),
        describe("recursive-resolution", 0xfb, Behaviour::Recursive),
        describe("urpf-exempt", 0xfc, Behaviour::Recursive),
        describe("default-route", 0xfd, Behaviour::Drop),
        describe("interpose", 0xfe, Behaviour::Foreign("interpose")),
    ];

    /// The source that a client names in `ip_route_add_del_v2`: 0 is the API.
    ///
    /// # Errors
    /// [`FibError::Unsupported`] for numbers that are no source, and for sources whose routes the node
    /// makes itself.
    pub fn from_client(number: u8) -> Result<Self, FibError> {
        if number == 0 {
            return Ok(Self::API);
        }
        match Self::ALL.get(usize::from(number)) {
            Some(Description {
                behaviour: Behaviour::Api | Behaviour::Simple,
                ..
            }) if number != Self::SPECIAL.0 => Ok(Self(number)),
            _ => Err(FibError::Unsupported("route source")),
        }
    }

    /// Any source by its number: a dump's filter.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if (number as usize) < Self::ALL.len() {
            Some(Self(number))
        } else {
            None
        }
    }

    /// VPP's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The name that `show fib source` prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.describe().name
    }

    /// Lower wins.
    #[must_use]
    pub const fn priority(self) -> u8 {
        self.describe().priority
    }

    pub(super) const fn behaviour(self) -> Behaviour {
        self.describe().behaviour
    }

    const fn describe(self) -> &'static Description {
        // the constructors let no other number in
        &Self::ALL[self.0 as usize]
    }

    /// All sources, in the order of their numbers or of their priorities: `show fib source [prio]`.
    #[must_use]
    pub fn all(by_priority: bool) -> Vec<Self> {
        let mut all: Vec<Self> = (0..Self::ALL.len() as u8).map(Self).collect();
        if by_priority {
            all.sort_by_key(|source| source.priority());
        }
        all
    }

    /// The line of `show fib source`.
    #[must_use]
    pub fn line(self) -> String {
        let Description {
            name,
            priority,
            behaviour,
        } = self.describe();
        format!(
            "[{}] {name} prio:{priority}.0 behaviour:{}",
            self.0,
            behaviour.name()
        )
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_may_not_pose_as_the_node() {
        assert_eq!(Source::from_client(0), Ok(Source::API));
        assert_eq!(Source::from_client(12), Ok(Source::DHCP));
        for number in [1, 4, 15, 16, 18, 20, 21, 22, 255] {
            assert!(Source::from_client(number).is_err(), "{number}");
        }
    }

    #[test]
    fn interface_beats_api_beats_cli_beats_neighbour_beats_resolution() {
        let order = [
            Source::SPECIAL,
            Source::INTERFACE,
            Source::API,
            Source::CLI,
            Source::ADJACENCY,
            Source::RECURSIVE,
            Source::DEFAULT_ROUTE,
        ];
        assert!(order.is_sorted_by_key(|source| source.priority()));
    }

    #[test]
    fn sources_print_as_vpp_prints_them() {
        assert_eq!(Source::API.line(), "[8] API prio:128.0 behaviour:api");
        assert_eq!(Source::all(true)[0], Source::SPECIAL);
        assert_eq!(Source::all(false).len(), 22);
    }
}
