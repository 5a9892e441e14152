//! Many machines of one kind as one machine.

use std::collections::{BTreeSet, VecDeque};

use super::Machine;
use crate::Instant;

/// Names a member of one [`Group`]; carries a generation, so it never names a later member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberId {
    index: u32,
    generation: u32,
}

impl MemberId {
    /// The place in the group: small, unique among the members that exist now.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }
}

/// What leaves a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupOutput<O> {
    /// A member's output.
    Output(MemberId, O),
    /// A member has finished and is gone; nothing of it follows.
    Finished(MemberId),
}

/// A group of equals: machines that come and go, driven as one machine.
///
/// An input goes to one member by its id; one for a member that is gone is counted and dropped.
/// Only members that have something to say or whose deadline has come are looked at: a thousand
/// idle members cost nothing. Members with outputs take turns, one output each. One call of
/// [`handle_timeout`](Machine::handle_timeout) serves one member, so a quantum bounds it.
///
/// ```
/// use barrow_core::{Instant, Machine, machine::{Group, GroupOutput}};
///
/// /// Says what it is told, once.
/// #[derive(Default)]
/// struct Echo { text: Option<String>, done: bool }
/// impl Machine for Echo {
///     type Input<'a> = &'a str;
///     type Output = String;
///     fn handle_input(&mut self, _: Instant, text: &str) { self.text = Some(text.to_owned()); }
///     fn handle_timeout(&mut self, _: Instant) {}
///     fn poll_output(&mut self, _: Instant) -> Option<String> {
///         self.done |= self.text.is_some();
///         self.text.take()
///     }
///     fn poll_timeout(&self) -> Option<Instant> { None }
///     fn is_finished(&self) -> bool { self.done }
/// }
///
/// let (now, mut group) = (Instant::ZERO, Group::new());
/// let (_silent, echo) = (group.insert(Echo::default()), group.insert(Echo::default()));
/// while group.poll_output(now).is_some() {}
/// group.handle_input(now, (echo, "hello"));
/// assert_eq!(group.poll_output(now), Some(GroupOutput::Output(echo, "hello".into())));
/// assert_eq!(group.poll_output(now), Some(GroupOutput::Finished(echo)));
/// assert_eq!((group.poll_output(now), group.len()), (None, 1));
/// ```
#[derive(Debug)]
pub struct Group<M> {
    places: Vec<Place<M>>,
    vacant: Vec<u32>,
    /// Members that may have an output, in turn. Invariant: each at most once (`Place::queued`).
    ready: VecDeque<u32>,
    /// Invariant: holds exactly the deadline that each place notes.
    deadlines: BTreeSet<(Instant, u32)>,
    /// The least of `deadlines`, at hand.
    next: Option<Instant>,
    stale: u64,
    leaving: bool,
}

#[derive(Debug)]
struct Place<M> {
    generation: u32,
    member: Option<M>,
    queued: bool,
    deadline: Option<Instant>,
}

impl<M: Machine> Group<M> {
    /// A group without members.
    #[must_use]
    pub fn new() -> Self {
        Self {
            places: Vec::new(),
            vacant: Vec::new(),
            ready: VecDeque::new(),
            deadlines: BTreeSet::new(),
            next: None,
            stale: 0,
            leaving: false,
        }
    }

    /// Adds a member; what it has to say comes with the next outputs.
    ///
    /// # Panics
    /// With more than 2^32 members.
    pub fn insert(&mut self, member: M) -> MemberId {
        let index = self.vacant.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.places.len()).expect("fewer than 2^32 members");
            self.places.push(Place {
                generation: 0,
                member: None,
                queued: false,
                deadline: None,
            });
            index
        });
        let place = &mut self.places[index as usize];
        place.member = Some(member);
        let generation = place.generation;
        self.touch(index, Instant::ZERO);
        MemberId { index, generation }
    }

    /// Takes a member out, whatever it still had to say.
    pub fn remove(&mut self, id: MemberId) -> Option<M> {
        self.get(id)?;
        self.vacate(id.index)
    }

    /// A member; `None` if it is gone.
    #[must_use]
    pub fn get(&self, id: MemberId) -> Option<&M> {
        let place = self.places.get(id.index as usize)?;
        place
            .member
            .as_ref()
            .filter(|_| place.generation == id.generation)
    }

    /// Calls `change` on a member and looks at its outputs and deadline anew; `None` if it is
    /// gone. An input may be given only when the group has no outputs.
    pub fn with<R>(
        &mut self,
        now: Instant,
        id: MemberId,
        change: impl FnOnce(&mut M) -> R,
    ) -> Option<R> {
        self.get(id)?;
        let result = change(self.places[id.index as usize].member.as_mut()?);
        self.touch(id.index, now);
        Some(result)
    }

    /// Every member, in the order of places.
    pub fn iter(&self) -> impl Iterator<Item = (MemberId, &M)> {
        self.places.iter().zip(0..).filter_map(|(place, index)| {
            let generation = place.generation;
            Some((MemberId { index, generation }, place.member.as_ref()?))
        })
    }

    /// Members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inputs for members that were gone: dropped.
    #[must_use]
    pub fn stale_inputs(&self) -> u64 {
        self.stale
    }

    /// Something was done to a member: its outputs and its deadline count anew.
    fn touch(&mut self, index: u32, now: Instant) {
        let place = &mut self.places[index as usize];
        if !place.queued {
            place.queued = true;
            self.ready.push_back(index);
        }
        // One that stays overdue queues up behind the others that are due.
        let deadline = place.member.as_ref().and_then(Machine::poll_timeout);
        self.book(index, deadline.map(|at| at.max(now)));
    }

    fn book(&mut self, index: u32, deadline: Option<Instant>) {
        let place = &mut self.places[index as usize];
        if place.deadline == deadline {
            return;
        }
        if let Some(old) = std::mem::replace(&mut place.deadline, deadline) {
            self.deadlines.remove(&(old, index));
        }
        self.deadlines.extend(deadline.map(|at| (at, index)));
        self.next = self.deadlines.first().map(|(at, _)| *at);
    }

    fn vacate(&mut self, index: u32) -> Option<M> {
        self.book(index, None);
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        self.vacant.push(index);
        place.member.take()
    }
}

impl<M: Machine> Machine for Group<M> {
    type Input<'a> = (MemberId, M::Input<'a>);
    type Output = GroupOutput<M::Output>;

    fn handle_input(&mut self, now: Instant, (id, input): Self::Input<'_>) {
        let taken = self.with(now, id, |member| member.handle_input(now, input));
        self.stale += u64::from(taken.is_none());
    }

    fn handle_timeout(&mut self, now: Instant) {
        let Some((_, index)) = self.deadlines.pop_first_due(now) else {
            return;
        };
        let place = &mut self.places[index as usize];
        place.deadline = None;
        self.next = self.deadlines.first().map(|(at, _)| *at);
        if let Some(member) = &mut place.member {
            member.handle_timeout(now);
        }
        self.touch(index, now);
    }

    fn handle_shutdown(&mut self, now: Instant) {
        self.leaving = true;
        for index in 0..self.places.len() {
            if let Some(member) = &mut self.places[index].member {
                member.handle_shutdown(now);
                self.touch(index as u32, now);
            }
        }
    }

    fn poll_output(&mut self, now: Instant) -> Option<Self::Output> {
        while let Some(index) = self.ready.pop_front() {
            let place = &mut self.places[index as usize];
            place.queued = false;
            let id = MemberId {
                index,
                generation: place.generation,
            };
            let Some(member) = &mut place.member else {
                continue; // removed while it was in line
            };
            let output = member.poll_output(now);
            let finished = output.is_none() && member.is_finished();
            if finished {
                self.vacate(index);
                return Some(GroupOutput::Finished(id));
            }
            if let Some(output) = output {
                self.touch(index, now);
                return Some(GroupOutput::Output(id, output));
            }
            let deadline = member.poll_timeout();
            self.book(index, deadline.map(|at| at.max(now)));
        }
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    fn is_finished(&self) -> bool {
        self.leaving && self.is_empty()
    }
}

/// Takes the first entry whose instant has come.
trait PopFirstDue {
    fn pop_first_due(&mut self, now: Instant) -> Option<(Instant, u32)>;
}

impl PopFirstDue for BTreeSet<(Instant, u32)> {
    fn pop_first_due(&mut self, now: Instant) -> Option<(Instant, u32)> {
        let due = self.first().is_some_and(|(at, _)| *at <= now);
        due.then(|| self.pop_first()).flatten()
    }
}

impl<M: Machine> Default for Group<M> {
    fn default() -> Self {
        Self::new()
    }
}
