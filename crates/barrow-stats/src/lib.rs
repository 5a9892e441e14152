//! The statistics segment: layout, writer, reader.
#![deny(unsafe_code)]
