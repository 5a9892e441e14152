//! Many datagrams in one system call: `recvmmsg` and `sendmmsg`.

use std::io;
use std::num::NonZeroU16;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use rustix::io::Errno;

use super::name::{self, CONTROL, Control, NAME, Name, SEGMENT};
use crate::io::machine::Address;

/// Datagrams in one call at most.
pub(crate) const BATCH: usize = 32;

/// What came with one datagram.
#[derive(Debug)]
pub(crate) struct Received {
    /// Bytes in the buffer.
    pub(crate) len: usize,
    /// Who sent it.
    pub(crate) from: Address,
    /// What control messages told.
    pub(crate) control: Control,
    /// It was longer than the buffer; the rest is lost.
    pub(crate) cut: bool,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Part {
    name: [u8; NAME],
    control: [u8; CONTROL],
}

/// Receives up to [`BATCH`] datagrams at a time.
pub(crate) struct Receiver {
    parts: Box<[Part; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            parts: Box::new(
                [Part {
                    name: [0; NAME],
                    control: [0; CONTROL],
                }; BATCH],
            ),
            vectors: Box::new([NOTHING; BATCH]),
            headers: Box::new([EMPTY; BATCH]),
        }
    }

    /// Receives datagrams that are there, one into each buffer, at most [`BATCH`]; returns how many.
    pub(crate) fn receive<'a>(
        &mut self,
        fd: impl AsFd,
        buffers: impl Iterator<Item = &'a mut [u8]>,
    ) -> rustix::io::Result<usize> {
        let mut n = 0;
        for (i, buffer) in buffers.take(BATCH).enumerate() {
            self.vectors[i] = libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: buffer.len(),
            };
            let header = &mut self.headers[i].msg_hdr;
            let part = &mut self.parts[i];
            header.msg_name = part.name.as_mut_ptr().cast();
            header.msg_namelen = NAME as u32;
            header.msg_iov = &raw mut self.vectors[i];
            header.msg_iovlen = 1;
            header.msg_control = part.control.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
            n += 1;
        }
        // SAFETY: the first `n` headers point to live arrays of the lengths they tell: names,
        // controls and vectors are fields of `self`, boxed and borrowed exclusively; each vector is
        // one of the buffers, which are distinct exclusive borrows that outlive this call.
        let got = unsafe {
            libc::recvmmsg(
                fd.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                n as u32,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        usize::try_from(got).map_err(|_| last_error())
    }

    /// What came with the datagram in buffer `i` of the last call.
    pub(crate) fn received(&self, i: usize) -> Received {
        let header = &self.headers[i].msg_hdr;
        let part = &self.parts[i];
        let control = header.msg_controllen.min(CONTROL);
        Received {
            len: self.headers[i].msg_len as usize,
            from: name::parse(&part.name, header.msg_namelen as usize),
            control: name::parse_control(&part.control[..control]),
            cut: header.msg_flags & libc::MSG_TRUNC != 0,
        }
    }
}

/// One datagram, or a run of them that the kernel cuts.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// To whom; `None` where the socket is connected.
    pub(crate) to: Option<&'a Address>,
    /// Size of each datagram, when it is to be cut.
    pub(crate) segment: Option<NonZeroU16>,
    /// The bytes.
    pub(crate) data: &'a [u8],
}

/// Sends up to [`BATCH`] datagrams at a time.
pub(crate) struct Sender {
    names: Box<[Name; BATCH]>,
    controls: Box<[Aligned; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Aligned([u8; SEGMENT]);

impl Sender {
    pub(crate) fn new() -> Self {
        Self {
            names: Box::new([Name::EMPTY; BATCH]),
            controls: Box::new([Aligned([0; SEGMENT]); BATCH]),
            vectors: Box::new([NOTHING; BATCH]),
            headers: Box::new([EMPTY; BATCH]),
        }
    }

    /// Sends datagrams, at most [`BATCH`]; returns how many the kernel took. An error is the first
    /// one's.
    pub(crate) fn send<'a>(
        &mut self,
        fd: impl AsFd,
        datagrams: impl Iterator<Item = Outgoing<'a>>,
    ) -> rustix::io::Result<usize> {
        let mut n = 0;
        for (i, datagram) in datagrams.take(BATCH).enumerate() {
            self.vectors[i] = libc::iovec {
                iov_base: datagram.data.as_ptr().cast_mut().cast(),
                iov_len: datagram.data.len(),
            };
            let header = &mut self.headers[i].msg_hdr;
            *header = EMPTY.msg_hdr;
            header.msg_iov = &raw mut self.vectors[i];
            header.msg_iovlen = 1;
            if let Some(to) = datagram.to {
                self.names[i].set(to);
                header.msg_name = self.names[i].bytes.as_mut_ptr().cast();
                header.msg_namelen = self.names[i].len;
            }
            if let Some(size) = datagram.segment {
                self.controls[i].0 = name::segment_control(size);
                header.msg_control = self.controls[i].0.as_mut_ptr().cast();
                header.msg_controllen = SEGMENT as _;
            }
            n += 1;
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: as in `receive`; the kernel only reads names, controls and data, which are borrowed
        // until after this call.
        let sent = unsafe {
            libc::sendmmsg(
                fd.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                n as u32,
                flags as _,
            )
        };
        usize::try_from(sent).map_err(|_| last_error())
    }
}

const NOTHING: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

// SAFETY: a header of zeros has null pointers with lengths of zero, and no padding matters.
const EMPTY: libc::mmsghdr = unsafe { std::mem::zeroed() };

pub(crate) fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
