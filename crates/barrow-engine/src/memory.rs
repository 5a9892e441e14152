//! What the process uses, as the kernel sees it.

use barrow_stats::HeapUse;

/// The process's private memory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessMemory {
    /// Private address space that may be written: heap, stacks, pools.
    pub data: u64,
    /// The part of it that is in memory.
    pub resident: u64,
    /// The most of all memory that was ever resident.
    pub peak: u64,
}

impl ProcessMemory {
    /// As of now; zeros where the kernel does not tell.
    #[must_use]
    pub fn read() -> Self {
        std::fs::read_to_string("/proc/self/status")
            .map_or_else(|_| Self::default(), |s| Self::parse(&s))
    }

    /// From the text of `/proc/self/status` (proc(5)), whose sizes are in KiB.
    fn parse(status: &str) -> Self {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_ascii_whitespace().next());
            number
                .and_then(|kib| kib.parse::<u64>().ok())
                .map_or(0, |kib| kib.saturating_mul(1024))
        };
        Self {
            data: field("VmData:"),
            resident: field("RssAnon:"),
            peak: field("VmHWM:"),
        }
    }
}

impl From<ProcessMemory> for HeapUse {
    fn from(memory: ProcessMemory) -> Self {
        let total = memory.data.max(memory.resident);
        Self {
            total,
            used: memory.resident,
            free: total - memory.resident,
            peak: memory.peak,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_kib_and_what_is_missing_is_zero() {
        let memory = ProcessMemory::parse(
            "Name:\tx\nVmHWM:\t  300 kB\nVmData:\t 1000 kB\nRssAnon: 200 kB\n",
        );
        assert_eq!(
            memory,
            ProcessMemory {
                data: 1_024_000,
                resident: 204_800,
                peak: 307_200
            }
        );
        assert_eq!(
            ProcessMemory::parse("VmData: many\n"),
            ProcessMemory::default()
        );
        assert_eq!(HeapUse::from(memory).free, 819_200);
    }
}
