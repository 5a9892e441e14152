//! How many packets of a node are still to be traced.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Shared by the main thread, which adds, and the node's instances, which take.
#[derive(Default, Debug)]
pub(crate) struct Arm {
    left: AtomicU32,
}

impl Arm {
    /// Whether there is anything to take. One load.
    #[inline]
    pub(crate) fn is_armed(&self) -> bool {
        self.left.load(Relaxed) != 0
    }

    /// Takes up to `n`; returns how many there were.
    #[cold]
    pub(crate) fn take(&self, n: u32) -> u32 {
        let before = self
            .left
            .fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(n)));
        before.unwrap_or(0).min(n)
    }

    /// Adds `n`; zero takes everything away, as `trace add NODE 0` does.
    pub(crate) fn add(&self, n: u32) {
        let change = |left: u32| Some(if n == 0 { 0 } else { left.saturating_add(n) });
        let _before = self.left.fetch_update(Relaxed, Relaxed, change);
    }

    pub(crate) fn left(&self) -> u32 {
        self.left.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn threads_together_take_exactly_what_was_added() {
        let arm = Arc::new(Arm::default());
        arm.add(10_000);
        let takers = (1..4).map(|step| {
            let arm = arm.clone();
            std::thread::spawn(move || {
                std::iter::repeat_with(|| arm.take(step))
                    .take_while(|n| *n > 0)
                    .sum::<u32>()
            })
        });
        let taken: u32 = takers
            .collect::<Vec<_>>()
            .into_iter()
            .map(|t| t.join().unwrap())
            .sum();
        assert_eq!(taken, 10_000);
        arm.add(3);
        arm.add(0);
        assert!(!arm.is_armed());
    }
}
