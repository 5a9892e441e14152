//! DHCP messages (RFC 2131, section 2): what servers send, and what the client sends.

use super::options::{Options, Writer, code};
use std::net::Ipv4Addr;

/// The port that servers listen on.
pub const SERVER_PORT: u16 = 67;
/// The port that clients listen on.
pub const CLIENT_PORT: u16 = 68;
/// Bytes before the options, without the cookie.
const FIXED: usize = 236;
/// What the options begin with.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// The least that a message has: some servers and relays drop shorter ones (RFC 1542, 2.1).
const LEAST: usize = 300;
/// Asks the server to broadcast its answer.
const BROADCAST: u16 = 0x8000;
/// Name servers that are taken over, at most.
const MOST_SERVERS: usize = 8;
/// Bytes of a host's name, at most.
const MOST_NAME: usize = 63;
/// The longest message that the client takes: what fits an Ethernet frame.
const MAX_SIZE: u16 = 1472;

/// Kinds of messages (RFC 2132, 9.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Client: who would give me an address?
    Discover,
    /// Server: I would, this one.
    Offer,
    /// Client: then I take it, or keep it.
    Request,
    /// Client: somebody else uses it.
    Decline,
    /// Server: it is yours.
    Ack,
    /// Server: it is not yours.
    Nak,
    /// Client: I need it no longer.
    Release,
}

impl Kind {
    const ALL: [(Self, u8); 7] = [
        (Self::Discover, 1),
        (Self::Offer, 2),
        (Self::Request, 3),
        (Self::Decline, 4),
        (Self::Ack, 5),
        (Self::Nak, 6),
        (Self::Release, 7),
    ];

    fn number(self) -> u8 {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or(0, |(_, number)| *number)
    }

    fn of(number: u8) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == number);
        known.map(|(kind, _)| *kind)
    }
}

/// Why bytes are no message of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MessageError {
    /// Shorter than the fixed part and the cookie.
    #[error("the message is too short")]
    Short,
    /// It is no answer over Ethernet, or has no DHCP options.
    #[error("no answer of a DHCP server")]
    NoAnswer,
    /// It does not say what kind it is, or a kind that no server sends.
    #[error("the kind of message is unknown")]
    Kind,
}

/// What a server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Offer, Ack or Nak.
    pub kind: Kind,
    /// Number of the exchange.
    pub transaction: u32,
    /// For whom.
    pub mac: [u8; 6],
    /// The address that is offered or given.
    pub address: Ipv4Addr,
    /// Which server; every server has to say.
    pub server: Option<Ipv4Addr>,
    /// Seconds that the lease lasts; `u32::MAX` is for ever.
    pub lease: Option<u32>,
    /// Seconds until renewal (T1).
    pub renewal: Option<u32>,
    /// Seconds until rebinding (T2).
    pub rebinding: Option<u32>,
    /// Length of the network's prefix, if the mask is one.
    pub prefix_len: Option<u8>,
    /// The best router.
    pub router: Option<Ipv4Addr>,
    /// Name servers.
    pub domain_servers: Vec<Ipv4Addr>,
    /// The host's name, in printable ASCII.
    pub host_name: Option<String>,
}

impl Reply {
    /// Reads what a server sent.
    ///
    /// # Errors
    /// When it is none; see [`MessageError`].
    pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        let (fixed, rest) = bytes
            .split_first_chunk::<FIXED>()
            .ok_or(MessageError::Short)?;
        let (cookie, options) = rest.split_first_chunk::<4>().ok_or(MessageError::Short)?;
        let [2, 1, 6, ..] = fixed else {
            return Err(MessageError::NoAnswer);
        };
        if *cookie != COOKIE {
            return Err(MessageError::NoAnswer);
        }
        let options = Options::new(options, &fixed[108..236], &fixed[44..108]);
        let kind = options.byte(code::MESSAGE_TYPE).and_then(Kind::of);
        let kind = kind.filter(|kind| matches!(kind, Kind::Offer | Kind::Ack | Kind::Nak));
        let word = |at: usize| [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
        let usable = |address: &Ipv4Addr| {
            !address.is_unspecified() && !address.is_broadcast() && !address.is_multicast()
        };
        let mask = options.address(code::SUBNET_MASK).map(u32::from);
        let routers = options.addresses(code::ROUTER, 1);
        Ok(Self {
            kind: kind.ok_or(MessageError::Kind)?,
            transaction: u32::from_be_bytes(word(4)),
            mac: std::array::from_fn(|n| fixed[28 + n]),
            address: Ipv4Addr::from_octets(word(16)),
            server: options.address(code::SERVER_IDENTIFIER).filter(usable),
            lease: options.seconds(code::LEASE_TIME),
            renewal: options.seconds(code::RENEWAL_TIME),
            rebinding: options.seconds(code::REBINDING_TIME),
            prefix_len: mask
                .filter(|mask| mask.leading_ones() + mask.trailing_zeros() == 32)
                .map(|mask| mask.leading_ones() as u8)
                .filter(|len| *len > 0),
            router: routers.first().copied().filter(usable),
            domain_servers: options.addresses(code::DOMAIN_SERVER, MOST_SERVERS),
            host_name: options
                .get(code::HOST_NAME)
                .and_then(|name| printable(&name)),
        })
    }
}

/// A name as far as it may be shown.
fn printable(name: &[u8]) -> Option<String> {
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    let good = !name.is_empty() && name.len() <= MOST_NAME && name.iter().all(u8::is_ascii_graphic);
    good.then(|| String::from_utf8_lossy(name).into_owned())
}

/// What the client is to servers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// Link address of its interface.
    pub mac: [u8; 6],
    /// The host's name; empty: it has none.
    pub host_name: Vec<u8>,
    /// Its identifier without the type (RFC 2132, 9.14), which is 0 as VPP's is; empty: its link address counts.
    pub client_id: Vec<u8>,
    /// Servers are asked to broadcast their answers.
    pub broadcast: bool,
}

/// What the client says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Discover, Request, Decline or Release.
    pub kind: Kind,
    /// Number of the exchange.
    pub transaction: u32,
    /// Seconds since the client began to look for an address.
    pub seconds: u16,
    /// The address it has, as far as it may use it.
    pub own: Ipv4Addr,
    /// The address it would like.
    pub wanted: Option<Ipv4Addr>,
    /// The server that is meant.
    pub server: Option<Ipv4Addr>,
}

impl Request {
    /// The bytes of the message.
    #[must_use]
    pub fn write(&self, identity: &Identity) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[..4].copy_from_slice(&[1, 1, 6, 0]);
        bytes[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.seconds.to_be_bytes());
        let asks = matches!(self.kind, Kind::Discover | Kind::Request);
        if asks && identity.broadcast && self.own.is_unspecified() {
            bytes[10..12].copy_from_slice(&BROADCAST.to_be_bytes());
        }
        bytes[12..16].copy_from_slice(&self.own.octets());
        bytes[28..34].copy_from_slice(&identity.mac);
        bytes.extend_from_slice(&COOKIE);
        let mut options = Writer(&mut bytes);
        options.put(code::MESSAGE_TYPE, &[self.kind.number()]);
        if !identity.client_id.is_empty() {
            let id = [&[0], &identity.client_id[..]].concat();
            options.put(code::CLIENT_IDENTIFIER, &id);
        }
        if let Some(wanted) = self.wanted {
            options.put(code::REQUESTED_ADDRESS, &wanted.octets());
        }
        if let Some(server) = self.server {
            options.put(code::SERVER_IDENTIFIER, &server.octets());
        }
        if asks {
            if !identity.host_name.is_empty() {
                options.put(code::HOST_NAME, &identity.host_name);
            }
            options.put(code::MAX_SIZE, &MAX_SIZE.to_be_bytes());
            let wanted = [
                code::SUBNET_MASK,
                code::ROUTER,
                code::DOMAIN_SERVER,
                code::HOST_NAME,
                code::LEASE_TIME,
                code::RENEWAL_TIME,
                code::REBINDING_TIME,
            ];
            options.put(code::PARAMETER_LIST, &wanted);
        }
        options.end();
        bytes.resize(bytes.len().max(LEAST), 0);
        bytes
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A server's message with these options.
    pub(in crate::dhcp) fn answer(
        to: &[u8],
        address: Ipv4Addr,
        options: &[(u8, Vec<u8>)],
    ) -> Vec<u8> {
        let mut bytes = to[..FIXED].to_vec();
        bytes[0] = 2;
        bytes[16..20].copy_from_slice(&address.octets());
        bytes.extend_from_slice(&COOKIE);
        let mut writer = Writer(&mut bytes);
        options
            .iter()
            .for_each(|(code, value)| writer.put(*code, value));
        writer.end();
        bytes
    }

    /// What a server reads of a client's message.
    pub(in crate::dhcp) fn options_of(message: &[u8]) -> Options<'_> {
        Options::new(&message[FIXED + 4..], &[], &[])
    }

    fn identity() -> Identity {
        Identity {
            mac: [2, 0, 0, 0, 0, 1],
            host_name: b"node".to_vec(),
            client_id: b"me".to_vec(),
            broadcast: true,
        }
    }

    fn discover() -> Request {
        Request {
            kind: Kind::Discover,
            transaction: 0x0102_0304,
            seconds: 9,
            own: Ipv4Addr::UNSPECIFIED,
            wanted: None,
            server: None,
        }
    }

    #[test]
    fn a_request_says_who_asks_and_what_for() {
        let bytes = discover().write(&identity());
        assert_eq!(bytes[..12], [1, 1, 6, 0, 1, 2, 3, 4, 0, 9, 0x80, 0]);
        assert_eq!(bytes[28..34], [2, 0, 0, 0, 0, 1]);
        assert_eq!(bytes.len(), LEAST);
        let options = options_of(&bytes);
        assert_eq!(options.byte(code::MESSAGE_TYPE), Some(1));
        assert_eq!(
            options.get(code::CLIENT_IDENTIFIER).as_deref(),
            Some(&b"\0me"[..])
        );
        assert_eq!(options.get(code::HOST_NAME).as_deref(), Some(&b"node"[..]));
        assert_eq!(options.seconds(code::SERVER_IDENTIFIER), None);
    }

    #[test]
    fn an_answer_is_read() {
        let sent = discover().write(&identity());
        let options = [
            (code::MESSAGE_TYPE, vec![2]),
            (code::SERVER_IDENTIFIER, vec![10, 0, 0, 1]),
            (code::LEASE_TIME, 3600u32.to_be_bytes().to_vec()),
            (code::SUBNET_MASK, vec![255, 255, 255, 0]),
            (code::ROUTER, vec![10, 0, 0, 1, 10, 0, 0, 2]),
            (code::DOMAIN_SERVER, vec![9, 9, 9, 9]),
            (code::HOST_NAME, b"given\0".to_vec()),
        ];
        let bytes = answer(&sent, Ipv4Addr::new(10, 0, 0, 7), &options);
        let reply = Reply::read(&bytes).unwrap();
        assert_eq!((reply.kind, reply.transaction), (Kind::Offer, 0x0102_0304));
        assert_eq!(reply.address, Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!((reply.lease, reply.prefix_len), (Some(3600), Some(24)));
        assert_eq!(reply.router, Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(reply.host_name.as_deref(), Some("given"));
        assert_eq!(Reply::read(&sent), Err(MessageError::NoAnswer));
        assert_eq!(Reply::read(&bytes[..200]), Err(MessageError::Short));
    }

    #[test]
    fn a_mask_with_holes_is_none_and_a_name_of_noise_neither() {
        let sent = discover().write(&identity());
        let options = [
            (code::MESSAGE_TYPE, vec![5]),
            (code::SUBNET_MASK, vec![255, 0, 255, 0]),
            (code::HOST_NAME, b"a\x1b[31m".to_vec()),
        ];
        let reply = Reply::read(&answer(&sent, Ipv4Addr::LOCALHOST, &options)).unwrap();
        assert_eq!((reply.prefix_len, reply.host_name), (None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..600), kind: u8) {
            if let Some(start) = bytes.get_mut(..3) {
                start.copy_from_slice(&[2, 1, 6]);
            }
            if let Some(start) = bytes.get_mut(236..243) {
                start.copy_from_slice(&[99, 130, 83, 99, 53, 1, kind % 8]);
            }
            if let Ok(reply) = Reply::read(&bytes) {
                prop_assert!(matches!(reply.kind, Kind::Offer | Kind::Ack | Kind::Nak));
                prop_assert!(reply.domain_servers.len() <= MOST_SERVERS);
            }
        }
    }
}
