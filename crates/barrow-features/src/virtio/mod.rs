//! Devices of the kernel behind a descriptor: what tap and host interfaces share.
//!
//! Both exchange frames with a virtio-net header in front ([`VirtioNetHeader`]). The header says what is
//! still to be done to a frame: a transport checksum to be completed, or a TCP packet that is longer than
//! the link and to be cut. Both directions carry it, so that neither side does work that the other would
//! do cheaper, or that nobody needs.
//!
//! [`DeviceQueues`] says which threads serve and use a device's queues, [`DeviceInput`] and [`DeviceTx`]
//! are the nodes that do so there.

mod header;
mod inbox;
mod input;
mod modes;
mod output;
mod queues;

pub(crate) use header::{HEADER_LEN, VirtioNetHeader};
#[cfg(test)]
pub(crate) use inbox::Room;
pub(crate) use inbox::{Inbox, LONGEST};
pub(crate) use input::{DeviceInput, FrameSource, Frames, RxQueue};
pub(crate) use modes::QueueModes;
pub(crate) use output::{DeviceTx, FrameSink};
pub(crate) use queues::{DeviceQueues, QueueContext};
