//! The metadata in front of every buffer's data.
//!
//! ```text
//! line 0 (64 bytes)  what nearly every node reads or writes
//! line 1 (64 bytes)  tracing, receive time, and room for one subsystem at a time
//! ```
//!
//! A forwarded packet that is neither traced nor stamped touches line 0 only.

use super::PacketFlags;
use barrow_runtime::buf::Header;

/// No interface, no table: the value of an index field that is not set.
pub const UNSET: u32 = u32::MAX;

/// Metadata of one buffer; the head of a chain speaks for the whole packet.
///
/// Fields that carry an invariant (where the data lies, what is chained behind) are private and
/// changed through [`Packet`](super::Packet); the others belong to whoever owns the packet.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub struct PacketHeader {
    // ---- line 0 ----
    /// Where the data starts, relative to the end of the headroom; negative inside the headroom.
    pub(super) current_data: i16,
    /// Bytes of data in this buffer.
    pub(super) current_length: u16,
    /// Flags of the packet.
    pub flags: PacketFlags,
    /// Hash of the flow, when `FLOW_HASH_VALID`.
    pub flow_hash: u32,
    /// Bytes of the packet behind this buffer. Zero when nothing is chained.
    pub(super) rest_length: u32,
    /// Whether the buffer's link holds the rest of the packet; spares unchained packets the look.
    pub(super) chained: bool,
    /// Interface the packet came in on; [`UNSET`] when made here.
    pub rx_sw_if_index: u32,
    /// Interface it leaves by. Before the lookup: the FIB to look up in instead of the interface's
    /// own, or [`UNSET`].
    pub tx_sw_if_index: u32,
    /// Offset of the link-layer header, in the sense of [`offset`](Self::offset).
    pub l2_header_offset: i16,
    /// Offset of the network header.
    pub l3_header_offset: i16,
    /// Offset of the transport header.
    pub l4_header_offset: i16,
    /// Why the packet is being dropped: index of an error counter. Zero: nobody said.
    pub error: u16,
    /// Where on its feature arc the packet is.
    pub feature_position: u32,
    /// Adjacency that sends it, or the node-specific index that the lookup found.
    pub adj_index: u32,
    /// FIB the packet belongs to.
    pub fib_index: u32,
    /// Payload bytes a segment, when `GSO`.
    pub gso_size: u16,
    /// Bytes of the transport header, when `GSO`.
    pub gso_l4_header_length: u16,
    /// For one subsystem at a time, between two of its own nodes.
    pub opaque: [u32; 3],
    // ---- line 1 ----
    /// Which trace this packet's records belong to, when `TRACED`.
    pub(crate) trace_id: u32,
    /// When the packet was received, in the host's clock ticks; zero when nobody stamped it.
    pub rx_time: u64,
    /// As `opaque`, for what is rarely needed.
    pub opaque2: [u32; 12],
}

const _: () = assert!(size_of::<PacketHeader>() == 128);
const _: () = assert!(std::mem::offset_of!(PacketHeader, trace_id) == 64);

impl Header for PacketHeader {}

impl Default for PacketHeader {
    #[inline]
    fn default() -> Self {
        Self {
            current_data: 0,
            current_length: 0,
            flags: PacketFlags::NONE,
            flow_hash: 0,
            rest_length: 0,
            chained: false,
            rx_sw_if_index: UNSET,
            tx_sw_if_index: UNSET,
            l2_header_offset: 0,
            l3_header_offset: 0,
            l4_header_offset: 0,
            error: 0,
            feature_position: 0,
            adj_index: UNSET,
            fib_index: 0,
            gso_size: 0,
            gso_l4_header_length: 0,
            opaque: [0; 3],
            trace_id: 0,
            rx_time: 0,
            opaque2: [0; 12],
        }
    }
}

impl PacketHeader {
    /// Bytes of data in this buffer.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.current_length as usize
    }

    /// Whether this buffer holds no data.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.current_length == 0
    }

    /// Bytes of the whole packet.
    #[inline]
    #[must_use]
    pub const fn total_len(&self) -> usize {
        self.current_length as usize + self.rest_length as usize
    }

    /// Where the data starts, relative to the end of the headroom.
    #[inline]
    #[must_use]
    pub const fn offset(&self) -> i16 {
        self.current_data
    }

    /// Whether the packet goes on in another buffer.
    #[inline]
    #[must_use]
    pub const fn is_chained(&self) -> bool {
        self.chained
    }

    /// Whether nodes record what they do with this packet.
    #[inline]
    #[must_use]
    pub const fn is_traced(&self) -> bool {
        self.flags.contains(PacketFlags::TRACED)
    }

    /// Which trace the records about this packet belong to, if there are any.
    #[inline]
    #[must_use]
    pub const fn trace_id(&self) -> Option<u32> {
        if self.is_traced() {
            Some(self.trace_id)
        } else {
            None
        }
    }

    /// Makes line 0 that of a fresh packet; line 1 means nothing until a flag says so.
    #[inline]
    pub(super) const fn reset(&mut self) {
        self.current_data = 0;
        self.current_length = 0;
        self.flags = PacketFlags::NONE;
        self.flow_hash = 0;
        self.rest_length = 0;
        self.chained = false;
        self.rx_sw_if_index = UNSET;
        self.tx_sw_if_index = UNSET;
        self.l2_header_offset = 0;
        self.l3_header_offset = 0;
        self.l4_header_offset = 0;
        self.error = 0;
        self.feature_position = 0;
        self.adj_index = UNSET;
        self.fib_index = 0;
        self.gso_size = 0;
        self.gso_l4_header_length = 0;
        self.opaque = [0; 3];
        self.rx_time = 0;
    }

    /// Takes over everything that describes the packet but not its bytes: interfaces, offsets,
    /// tables, feature position, trace. For a packet made from another one.
    pub fn copy_metadata_from(&mut self, other: &Self) {
        self.flags = other.flags;
        self.flow_hash = other.flow_hash;
        self.rx_sw_if_index = other.rx_sw_if_index;
        self.tx_sw_if_index = other.tx_sw_if_index;
        self.l2_header_offset = other.l2_header_offset;
        self.l3_header_offset = other.l3_header_offset;
        self.l4_header_offset = other.l4_header_offset;
        self.error = other.error;
        self.feature_position = other.feature_position;
        self.adj_index = other.adj_index;
        self.fib_index = other.fib_index;
        self.gso_size = other.gso_size;
        self.gso_l4_header_length = other.gso_l4_header_length;
        self.opaque = other.opaque;
        self.trace_id = other.trace_id;
        self.rx_time = other.rx_time;
        self.opaque2 = other.opaque2;
    }

    /// Joins the trace of `other`, so that an answer shows up in the walk of what it answers.
    pub fn join_trace_of(&mut self, other: &Self) {
        if other.is_traced() {
            self.flags.insert(PacketFlags::TRACED);
            self.trace_id = other.trace_id;
        }
    }
}
