//! The fragments of one packet, as far as they have come (RFC 791 section 3.2).
//!
//! Fragments of one packet never overlap unless somebody plays games with those who look at them: a packet
//! with fragments that overlap is given up whole (RFC 5722, which is as true of IPv4). The same fragment
//! twice is no more than a repetition.

use crate::ip4::header::{HEADER_LEN, Ip4Header, MORE_FRAGMENTS};

/// Bytes that a packet can carry behind its header.
const LONGEST_PAYLOAD: u32 = u16::MAX as u32 - HEADER_LEN as u32;

/// Where a fragment's payload stands in the packet's, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) start: u32,
    /// One past the last.
    pub(super) end: u32,
    /// Nothing follows.
    pub(super) last: bool,
}

impl Piece {
    /// The place that a fragment's header claims; `None` when no packet has such a fragment: it is empty,
    /// ends beyond the longest packet, or is no last one and does not fill units of 8 bytes.
    pub(super) fn of(header: &Ip4Header) -> Option<Self> {
        let payload = usize::from(header.total_length.get()).checked_sub(header.header_len())?;
        let payload = u32::try_from(payload).ok().filter(|len| *len > 0)?;
        let last = header.flags_and_offset.get() & MORE_FRAGMENTS == 0;
        let start = u32::try_from(header.fragment_offset()).ok()?;
        let end = start + payload;
        let right = end <= LONGEST_PAYLOAD && (last || payload % 8 == 0);
        right.then_some(Self { start, end, last })
    }
}

/// Why a fragment is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// It is there already.
    Duplicate,
    /// It overlaps another one, or the end of the packet.
    Overlap,
}

/// Fragments `F` of one packet.
#[derive(Debug)]
pub(super) struct Datagram<F> {
    /// In their order; no two overlap.
    fragments: Vec<(Piece, F)>,
    /// Where the packet ends, once its last fragment is there.
    end: Option<u32>,
    bytes: u32,
}

impl<F> Default for Datagram<F> {
    fn default() -> Self {
        Self {
            fragments: Vec::new(),
            end: None,
            bytes: 0,
        }
    }
}

impl<F> Datagram<F> {
    /// Puts a fragment in its place; says whether the packet is whole now.
    ///
    /// # Errors
    /// Gives the fragment back, with what is wrong with it.
    pub(super) fn add(&mut self, piece: Piece, fragment: F) -> Result<bool, (Refusal, F)> {
        let at = self
            .fragments
            .partition_point(|(known, _)| known.start < piece.start);
        let next = self.fragments.get(at).map(|(known, _)| *known);
        if next == Some(piece) {
            return Err((Refusal::Duplicate, fragment));
        }
        let before = at.checked_sub(1).map(|at| self.fragments[at].0);
        let beyond = self.end.is_some_and(|end| piece.end > end);
        let cuts = piece.last && (self.end.is_some() || next.is_some());
        // What ends where the packet ends, and says that more follows, contradicts the last fragment; it
        // overlaps that one too, since that one is there.
        if beyond
            || cuts
            || before.is_some_and(|before| before.end > piece.start)
            || next.is_some_and(|next| next.start < piece.end)
        {
            return Err((Refusal::Overlap, fragment));
        }
        if piece.last {
            self.end = Some(piece.end);
        }
        self.bytes += piece.end - piece.start;
        self.fragments.insert(at, (piece, fragment));
        Ok(self.end == Some(self.bytes))
    }

    /// Fragments that are there.
    pub(super) fn len(&self) -> usize {
        self.fragments.len()
    }

    /// Payload that is there, in bytes.
    pub(super) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Whether the first fragment is there.
    pub(super) fn has_first(&self) -> bool {
        self.fragments
            .first()
            .is_some_and(|(piece, _)| piece.start == 0)
    }

    /// The fragments, in their order.
    pub(super) fn into_fragments(self) -> Vec<F> {
        self.fragments
            .into_iter()
            .map(|(_, fragment)| fragment)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn piece(start: u32, end: u32, last: bool) -> Piece {
        Piece { start, end, last }
    }

    #[test]
    fn a_header_says_where_its_fragment_stands() {
        let a = Ipv4Addr::new(10, 0, 0, 1);
        let of = |field: u16, len: u16| {
            let mut header = Ip4Header::new(a, a, 17, 64, len);
            header.flags_and_offset = field.into();
            Piece::of(&header)
        };
        assert_eq!(of(MORE_FRAGMENTS, 28), Some(piece(0, 8, false)));
        assert_eq!(of(185, 21), Some(piece(1480, 1481, true)));
        assert_eq!(of(MORE_FRAGMENTS, 27), None, "not in units of eight");
        assert_eq!(of(185, 20), None, "empty");
        assert_eq!(of(185, 19), None, "shorter than its header");
        assert_eq!(of(8189, 23), Some(piece(65512, 65515, true)));
        assert_eq!(of(8189, 24), None, "beyond the longest packet");
    }

    #[test]
    fn a_packet_is_whole_when_nothing_is_missing() {
        let mut datagram = Datagram::default();
        assert_eq!(datagram.add(piece(16, 20, true), 'c'), Ok(false));
        assert_eq!(datagram.add(piece(0, 8, false), 'a'), Ok(false));
        assert!(datagram.has_first());
        assert_eq!(datagram.add(piece(8, 16, false), 'b'), Ok(true));
        assert_eq!((datagram.len(), datagram.bytes()), (3, 20));
        assert_eq!(datagram.into_fragments(), ['a', 'b', 'c']);
    }

    #[test]
    fn what_overlaps_is_refused_and_what_repeats_is_told_apart() {
        let mut datagram = Datagram::default();
        assert_eq!(datagram.add(piece(8, 24, false), ()), Ok(false));
        assert_eq!(datagram.add(piece(40, 48, true), ()), Ok(false));
        let mut refused =
            |start, end, last| datagram.add(piece(start, end, last), ()).unwrap_err().0;
        assert_eq!(refused(8, 24, false), Refusal::Duplicate);
        assert_eq!(refused(40, 48, true), Refusal::Duplicate);
        for (start, end, last) in [
            (0, 16, false),
            (16, 24, false),
            (8, 16, false),
            (8, 32, false),
            (0, 48, false),
            // After the end, a second end, and an end in the middle.
            (48, 56, false),
            (40, 48, false),
            (48, 56, true),
            (24, 32, true),
        ] {
            assert_eq!(
                refused(start, end, last),
                Refusal::Overlap,
                "{start}..{end}"
            );
        }
    }

    /// A payload cut into units of 8 bytes, in any order, with repetitions.
    fn cut() -> impl Strategy<Value = Vec<Piece>> {
        proptest::collection::vec(1u32..20, 1..12).prop_flat_map(|lengths| {
            let mut at = 0;
            let count = lengths.len();
            let pieces = lengths.into_iter().enumerate().map(|(n, units)| {
                let start = at;
                at += units * 8;
                piece(start, at, n + 1 == count)
            });
            let pieces: Vec<_> = pieces.collect();
            let again = proptest::sample::subsequence(pieces.clone(), 0..=count);
            again
                .prop_map(move |again| [pieces.clone(), again].concat())
                .prop_shuffle()
        })
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_make_the_packet_exactly_when_the_last_one_comes(pieces in cut()) {
            let mut datagram = Datagram::default();
            let mut seen = Vec::new();
            let whole = pieces.iter().filter(|p| p.last).map(|p| p.end).next().unwrap();
            for piece in pieces {
                let new = !seen.contains(&piece);
                match datagram.add(piece, piece) {
                    Ok(done) => {
                        prop_assert!(new);
                        seen.push(piece);
                        let there: u32 = seen.iter().map(|p: &Piece| p.end - p.start).sum();
                        prop_assert_eq!(done, there == whole);
                    }
                    Err((refusal, _)) => {
                        prop_assert!(!new);
                        prop_assert_eq!(refusal, Refusal::Duplicate);
                    }
                }
            }
            let mut at = 0;
            for piece in datagram.into_fragments() {
                prop_assert_eq!(piece.start, at);
                at = piece.end;
            }
            prop_assert_eq!(at, whole);
        }

        #[test]
        fn whatever_comes_the_fragments_that_are_kept_do_not_overlap(
            pieces in proptest::collection::vec((0u32..40, 1u32..12, any::<bool>()), 1..40)
        ) {
            let mut datagram = Datagram::default();
            let mut done = false;
            for (start, len, last) in pieces {
                let piece = piece(start * 8, (start + len) * 8, last);
                match datagram.add(piece, piece) {
                    Ok(whole) => {
                        done = whole;
                        if done {
                            break;
                        }
                    }
                    Err((_, back)) => prop_assert_eq!(back, piece),
                }
            }
            let kept = datagram.into_fragments();
            let gaps = kept.windows(2).filter(|pair| pair[0].end < pair[1].start).count();
            prop_assert!(kept.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(kept.iter().rev().skip(1).all(|piece| !piece.last));
            if done {
                prop_assert_eq!((gaps, kept[0].start), (0, 0));
            }
        }
    }
}
