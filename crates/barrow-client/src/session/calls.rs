//! The calls in flight: a slab whose places, with a generation each, are the contexts on the wire.

use super::error::CallFailure;
use barrow_core::Instant;

/// The most calls that can be in flight at once, abandoned ones included: what fits 16 bits.
pub(crate) const MAX_CALLS: usize = 1 << 16;

/// Names one call of a [`Session`](super::Session), also on the wire: its context.
///
/// Never 0 there, because other clients take that for an event. The lower half is the place in the slab, the upper
/// half counts how often the place was used, so that a late or repeated answer meets no stranger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(u32);

impl CallId {
    fn new(place: usize, generation: u16) -> Self {
        // A place is below MAX_CALLS.
        Self(u32::from(generation) << 16 | place as u32)
    }

    /// The context in the messages of this call.
    #[must_use]
    pub const fn context(self) -> u32 {
        self.0
    }

    /// Its place: small, unique among the calls in flight, and used again.
    #[must_use]
    pub const fn place(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    const fn generation(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

impl std::fmt::Debug for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.place(), self.generation())
    }
}

/// What answers a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// The message that ends it.
    pub(super) last: u16,
    /// The message that may come before, any number of times.
    pub(super) items: Items,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// None: a plain request.
    None,
    /// Messages of this id.
    One(u16),
    /// Whatever carries the context: a dump of several kinds.
    Any,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Free,
    Waiting,
    /// It ended; `reply` holds the last message unless it failed.
    Done(Option<CallFailure>),
    /// Nobody waits for it any more; its answer is dropped when it comes. Keeps its context till then.
    Abandoned,
}

#[derive(Debug)]
pub(super) struct Call {
    generation: u16,
    pub(super) phase: Phase,
    /// Whether the message that ends it is still to come. Its context is not used again before, whatever its phase.
    pub(super) owed: bool,
    pub(super) expected: Expected,
    pub(super) deadline: Option<Instant>,
    /// Where its last byte stands in all that the session has written on this connection.
    pub(super) written_to: u64,
    /// The last message.
    pub(super) reply: Vec<u8>,
    /// Items that wait to be taken, each behind its length (u32, native).
    pub(super) items: Vec<u8>,
    /// How many items were taken or wait.
    pub(super) received: u64,
    pub(super) items_limit: usize,
}

impl Call {
    pub(super) fn push_item(&mut self, message: &[u8]) -> bool {
        if self.items.len() + message.len() + 4 > self.items_limit {
            return false;
        }
        // A message is shorter than a frame, whose length fits 32 bits.
        self.items
            .extend_from_slice(&(message.len() as u32).to_ne_bytes());
        self.items.extend_from_slice(message);
        self.received += 1;
        true
    }
}

/// Takes the first item off `items` from `at` on. `None` at their end.
pub(crate) fn next_item<'a>(items: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = items.get(*at..)?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let len = u32::from_ne_bytes(*len) as usize;
    *at += 4 + len;
    rest.get(..len)
}

/// All calls of a session.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    free: Vec<u16>,
    /// A lower bound of the earliest deadline: nothing is due before it.
    next_check: Option<Instant>,
    pub(super) abandoned: usize,
}

/// Memory a free place keeps, so that calls in steady state allocate nothing.
const KEPT: usize = 4096;

impl Calls {
    /// A place for a new call, which is then waiting; `None` when all are in use.
    pub(super) fn start(
        &mut self,
        expected: Expected,
        deadline: Option<Instant>,
        items_limit: usize,
    ) -> Option<CallId> {
        if self.free.is_empty() && self.all.len() == MAX_CALLS {
            self.reclaim();
        }
        let place = match self.free.pop() {
            Some(place) => usize::from(place),
            None if self.all.len() < MAX_CALLS => {
                self.all.push(Call {
                    generation: 0,
                    phase: Phase::Free,
                    owed: false,
                    expected,
                    deadline: None,
                    written_to: 0,
                    reply: Vec::new(),
                    items: Vec::new(),
                    received: 0,
                    items_limit: 0,
                });
                self.all.len() - 1
            }
            None => return None,
        };
        let call = &mut self.all[place];
        call.generation = call.generation.checked_add(1).unwrap_or(1);
        call.phase = Phase::Waiting;
        call.owed = true;
        call.expected = expected;
        call.deadline = deadline;
        call.written_to = 0;
        call.received = 0;
        call.items_limit = items_limit;
        if let Some(deadline) = deadline {
            let earlier = self.next_check.is_none_or(|check| deadline < check);
            self.next_check = earlier.then_some(deadline).or(self.next_check);
        }
        Some(CallId::new(place, call.generation))
    }

    /// The call of this context, unless it is over.
    pub(super) fn get(&mut self, id: CallId) -> Option<&mut Call> {
        self.all
            .get_mut(id.place())
            .filter(|call| call.generation == id.generation() && call.phase != Phase::Free)
    }

    /// The call of a context that came from outside.
    pub(super) fn by_context(&mut self, context: u32) -> Option<(CallId, &mut Call)> {
        let id = CallId(context);
        self.get(id).map(|call| (id, call))
    }

    /// Nobody is interested any more: gives the place free, or has it wait for the answer that is owed.
    pub(super) fn release(&mut self, id: CallId) {
        let Some(call) = self.get(id) else { return };
        call.items.clear();
        call.items.shrink_to(KEPT);
        if call.owed {
            let again = call.phase == Phase::Abandoned;
            call.phase = Phase::Abandoned;
            self.abandoned += usize::from(!again);
            return;
        }
        let abandoned = call.phase == Phase::Abandoned;
        call.phase = Phase::Free;
        call.deadline = None;
        call.reply.clear();
        call.reply.shrink_to(KEPT);
        self.abandoned -= usize::from(abandoned);
        // A place is below MAX_CALLS.
        self.free.push(id.place() as u16);
    }

    /// A server that loses answers must not use up all contexts: those of calls that were given up, and whose time is
    /// over, go back. A later answer to one would have to find the same place 65,536 calls on to be misunderstood.
    #[cold]
    fn reclaim(&mut self) {
        let given_up = |call: &Call| call.phase == Phase::Abandoned && call.deadline.is_none();
        let places: Vec<_> = self.ids(given_up).collect();
        for id in places {
            if let Some(call) = self.get(id) {
                call.owed = false;
                self.release(id);
            }
        }
    }

    fn ids(&self, of: impl Fn(&Call) -> bool) -> impl Iterator<Item = CallId> {
        self.all
            .iter()
            .enumerate()
            .filter(move |(_, call)| of(call))
            .map(|(place, call)| CallId::new(place, call.generation))
    }

    /// Has the call be given up at `until`, unless it was to be before.
    pub(super) fn shorten(&mut self, id: CallId, until: Instant) {
        let Some(call) = self.get(id) else { return };
        let deadline = call.deadline.map_or(until, |deadline| deadline.min(until));
        call.deadline = Some(deadline);
        self.next_check = self.next_check.into_iter().chain([deadline]).min();
    }

    /// When [`expire`](Self::expire) is to be called: not later than the earliest deadline.
    pub(super) fn next_check(&self) -> Option<Instant> {
        self.next_check
    }

    /// The calls whose deadline has come, abandoned ones included; they have none any more.
    ///
    /// Looks at every place, but rarely: all deadlines seen until then are later than `now`, so in steady state once
    /// per timeout.
    pub(super) fn expire(&mut self, now: Instant, mut expired: impl FnMut(CallId)) {
        if self.next_check.is_none_or(|check| now < check) {
            return;
        }
        self.next_check = None;
        for (place, call) in self.all.iter_mut().enumerate() {
            match call.deadline {
                Some(deadline) if matches!(call.phase, Phase::Waiting | Phase::Abandoned) => {
                    if deadline <= now {
                        call.deadline = None;
                        expired(CallId::new(place, call.generation));
                    } else {
                        let earlier = self.next_check.is_none_or(|check| deadline < check);
                        self.next_check = earlier.then_some(deadline).or(self.next_check);
                    }
                }
                _ => {}
            }
        }
    }

    /// Every call that is owed its answer.
    pub(super) fn owed(&self) -> Vec<CallId> {
        self.ids(|call| call.owed).collect()
    }

    /// Calls whose place is taken, abandoned ones included.
    pub(super) fn in_use(&self) -> usize {
        self.all.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Expected = Expected {
        last: 5,
        items: Items::None,
    };

    fn answer(calls: &mut Calls, id: CallId) {
        calls.get(id).unwrap().owed = false;
    }

    fn at(ms: u64) -> Option<Instant> {
        Some(Instant::from_millis(ms))
    }

    #[test]
    fn a_context_is_never_zero_and_never_used_by_two_calls() {
        let mut calls = Calls::default();
        let first = calls.start(PLAIN, None, 0).unwrap();
        assert_ne!(first.context(), 0);
        answer(&mut calls, first);
        calls.release(first);
        let second = calls.start(PLAIN, None, 0).unwrap();
        assert_eq!(first.place(), second.place());
        assert_ne!(first, second);
        assert!(calls.get(first).is_none());
    }

    #[test]
    fn an_abandoned_call_keeps_its_place_until_it_is_answered() {
        let mut calls = Calls::default();
        let id = calls.start(PLAIN, None, 0).unwrap();
        calls.release(id);
        assert_eq!((calls.abandoned, calls.in_use()), (1, 1));
        assert_ne!(calls.start(PLAIN, None, 0).unwrap().place(), id.place());
        answer(&mut calls, id);
        calls.release(id);
        assert_eq!((calls.abandoned, calls.in_use()), (0, 1));
    }

    #[test]
    fn deadlines_are_met_in_any_order() {
        let mut calls = Calls::default();
        let late = calls.start(PLAIN, at(50), 0).unwrap();
        let soon = calls.start(PLAIN, at(10), 0).unwrap();
        let gone = calls.start(PLAIN, at(5), 0).unwrap();
        answer(&mut calls, gone);
        calls.release(gone);
        let mut due = |ms| {
            let mut expired = Vec::new();
            calls.expire(Instant::from_millis(ms), |id| expired.push(id));
            expired.iter().for_each(|id| calls.release(*id));
            (expired, calls.next_check())
        };
        assert_eq!(due(4), (vec![], at(5)));
        assert_eq!(due(5), (vec![], at(10)));
        assert_eq!(due(10), (vec![soon], at(50)));
        assert_eq!(due(60), (vec![late], None));
    }

    #[test]
    fn the_slab_refuses_more_calls_than_contexts_unless_some_were_given_up() {
        let mut calls = Calls::default();
        let all: Vec<_> = (0..MAX_CALLS)
            .map(|_| calls.start(PLAIN, at(9), 0).unwrap())
            .collect();
        assert!(calls.start(PLAIN, None, 0).is_none());
        calls.release(all[7]);
        assert!(
            calls.start(PLAIN, None, 0).is_none(),
            "its time is not over"
        );
        calls.expire(Instant::from_millis(9), |_| ());
        assert_eq!(calls.start(PLAIN, None, 0).unwrap().place(), 7);
    }

    #[test]
    fn items_come_out_as_they_went_in() {
        let mut calls = Calls::default();
        let id = calls.start(PLAIN, None, 20).unwrap();
        let call = calls.get(id).unwrap();
        assert!(call.push_item(b"abc") && call.push_item(b"de"));
        assert!(!call.push_item(b"more than fits"));
        let (items, mut at) = (&call.items, 0);
        assert_eq!(next_item(items, &mut at), Some(&b"abc"[..]));
        assert_eq!(next_item(items, &mut at), Some(&b"de"[..]));
        assert_eq!(next_item(items, &mut at), None);
    }
}
