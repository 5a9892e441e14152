//! Guides to process nodes; every example in them is a test.

#[doc = include_str!("../../../docs/guides/process-nodes-from-c.md")]
pub mod from_c {}

#[doc = include_str!("../../../docs/guides/process-nodes-for-tokio-users.md")]
pub mod for_tokio_users {}

#[doc = include_str!("../../../docs/guides/long-computations.md")]
pub mod long_computations {}
