//! A byte stream that behaves as badly as TCP may.

use std::{collections::VecDeque, error::Error, fmt, time::Duration};

use super::splitmix;
use crate::Instant;

/// What a [`Pipe`] does to its bytes; all from one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The seed of every choice.
    pub seed: u64,
    /// Most bytes under way at once; a write beyond is short.
    pub capacity: usize,
    /// Most bytes that one read returns: every read is cut at random between 1 and this.
    pub fragment: usize,
    /// The longest time a byte is under way; drawn for each write, order is kept.
    pub delay: Duration,
    /// The stream is reset after this many bytes.
    pub cut_after: Option<u64>,
    /// One bit is flipped in about one of so many bytes.
    pub corrupt_one_in: Option<u64>,
}

impl Default for Faults {
    /// None: 64 KiB under way, no delay, whole reads.
    fn default() -> Self {
        Self {
            seed: 0,
            capacity: 64 * 1024,
            fragment: usize::MAX,
            delay: Duration::ZERO,
            cut_after: None,
            corrupt_one_in: None,
        }
    }
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, at least one.
    Bytes(usize),
    /// None yet; the next ones arrive at this instant, if any are under way.
    Empty(Option<Instant>),
    /// The writer closed, and everything was read.
    End,
    /// The stream was cut.
    Reset,
}

/// The stream takes no more bytes: it was closed or cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeClosed;

impl fmt::Display for PipeClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream is closed")
    }
}

impl Error for PipeClosed {}

/// One direction of a byte stream between two machines, on virtual time.
///
/// ```
/// use barrow_core::{Instant, testing::{Faults, Pipe, Read}};
///
/// let mut pipe = Pipe::new(Faults { fragment: 3, ..Faults::default() });
/// assert_eq!(pipe.write(Instant::ZERO, b"hello"), Ok(5));
/// pipe.close();
/// let (mut text, mut buffer) = (Vec::new(), [0; 16]);
/// while let Read::Bytes(count) = pipe.read(Instant::ZERO, &mut buffer) {
///     assert!(count <= 3);
///     text.extend_from_slice(&buffer[..count]);
/// }
/// assert_eq!(text, b"hello");
/// ```
#[derive(Clone, Debug)]
pub struct Pipe {
    faults: Faults,
    random: u64,
    under_way: VecDeque<(Instant, u8)>,
    last_arrival: Instant,
    written: u64,
    closed: bool,
    reset: bool,
}

impl Pipe {
    /// An empty pipe.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self {
            random: faults.seed,
            faults,
            under_way: VecDeque::new(),
            last_arrival: Instant::ZERO,
            written: 0,
            closed: false,
            reset: false,
        }
    }

    /// Writes as much as there is room for; returns how much.
    ///
    /// # Errors
    /// [`PipeClosed`] once the stream was closed or cut.
    pub fn write(&mut self, now: Instant, bytes: &[u8]) -> Result<usize, PipeClosed> {
        if self.closed || self.reset {
            return Err(PipeClosed);
        }
        let room = self.faults.capacity.saturating_sub(self.under_way.len());
        let mut count = bytes.len().min(room);
        if let Some(limit) = self.faults.cut_after {
            let left = usize::try_from(limit - self.written).unwrap_or(usize::MAX);
            if count > left {
                count = left;
                self.reset = true;
            }
        }
        let delay = self.draw(nanos(self.faults.delay).saturating_add(1));
        self.last_arrival = self.last_arrival.max(now + Duration::from_nanos(delay));
        for byte in &bytes[..count] {
            let flip = self.flip();
            self.under_way.push_back((self.last_arrival, byte ^ flip));
        }
        self.written += count as u64;
        Ok(count)
    }

    /// Reads what has arrived, up to a random fragment.
    pub fn read(&mut self, now: Instant, into: &mut [u8]) -> Read {
        let arrived = self
            .under_way
            .iter()
            .take_while(|(at, _)| *at <= now)
            .count();
        let most = arrived.min(into.len()).min(self.faults.fragment.max(1));
        if most == 0 {
            return match self.under_way.front() {
                Some((at, _)) => Read::Empty(Some(*at)),
                None if self.reset => Read::Reset,
                None if self.closed => Read::End,
                None => Read::Empty(None),
            };
        }
        let fragmented = self.faults.fragment != usize::MAX;
        let count = if fragmented {
            1 + self.draw(most as u64) as usize
        } else {
            most
        };
        for (place, (_, byte)) in into.iter_mut().zip(self.under_way.drain(..count)) {
            *place = byte;
        }
        Read::Bytes(count)
    }

    /// The writer has said everything; the reader still gets what is under way.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Bytes under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// The bit to flip in a byte, mostly none.
    fn flip(&mut self) -> u8 {
        let Some(one_in) = self.faults.corrupt_one_in else {
            return 0;
        };
        let hit = self.draw(one_in.max(1)) == 0;
        if hit { 1 << self.draw(8) } else { 0 }
    }

    /// A number below `bound`.
    fn draw(&mut self, bound: u64) -> u64 {
        splitmix(&mut self.random) % bound
    }
}

fn nanos(delay: Duration) -> u64 {
    u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a text through and returns what came out, how, and when.
    fn through(faults: Faults, text: &[u8]) -> (Vec<u8>, usize, Instant, Read) {
        let mut pipe = Pipe::new(faults);
        let (mut now, mut sent, mut reads) = (Instant::ZERO, 0, 0);
        let (mut received, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            match pipe.write(now, &text[sent..]) {
                Ok(count) => sent += count,
                Err(PipeClosed) => sent = text.len(),
            }
            if sent == text.len() {
                pipe.close();
            }
            match pipe.read(now, &mut buffer) {
                Read::Bytes(count) => {
                    reads += 1;
                    received.extend_from_slice(&buffer[..count]);
                }
                Read::Empty(Some(at)) => now = at,
                end => return (received, reads, now, end),
            }
        }
    }

    #[test]
    fn bytes_arrive_in_order_however_they_are_cut_and_delayed() {
        let text: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        for seed in 0..20 {
            let delay = Duration::from_millis(10);
            let faults = Faults {
                seed,
                capacity: 50,
                fragment: 7,
                delay,
                ..Faults::default()
            };
            let (received, reads, now, end) = through(faults, &text);
            assert_eq!((received.as_slice(), end), (text.as_slice(), Read::End));
            assert!(reads >= 1000 / 7 && now > Instant::ZERO);
        }
    }

    #[test]
    fn a_cut_stream_delivers_what_was_before_the_cut_and_then_a_reset() {
        let faults = Faults {
            cut_after: Some(10),
            ..Faults::default()
        };
        let (received, _, _, end) = through(faults, &[7; 30]);
        assert_eq!((received.len(), end), (10, Read::Reset));
    }

    #[test]
    fn corruption_flips_single_bits_and_repeats_with_its_seed() {
        let faults = Faults {
            seed: 5,
            corrupt_one_in: Some(10),
            ..Faults::default()
        };
        let (received, ..) = through(faults.clone(), &[0; 1000]);
        let flipped = received.iter().filter(|byte| **byte != 0).count();
        assert!((20..500).contains(&flipped), "{flipped}");
        assert!(received.iter().all(|byte| byte.count_ones() <= 1));
        assert_eq!(through(faults, &[0; 1000]).0, received);
    }
}
