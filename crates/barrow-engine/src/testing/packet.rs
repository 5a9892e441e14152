//! Packets as a test writes them down.

use crate::packet::{Buffer, BufferExt, Packet, PacketCache};
use std::fmt;

type Setup = Box<dyn FnOnce(&mut Packet<'_>)>;

/// A packet to be made: bytes, how they are divided, metadata.
#[must_use]
#[derive(Default)]
pub struct TestPacket {
    bytes: Vec<u8>,
    segment: Option<usize>,
    offset: i16,
    setup: Vec<Setup>,
}

impl TestPacket {
    /// A packet with these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            bytes: bytes.as_ref().to_vec(),
            ..Self::default()
        }
    }

    /// Spread over buffers of this many bytes each.
    pub fn segments_of(mut self, bytes: usize) -> Self {
        self.segment = Some(bytes.max(1));
        self
    }

    /// Starts so many bytes behind (or before) the end of the headroom.
    pub fn at_offset(mut self, offset: i16) -> Self {
        self.offset = offset;
        self
    }

    /// Came in on this interface.
    pub fn rx(self, sw_if_index: u32) -> Self {
        self.with(move |packet| packet.rx_sw_if_index = sw_if_index)
    }

    /// Leaves by this interface.
    pub fn tx(self, sw_if_index: u32) -> Self {
        self.with(move |packet| packet.tx_sw_if_index = sw_if_index)
    }

    /// Metadata.
    pub fn with(mut self, setup: impl FnOnce(&mut Packet<'_>) + 'static) -> Self {
        self.setup.push(Box::new(setup));
        self
    }

    /// The packet itself.
    ///
    /// # Panics
    /// When the pool is exhausted.
    pub(super) fn make(self, cache: &mut PacketCache) -> Buffer {
        let mut segments = match self.segment {
            Some(size) => self.bytes.chunks(size).collect(),
            None => vec![&self.bytes[..]],
        };
        if segments.is_empty() {
            segments.push(&[]);
        }
        let mut head = cache.alloc_one().expect("the pool of a test has room");
        let mut packet = head.packet();
        packet.restart(self.offset);
        assert!(
            packet.extend(segments[0], cache),
            "the pool of a test has room"
        );
        for segment in &segments[1..] {
            let mut more = cache.alloc_one().expect("the pool of a test has room");
            assert!(
                more.packet().extend(segment, cache),
                "the pool of a test has room"
            );
            packet.chain(more);
        }
        self.setup.into_iter().for_each(|setup| setup(&mut packet));
        head
    }
}

impl<B: AsRef<[u8]>> From<B> for TestPacket {
    fn from(bytes: B) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for TestPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestPacket({} bytes)", self.bytes.len())
    }
}
