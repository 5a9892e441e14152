//! The telnet subset, as a filter on the bytes of a client (RFC 854; options of RFC 1073 and RFC 1091).

/// What the server sends at accept, in one piece: 36 bytes.
///
/// `vppctl` reads 100 bytes at a time and keeps no state between reads, so that this must arrive whole.
pub(super) const GREETING: [u8; 36] = [
    IAC,
    WONT,
    34,
    IAC,
    DONT,
    34, // LINEMODE
    IAC,
    WILL,
    3,
    IAC,
    DO,
    3, // SUPPRESS-GO-AHEAD
    IAC,
    WILL,
    1,
    IAC,
    DONT,
    1, // ECHO
    IAC,
    DO,
    TERMINAL_TYPE,
    IAC,
    SB,
    TERMINAL_TYPE,
    SEND,
    IAC,
    SE, //
    IAC,
    DO,
    WINDOW_SIZE,
    IAC,
    SB,
    WINDOW_SIZE,
    SEND,
    IAC,
    SE,
];

const IAC: u8 = 0xff;
const DONT: u8 = 0xfe;
const DO: u8 = 0xfd;
const WONT: u8 = 0xfc;
const WILL: u8 = 0xfb;
const SB: u8 = 0xfa;
const AYT: u8 = 0xf6;
const SE: u8 = 0xf0;
const TERMINAL_TYPE: u8 = 24;
const WINDOW_SIZE: u8 = 31;
const SEND: u8 = 1;
const IS: u8 = 0;

/// A sub-negotiation is looked for in so many bytes, counted from its IAC.
const LONGEST: usize = 32;

/// What a client said besides its data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    TerminalType(Vec<u8>),
    WindowSize { width: u16, height: u16 },
    AreYouThere,
}

/// Separates telnet messages from data; messages may be split anywhere.
#[derive(Debug, Default)]
pub(super) struct Telnet {
    /// The start of a message whose end has not come yet; less than [`LONGEST`] bytes.
    begun: Vec<u8>,
}

impl Telnet {
    /// Appends the data of `bytes` to `data` and the messages to `events`.
    pub(super) fn feed(&mut self, bytes: &[u8], data: &mut Vec<u8>, events: &mut Vec<Event>) {
        let joined;
        let mut rest = if self.begun.is_empty() {
            bytes
        } else {
            joined = [&self.begun, bytes].concat();
            self.begun.clear();
            &joined
        };
        while let Some(at) = rest.iter().position(|byte| *byte == IAC) {
            data.extend_from_slice(&rest[..at]);
            rest = &rest[at..];
            match message(rest) {
                Some((length, event)) => {
                    events.extend(event);
                    rest = &rest[length..];
                }
                None => {
                    self.begun = rest.to_vec();
                    return;
                }
            }
        }
        data.extend_from_slice(rest);
    }
}

/// The length of the message with which `bytes` begins, and what it says; `None` if more bytes are needed.
fn message(bytes: &[u8]) -> Option<(usize, Option<Event>)> {
    match *bytes.get(1)? {
        IAC => Some((2, None)),
        WILL | WONT | DO | DONT => (bytes.len() >= 3).then_some((3, None)),
        SB => sub_negotiation(bytes),
        AYT => Some((2, Some(Event::AreYouThere))),
        // End of file, suspend, abort, end of record, end of sub-negotiation … go ahead.
        0xec..=0xf9 => Some((2, None)),
        _ => Some((1, None)),
    }
}

fn sub_negotiation(bytes: &[u8]) -> Option<(usize, Option<Event>)> {
    let window = &bytes[..bytes.len().min(LONGEST)];
    let Some(end) = window.windows(2).position(|pair| pair == [IAC, SE]) else {
        return (bytes.len() >= LONGEST).then_some((2, None));
    };
    let event = match &window[2..end.max(2)] {
        [TERMINAL_TYPE, IS, name @ ..] => Some(Event::TerminalType(name.to_vec())),
        [WINDOW_SIZE, w1, w0, h1, h0] => Some(Event::WindowSize {
            width: u16::from_be_bytes([*w1, *w0]),
            height: u16::from_be_bytes([*h1, *h0]),
        }),
        _ => None,
    };
    Some((end + 2, event))
}

/// Terminals that understand ANSI sequences.
const ANSI: [&str; 6] = [
    "xterm",
    "xterm-color",
    "xterm-256color",
    "screen",
    "screen-256color",
    "ansi",
];

/// The terminal that is a program, not a person.
const NON_INTERACTIVE: &str = "vppctl";

/// Whether a terminal of this type understands ANSI sequences. The beginning of a known name is enough, as in VPP.
pub(super) fn is_ansi(name: &[u8]) -> bool {
    ANSI.iter().any(|known| begins(known, name))
}

/// Whether this type is that of `vppctl` without a terminal.
pub(super) fn is_non_interactive(name: &[u8]) -> bool {
    begins(NON_INTERACTIVE, name)
}

fn begins(known: &str, name: &[u8]) -> bool {
    known
        .as_bytes()
        .get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(bytes: &[u8]) -> (Vec<u8>, Vec<Event>) {
        let (mut data, mut events) = (Vec::new(), Vec::new());
        Telnet::default().feed(bytes, &mut data, &mut events);
        (data, events)
    }

    #[test]
    fn messages_are_taken_out_of_the_data() {
        let bytes =
            b"a\xff\xfb\x01b\xff\xffc\xff\xfa\x18\x00xterm\xff\xf0d\xff\xf1e\xff\xf6\xff\x41";
        let (data, events) = feed(bytes);
        assert_eq!(data, b"abcde\x41");
        assert_eq!(
            events,
            [Event::TerminalType(b"xterm".to_vec()), Event::AreYouThere]
        );
    }

    #[test]
    fn a_window_size_has_exactly_nine_bytes() {
        let size = |bytes: &[u8]| feed(bytes).1;
        assert_eq!(
            size(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"),
            [Event::WindowSize {
                width: 80,
                height: 24
            }]
        );
        assert_eq!(size(b"\xff\xfa\x1f\x00\x50\x00\x18\x00\xff\xf0"), []);
    }

    #[test]
    fn a_message_without_end_becomes_data_after_32_bytes() {
        let mut bytes = vec![IAC, SB, TERMINAL_TYPE, IS];
        bytes.extend([b'x'; 27]);
        assert_eq!(feed(&bytes), (vec![], vec![]), "31 bytes: it waits");
        bytes.push(b'x');
        assert_eq!(feed(&bytes).0, bytes[2..]);
    }

    #[test]
    fn every_beginning_of_a_known_terminal_is_known() {
        assert!(is_ansi(b"XTERM-256") && is_ansi(b"") && is_ansi(b"s"));
        assert!(!is_ansi(b"linux") && !is_ansi(b"xterm-256colors") && !is_ansi(b"vt100"));
        assert!(is_non_interactive(b"vppctl") && is_non_interactive(b"vpp"));
        assert!(!is_non_interactive(b"vppctl2") && !is_non_interactive(b"dumb"));
    }

    proptest! {
        #[test]
        fn splitting_the_stream_changes_nothing(
            bytes in prop::collection::vec(
                prop_oneof![Just(IAC), Just(SB), Just(SE), Just(TERMINAL_TYPE), any::<u8>()], 0..80),
            cut in 0_usize..80,
        ) {
            let cut = cut.min(bytes.len());
            let (mut data, mut events) = (Vec::new(), Vec::new());
            let mut telnet = Telnet::default();
            telnet.feed(&bytes[..cut], &mut data, &mut events);
            prop_assert!(telnet.begun.len() < LONGEST);
            telnet.feed(&bytes[cut..], &mut data, &mut events);
            prop_assert_eq!((data, events), feed(&bytes));
        }
    }
}
