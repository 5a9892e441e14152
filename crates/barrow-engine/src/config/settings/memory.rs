//! `memory { … }`, `physmem { … }`, `buffers { … }`.

use crate::config::{ConfigError, PageSize, Words};

/// The section `memory`. Barrow has no heap of its own, so that the sizes limit nothing; they are kept for listings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemorySettings {
    /// `main-heap-size N`
    pub main_heap_size: Option<u64>,
    /// `main-heap-page-size N`
    pub main_heap_page_size: PageSize,
    /// `default-hugepage-size N`
    pub default_hugepage_size: PageSize,
}

impl MemorySettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 3] = [
            "main-heap-size",
            "main-heap-page-size",
            "default-hugepage-size",
        ];
        while let Some(word) = words.keyword(&KNOWN)? {
            match word {
                "main-heap-size" => self.main_heap_size = Some(words.size()?),
                "main-heap-page-size" => self.main_heap_page_size = PageSize::read(&mut words)?,
                "default-hugepage-size" => {
                    self.default_hugepage_size = PageSize::read(&mut words)?;
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}

/// The section `physmem`: the memory that packet buffers may take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhysmemSettings {
    /// `max-size N`
    pub max_size: Option<u64>,
}

impl PhysmemSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        while words.keyword(&["max-size"])?.is_some() {
            self.max_size = Some(words.size()?);
        }
        Ok(())
    }
}

/// The section `buffers`: the packet buffers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BufferSettings {
    /// `buffers-per-numa N`
    pub buffers_per_numa: Option<u32>,
    /// `default data-size N`: bytes of a buffer behind its headroom.
    pub data_size: Option<u32>,
    /// `page-size N`
    pub page_size: PageSize,
}

impl BufferSettings {
    /// The data sizes that a buffer may have.
    pub const DATA_SIZES: std::ops::RangeInclusive<u32> = 256..=16_384;

    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        while let Some(word) = words.keyword(&["buffers-per-numa", "default", "page-size"])? {
            match word {
                "buffers-per-numa" => self.buffers_per_numa = Some(words.number()?),
                "page-size" => self.page_size = PageSize::read(&mut words)?,
                "default" => {
                    if words.keyword(&["data-size"])?.is_none() {
                        return Err(words.conflict("`default' needs `data-size N'"));
                    }
                    let at = words.clone();
                    let size = words.number()?;
                    if !Self::DATA_SIZES.contains(&size) {
                        let (least, most) = Self::DATA_SIZES.into_inner();
                        return Err(at.conflict(format!(
                            "a data size of {size} bytes is outside {least} to {most}"
                        )));
                    }
                    self.data_size = Some(size);
                }
                other => unreachable!("`{other}' is in the table without being read"),
            }
        }
        Ok(())
    }
}
