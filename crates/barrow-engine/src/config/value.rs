//! Value types that several sections share.

use super::{ConfigError, Words};
use std::collections::BTreeSet;

/// The highest CPU number a list may name; Linux's own limit for the masks involved is of the same order.
const MAX_CPU: u32 = 8191;

/// Reads a list of CPU numbers such as `1-3,5`.
pub(super) fn core_list(words: &mut Words<'_>) -> Result<BTreeSet<u32>, ConfigError> {
    words.value("a list of CPUs such as 1-3,5", |text| {
        let mut cores = BTreeSet::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
            if first > last || last > MAX_CPU {
                return None;
            }
            cores.extend(first..=last);
        }
        (!cores.is_empty()).then_some(cores)
    })
}

/// A page size: a power of two, or one of the words VPP knows for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageSize {
    /// What the host thinks best.
    #[default]
    Default,
    /// The system's default huge page.
    DefaultHuge,
    /// This many bytes, a power of two.
    Bytes(u64),
}

impl PageSize {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, ConfigError> {
        if words.take("default-hugepage") {
            return Ok(Self::DefaultHuge);
        }
        if words.take("default") {
            return Ok(Self::Default);
        }
        let (bytes, at) = (words.size()?, words.clone());
        if bytes.is_power_of_two() {
            Ok(Self::Bytes(bytes))
        } else {
            Err(at.conflict(format!("a page of {bytes} bytes is no power of two")))
        }
    }
}
