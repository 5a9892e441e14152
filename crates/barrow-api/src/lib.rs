//! VPP's interface language: .api and .api.json in and out, CRCs, Rust generator.
#![forbid(unsafe_code)]
