//! Who may send: places in flight, fairly shared.

use barrow_core::Instant;
use slab::Slab;
use std::collections::VecDeque;
use std::task::Waker;

/// Names a channel of a [`Window`].
pub(crate) type ChannelKey = usize;

/// Names one that waits for a place.
pub(crate) type Ticket = usize;

/// A bounded number of calls in flight, of the connection and of each channel.
///
/// Channels that wait are served in turn, those within one in the order they came, so that a channel with a thousand
/// waiting calls does not delay the one of another. A place goes back when the server owes the call nothing any more or
/// its time is over, not when its caller loses interest: what counts is the load on the server.
#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    in_flight: usize,
    channels: Slab<ChannelPlaces>,
    tickets: Slab<Waiting>,
    /// Channels with somebody waiting and a place of their own, in the order they are served. No channel twice.
    turns: VecDeque<ChannelKey>,
    /// A lower bound of the earliest deadline.
    next_check: Option<Instant>,
}

/// How it stands with one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Waiting,
    Granted,
    /// Its time is over, or the connection is lost.
    Refused,
}

#[derive(Debug)]
struct ChannelPlaces {
    limit: usize,
    in_flight: usize,
    queue: VecDeque<Ticket>,
    in_turn: bool,
    /// No handle is left; it goes when the last place comes back.
    closed: bool,
}

#[derive(Debug)]
struct Waiting {
    channel: ChannelKey,
    waker: Option<Waker>,
    deadline: Option<Instant>,
    place: Place,
}

impl Window {
    /// At most `limit` calls in flight; at least 1.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            in_flight: 0,
            channels: Slab::new(),
            tickets: Slab::new(),
            turns: VecDeque::new(),
            next_check: None,
        }
    }

    pub(crate) fn open_channel(&mut self, limit: usize) -> ChannelKey {
        self.channels.insert(ChannelPlaces {
            limit: limit.max(1),
            in_flight: 0,
            queue: VecDeque::new(),
            in_turn: false,
            closed: false,
        })
    }

    /// No calls of this channel will come any more; those in flight still hold their places.
    pub(crate) fn close_channel(&mut self, key: ChannelKey) {
        self.channels[key].closed = true;
        self.drop_if_over(key);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) fn waiting(&self) -> usize {
        self.tickets.len()
    }

    pub(crate) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Takes a place at once, if there is one and nobody waits for it.
    pub(crate) fn enter(&mut self, key: ChannelKey) -> bool {
        let channel = &mut self.channels[key];
        let free = self.in_flight < self.limit
            && self.turns.is_empty()
            && channel.in_flight < channel.limit
            && channel.queue.is_empty();
        if free {
            channel.in_flight += 1;
            self.in_flight += 1;
        }
        free
    }

    /// Waits in line for a place, until `deadline`.
    pub(crate) fn wait(
        &mut self,
        key: ChannelKey,
        deadline: Option<Instant>,
        waker: Waker,
    ) -> Ticket {
        let ticket = self.tickets.insert(Waiting {
            channel: key,
            waker: Some(waker),
            deadline,
            place: Place::Waiting,
        });
        self.next_check = self.next_check.into_iter().chain(deadline).min();
        self.channels[key].queue.push_back(ticket);
        self.take_turn(key);
        ticket
    }

    /// How it stands. Unless it is still waiting, the ticket is used up.
    pub(crate) fn poll(&mut self, ticket: Ticket, waker: &Waker) -> Place {
        let waiting = &mut self.tickets[ticket];
        let place = waiting.place;
        if place != Place::Waiting {
            self.tickets.remove(ticket);
        } else if !waiting
            .waker
            .as_ref()
            .is_some_and(|old| old.will_wake(waker))
        {
            waiting.waker = Some(waker.clone());
        }
        place
    }

    /// The one that waited has gone away. A place it was granted goes back.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        let waiting = self.tickets.remove(ticket);
        match waiting.place {
            Place::Granted => self.leave(waiting.channel),
            Place::Waiting => self.unqueue(waiting.channel, ticket),
            Place::Refused => {}
        }
    }

    /// When [`expire`](Self::expire) is to be called, at the latest.
    pub(crate) fn next_check(&self) -> Option<Instant> {
        self.next_check
    }

    /// Refuses those whose time is over.
    pub(crate) fn expire(&mut self, now: Instant, wake: &mut Vec<Waker>) {
        if self.next_check.is_none_or(|check| now < check) {
            return;
        }
        self.next_check = None;
        let mut over = Vec::new();
        for (ticket, waiting) in &mut self.tickets {
            match waiting.deadline {
                Some(deadline) if waiting.place == Place::Waiting => {
                    if deadline <= now {
                        waiting.place = Place::Refused;
                        wake.extend(waiting.waker.take());
                        over.push((waiting.channel, ticket));
                    } else {
                        self.next_check = self.next_check.into_iter().chain([deadline]).min();
                    }
                }
                _ => {}
            }
        }
        for (channel, ticket) in over {
            self.unqueue(channel, ticket);
        }
    }

    /// The connection is lost: nothing is in flight, and nobody waits any more.
    pub(crate) fn reset(&mut self, wake: &mut Vec<Waker>) {
        self.turns.clear();
        self.next_check = None;
        self.in_flight = 0;
        for (_, channel) in &mut self.channels {
            channel.queue.clear();
            channel.in_turn = false;
            channel.in_flight = 0;
        }
        for (_, waiting) in &mut self.tickets {
            waiting.place = Place::Refused;
            wake.extend(waiting.waker.take());
        }
        let closed: Vec<_> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.closed)
            .map(|(key, _)| key)
            .collect();
        for key in closed {
            self.channels.remove(key);
        }
    }

    /// Gives a place back.
    pub(crate) fn leave(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        channel.in_flight -= 1;
        self.in_flight -= 1;
        self.take_turn(key);
        self.drop_if_over(key);
    }

    /// Grants what is free; the wakers of those who got a place go to `wake`.
    pub(crate) fn grant(&mut self, wake: &mut Vec<Waker>) {
        while self.in_flight < self.limit {
            let Some(key) = self.turns.pop_front() else {
                return;
            };
            let Some(channel) = self.channels.get_mut(key) else {
                continue;
            };
            channel.in_turn = false;
            if channel.in_flight >= channel.limit {
                continue;
            }
            let Some(ticket) = channel.queue.pop_front() else {
                continue;
            };
            channel.in_flight += 1;
            self.in_flight += 1;
            let waiting = &mut self.tickets[ticket];
            waiting.place = Place::Granted;
            wake.extend(waiting.waker.take());
            self.take_turn(key);
        }
    }

    fn unqueue(&mut self, key: ChannelKey, ticket: Ticket) {
        let queue = &mut self.channels[key].queue;
        queue.retain(|other| *other != ticket);
        self.drop_if_over(key);
    }

    fn take_turn(&mut self, key: ChannelKey) {
        let channel = &mut self.channels[key];
        if !channel.in_turn && !channel.queue.is_empty() && channel.in_flight < channel.limit {
            channel.in_turn = true;
            self.turns.push_back(key);
        }
    }

    fn drop_if_over(&mut self, key: ChannelKey) {
        let channel = &self.channels[key];
        if channel.closed && channel.in_flight == 0 && channel.queue.is_empty() {
            self.turns.retain(|other| *other != key);
            self.channels.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn granted(window: &mut Window, tickets: &[Ticket]) -> Vec<bool> {
        let mut wake = Vec::new();
        window.grant(&mut wake);
        wake.into_iter().for_each(Waker::wake);
        tickets
            .iter()
            .map(|ticket| {
                window
                    .tickets
                    .get(*ticket)
                    .is_some_and(|w| w.place == Place::Granted)
            })
            .collect()
    }

    #[test]
    fn a_channel_in_a_hurry_does_not_delay_another() {
        let mut window = Window::new(2);
        let (a, b) = (window.open_channel(100), window.open_channel(100));
        assert!(window.enter(a) && window.enter(a) && !window.enter(b));
        let tickets: Vec<_> = [a, a, a, b]
            .iter()
            .map(|channel| window.wait(*channel, None, Waker::noop().clone()))
            .collect();
        window.leave(a);
        window.leave(a);
        assert_eq!(granted(&mut window, &tickets), [true, false, false, true]);
    }

    #[test]
    fn a_full_channel_does_not_hold_up_the_rest() {
        let mut window = Window::new(10);
        let (a, b) = (window.open_channel(1), window.open_channel(1));
        assert!(window.enter(a));
        let waiting = window.wait(a, None, Waker::noop().clone());
        assert_eq!(granted(&mut window, &[waiting]), [false]);
        assert!(window.enter(b));
        window.leave(a);
        assert_eq!(granted(&mut window, &[waiting]), [true]);
    }

    #[test]
    fn nobody_overtakes_those_who_wait() {
        let mut window = Window::new(1);
        let (a, b) = (window.open_channel(9), window.open_channel(9));
        assert!(window.enter(a));
        let first = window.wait(a, None, Waker::noop().clone());
        window.leave(a);
        assert!(!window.enter(b), "the free place is the first one's");
        assert_eq!(granted(&mut window, &[first]), [true]);
    }

    #[test]
    fn who_goes_away_gives_the_place_to_the_next() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let mut window = Window::new(1);
        let a = window.open_channel(9);
        assert!(window.enter(a));
        let first = window.wait(a, None, Arc::clone(&count).into());
        let second = window.wait(a, None, Arc::clone(&count).into());
        let third = window.wait(a, None, Arc::clone(&count).into());
        window.forget(second);
        window.leave(a);
        assert_eq!(granted(&mut window, &[first, third]), [true, false]);
        window.forget(first);
        assert_eq!(granted(&mut window, &[third]), [true]);
        assert_eq!(window.poll(third, Waker::noop()), Place::Granted);
        assert_eq!((window.in_flight(), window.waiting()), (1, 0));
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn who_waits_too_long_is_refused() {
        let mut window = Window::new(1);
        let a = window.open_channel(9);
        assert!(window.enter(a));
        let at = Instant::from_millis;
        let soon = window.wait(a, Some(at(5)), Waker::noop().clone());
        let late = window.wait(a, Some(at(9)), Waker::noop().clone());
        assert_eq!(window.next_check(), Some(at(5)));
        let mut wake = Vec::new();
        window.expire(at(5), &mut wake);
        assert_eq!((wake.len(), window.next_check()), (1, Some(at(9))));
        assert_eq!(window.poll(soon, Waker::noop()), Place::Refused);
        window.leave(a);
        assert_eq!(granted(&mut window, &[late]), [true]);
    }

    #[test]
    fn a_lost_connection_refuses_all_and_frees_every_place() {
        let mut window = Window::new(1);
        let (a, b) = (window.open_channel(9), window.open_channel(9));
        assert!(window.enter(a));
        window.close_channel(a);
        let waiting = window.wait(b, None, Waker::noop().clone());
        window.reset(&mut Vec::new());
        assert_eq!(window.poll(waiting, Waker::noop()), Place::Refused);
        assert_eq!(
            (window.in_flight(), window.waiting(), window.channels()),
            (0, 0, 1)
        );
        assert!(window.enter(b));
    }

    #[test]
    fn a_closed_channel_goes_with_its_last_call() {
        let mut window = Window::new(4);
        let a = window.open_channel(2);
        assert!(window.enter(a));
        window.close_channel(a);
        assert_eq!(window.channels(), 1);
        window.leave(a);
        assert_eq!(window.channels(), 0);
    }
}
