//! Devices of the kernel behind a descriptor: what tap and host interfaces share.
//!
//! Both exchange frames with a virtio-net header in front ([`VirtioNetHeader`]). The header says what is
//! still to be done to a frame: a transport checksum to be completed, or a TCP packet that is longer than
//! the link and to be cut. Both directions carry it, so that neither side does work that the other would
//! do cheaper, or that nobody needs.

mod header;
mod input;
mod output;

pub(crate) use header::{HEADER_LEN, VirtioNetHeader};
pub(crate) use input::{DeviceInput, FrameSource, RxQueue};
pub(crate) use output::{DeviceTx, FrameSink};
