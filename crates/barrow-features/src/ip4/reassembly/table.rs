//! The packets that one thread is putting together.
//!
//! Everything is bounded: packets, fragments of one packet, and fragments of all. What would go beyond is
//! refused and counted, and what is not completed in time goes.

use super::datagram::{Datagram, Piece, Refusal};
use crate::ip4::Ip4Error;
use barrow_engine::Instant;
use std::collections::HashMap;
use std::time::Duration;

/// What the fragments of one packet have in common (RFC 791 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) fib: u32,
    pub(super) source: [u8; 4],
    pub(super) destination: [u8; 4],
    pub(super) id: u16,
    pub(super) protocol: u8,
}

/// How much a thread keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Packets at a time.
    pub(super) packets: usize,
    /// Fragments of one packet.
    pub(super) fragments: usize,
    /// Fragments of all packets together.
    pub(super) held: usize,
    /// How long a packet may be without a new fragment.
    pub(super) patience: Duration,
}

#[derive(Debug)]
enum State<F> {
    Gathering(Datagram<F>),
    /// Given up; what still comes of it is dropped for the same reason.
    Refused(Ip4Error),
}

#[derive(Debug)]
struct Entry<F> {
    state: State<F>,
    heard: Instant,
    /// Tells it from others, in traces.
    serial: u32,
    /// Fragments that came.
    steps: u32,
}

/// What became of a fragment.
#[derive(Debug)]
pub(super) enum Taken<F> {
    /// It is kept.
    Kept,
    /// The packet is whole; its fragments, in order.
    Whole(Vec<F>),
    /// These are to be dropped: the fragment alone, or all of its packet.
    Dropped(Ip4Error, Vec<F>),
}

/// What a trace tells of a packet.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Progress {
    pub(super) serial: u32,
    pub(super) steps: u32,
    pub(super) bytes: u32,
}

/// A packet whose time is over.
#[derive(Debug)]
pub(super) struct Late<F> {
    /// Its fragments, in order; none of one that had been given up.
    pub(super) fragments: Vec<F>,
    /// The first one is the packet's first, so that its sender may be told.
    pub(super) has_first: bool,
}

/// The table of one thread.
#[derive(Debug)]
pub(super) struct Table<F> {
    entries: HashMap<Key, Entry<F>>,
    limits: Limits,
    held: usize,
    serial: u32,
}

impl<F> Table<F> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            entries: HashMap::new(),
            limits,
            held: 0,
            serial: 0,
        }
    }

    /// Packets that are not whole yet, those given up included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes a fragment in.
    pub(super) fn accept(&mut self, key: Key, piece: Piece, now: Instant, fragment: F) -> Taken<F> {
        let full = self.held >= self.limits.held;
        if !self.entries.contains_key(&key) {
            if full || self.entries.len() >= self.limits.packets {
                return Taken::Dropped(Ip4Error::ReassemblyLimit, vec![fragment]);
            }
            let entry = Entry {
                state: State::Gathering(Datagram::default()),
                heard: now,
                serial: self.serial,
                steps: 0,
            };
            self.serial = self.serial.wrapping_add(1);
            self.entries.insert(key, entry);
        }
        let entry = self.entries.get_mut(&key).expect("it is there now");
        entry.steps += 1;
        let datagram = match &mut entry.state {
            State::Gathering(datagram) => datagram,
            State::Refused(why) => return Taken::Dropped(*why, vec![fragment]),
        };
        entry.heard = now;
        if full {
            return Taken::Dropped(Ip4Error::ReassemblyLimit, vec![fragment]);
        }
        if datagram.len() >= self.limits.fragments {
            return self.give_up(key, Ip4Error::ReassemblyChainTooLong, fragment);
        }
        match datagram.add(piece, fragment) {
            Ok(false) => {
                self.held += 1;
                Taken::Kept
            }
            Ok(true) => {
                let fragments = std::mem::take(datagram).into_fragments();
                self.held -= fragments.len() - 1;
                self.entries.remove(&key);
                Taken::Whole(fragments)
            }
            Err((Refusal::Duplicate, fragment)) => {
                Taken::Dropped(Ip4Error::ReassemblyDuplicate, vec![fragment])
            }
            Err((Refusal::Overlap, fragment)) => {
                self.give_up(key, Ip4Error::ReassemblyDuplicate, fragment)
            }
        }
    }

    /// Drops a packet, and what still comes of it.
    fn give_up(&mut self, key: Key, why: Ip4Error, fragment: F) -> Taken<F> {
        let entry = self.entries.get_mut(&key);
        let state = entry.map(|entry| std::mem::replace(&mut entry.state, State::Refused(why)));
        let mut fragments = match state {
            Some(State::Gathering(datagram)) => datagram.into_fragments(),
            Some(State::Refused(_)) | None => Vec::new(),
        };
        self.held -= fragments.len();
        fragments.push(fragment);
        Taken::Dropped(why, fragments)
    }

    /// How far a packet has come.
    pub(super) fn progress(&self, key: &Key) -> Progress {
        match self.entries.get(key) {
            Some(entry) => Progress {
                serial: entry.serial,
                steps: entry.steps,
                bytes: match &entry.state {
                    State::Gathering(datagram) => datagram.bytes(),
                    State::Refused(_) => 0,
                },
            },
            None => Progress {
                serial: self.serial,
                ..Progress::default()
            },
        }
    }

    /// Takes out the packets that have not got a fragment for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Late<F>> {
        let patience = self.limits.patience;
        self.take_out(|entry| now.saturating_since(entry.heard) >= patience)
    }

    /// Takes out everything.
    pub(super) fn clear(&mut self) -> Vec<Late<F>> {
        self.take_out(|_| true)
    }

    fn take_out(&mut self, which: impl Fn(&Entry<F>) -> bool) -> Vec<Late<F>> {
        let mut late = Vec::new();
        for (_, entry) in self.entries.extract_if(|_, entry| which(entry)) {
            if let State::Gathering(datagram) = entry.state {
                self.held -= datagram.len();
                late.push(Late {
                    has_first: datagram.has_first(),
                    fragments: datagram.into_fragments(),
                });
            }
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        packets: 3,
        fragments: 4,
        held: 8,
        patience: Duration::from_millis(200),
    };

    fn key(id: u16) -> Key {
        Key {
            fib: 0,
            source: [10, 0, 0, 2],
            destination: [10, 0, 0, 1],
            id,
            protocol: 1,
        }
    }

    fn piece(at: u32, last: bool) -> Piece {
        Piece {
            start: at * 8,
            end: at * 8 + 8,
            last,
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    fn dropped(taken: Taken<u32>) -> (Ip4Error, Vec<u32>) {
        match taken {
            Taken::Dropped(why, fragments) => (why, fragments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn packets_are_told_apart_by_all_that_rfc_791_names() {
        let mut table = Table::new(Limits {
            packets: 9,
            ..LIMITS
        });
        let keys = [
            key(1),
            key(2),
            Key { fib: 1, ..key(1) },
            Key {
                protocol: 17,
                ..key(1)
            },
            Key {
                source: [1; 4],
                ..key(1)
            },
            Key {
                destination: [1; 4],
                ..key(1)
            },
        ];
        for (n, key) in keys.into_iter().enumerate() {
            let taken = table.accept(key, piece(0, false), at(0), n as u32);
            assert!(matches!(taken, Taken::Kept));
        }
        let Taken::Whole(whole) = table.accept(key(1), piece(1, true), at(0), 99) else {
            panic!("it is whole");
        };
        assert_eq!((whole, table.len()), (vec![0, 99], 5));
    }

    #[test]
    fn an_overlap_gives_the_packet_up_with_all_that_still_comes_of_it() {
        let mut table = Table::new(LIMITS);
        table.accept(key(1), piece(0, false), at(0), 0);
        table.accept(key(1), piece(2, true), at(0), 1);
        let over = Piece {
            start: 8,
            end: 24,
            last: false,
        };
        let all = dropped(table.accept(key(1), over, at(0), 2));
        assert_eq!(all, (Ip4Error::ReassemblyDuplicate, vec![0, 1, 2]));
        let late = dropped(table.accept(key(1), piece(1, false), at(0), 3));
        assert_eq!(late, (Ip4Error::ReassemblyDuplicate, vec![3]));
        assert_eq!((table.held, table.len()), (0, 1));
        assert!(table.expire(at(199)).is_empty() && table.len() == 1);
        assert!(table.expire(at(200)).is_empty() && table.len() == 0);
        assert!(matches!(
            table.accept(key(1), piece(0, false), at(200), 4),
            Taken::Kept
        ));
    }

    #[test]
    fn a_repeated_fragment_is_dropped_alone() {
        let mut table = Table::new(LIMITS);
        table.accept(key(1), piece(0, false), at(0), 0);
        let again = dropped(table.accept(key(1), piece(0, false), at(0), 1));
        assert_eq!(again, (Ip4Error::ReassemblyDuplicate, vec![1]));
        let whole = table.accept(key(1), piece(1, true), at(0), 2);
        assert!(matches!(whole, Taken::Whole(all) if all == [0, 2]));
    }

    #[test]
    fn each_limit_refuses_what_is_beyond_it() {
        let mut table = Table::new(LIMITS);
        for id in 0..3 {
            table.accept(key(id), piece(0, false), at(0), 0);
        }
        let many = dropped(table.accept(key(3), piece(0, false), at(0), 7));
        assert_eq!(many, (Ip4Error::ReassemblyLimit, vec![7]));
        for n in 1..4 {
            table.accept(key(0), piece(n, false), at(0), n);
        }
        let long = dropped(table.accept(key(0), piece(4, false), at(0), 4));
        assert_eq!(
            long,
            (Ip4Error::ReassemblyChainTooLong, vec![0, 1, 2, 3, 4])
        );
        for n in 1..4 {
            table.accept(key(1), piece(n, false), at(0), n);
            table.accept(key(2), piece(n, false), at(0), n);
        }
        assert_eq!(table.held, 8);
        let full = dropped(table.accept(key(2), piece(9, true), at(0), 8));
        assert_eq!(full, (Ip4Error::ReassemblyLimit, vec![8]));
    }

    #[test]
    fn a_packet_waits_for_so_long_after_its_latest_fragment() {
        let mut table = Table::new(LIMITS);
        table.accept(key(1), piece(1, false), at(0), 1);
        table.accept(key(2), piece(0, false), at(100), 2);
        table.accept(key(1), piece(0, false), at(150), 3);
        assert!(table.expire(at(299)).is_empty());
        let late = table.expire(at(300));
        assert_eq!((late.len(), &late[0].fragments[..]), (1, &[2][..]));
        assert!(late[0].has_first);
        let rest = table.clear();
        assert_eq!(rest[0].fragments, [3, 1]);
        assert_eq!((table.len(), table.held), (0, 0));
    }

    proptest! {
        #[test]
        fn every_fragment_comes_out_once_and_no_limit_is_passed(
            steps in proptest::collection::vec((0u16..5, 0u32..7, any::<bool>(), 0u64..60), 1..200)
        ) {
            let mut table = Table::new(LIMITS);
            let mut out = Vec::new();
            let mut now = 0;
            let count = steps.len() as u32;
            for (n, (id, place, last, passed)) in (0..).zip(steps) {
                now += passed;
                out.extend(table.expire(at(now)).into_iter().flat_map(|late| late.fragments));
                match table.accept(key(id), piece(place, last), at(now), n) {
                    Taken::Kept => {}
                    Taken::Whole(fragments) | Taken::Dropped(_, fragments) => out.extend(fragments),
                }
                prop_assert!(table.len() <= LIMITS.packets && table.held <= LIMITS.held);
                prop_assert_eq!(out.len() + table.held, n as usize + 1);
            }
            out.extend(table.clear().into_iter().flat_map(|late| late.fragments));
            out.sort_unstable();
            prop_assert_eq!(out, (0..count).collect::<Vec<_>>());
        }
    }
}
