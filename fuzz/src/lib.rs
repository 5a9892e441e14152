//! What the fuzz targets do with their input. The corpora are replayed through the same functions as
//! ordinary tests (`tests/tests/corpus.rs`).
#![forbid(unsafe_code)]

mod entries;

pub use entries::*;
