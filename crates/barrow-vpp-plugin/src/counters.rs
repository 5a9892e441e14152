//! Counters of a node, passed on as differences.

use barrow_core::ProcessStatus;

/// What a node counted since the last look: hosts that count by themselves add it to theirs.
#[derive(Clone, Debug, Default)]
pub struct Deltas {
    seen: Vec<u64>,
}

impl Deltas {
    /// Calls `apply` with the slot and the increase of each counter that moved.
    pub fn take(&mut self, status: &ProcessStatus, mut apply: impl FnMut(u16, u64)) {
        for (slot, (_, value)) in status.counters().enumerate() {
            if self.seen.len() <= slot {
                self.seen.push(0);
            }
            let increase = value.wrapping_sub(self.seen[slot]);
            if increase != 0 {
                self.seen[slot] = value;
                // A slot is an enum's variant: far below 2^16.
                apply(slot as u16, increase);
            }
        }
    }
}
