//! The processor's cycle counter, which the per-node statistics are measured in.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The processor's time stamp: the TSC on x86-64, the virtual counter on AArch64, nanoseconds
/// elsewhere.
///
/// A few nanoseconds; neither ordered with other instructions nor a system call. Its unit is
/// [`tsc_frequency`].
#[inline(always)]
#[must_use]
pub fn tsc() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 processor has the instruction, and Linux leaves it enabled for user
        // code; it changes no state.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let count: u64;
        // SAFETY: Linux lets user code read the virtual counter; reading it changes no state.
        unsafe {
            core::arch::asm!(
                "mrs {0}, cntvct_el0",
                out(reg) count,
                options(nomem, nostack, preserves_flags)
            );
        }
        count
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        use rustix::time::{ClockId, clock_gettime};
        let now = clock_gettime(ClockId::Monotonic);
        now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
    }
}

/// Time stamps a second.
///
/// Measured once in the process, by the first caller, which sleeps 20 ms for it; accurate to some
/// parts in a million.
#[must_use]
pub fn tsc_frequency() -> u64 {
    static FREQUENCY: OnceLock<u64> = OnceLock::new();
    *FREQUENCY.get_or_init(|| {
        let (start, first) = sample();
        std::thread::sleep(Duration::from_millis(20));
        let (end, last) = sample();
        frequency(last.wrapping_sub(first), end - start)
    })
}

/// Clock and counter at the same moment: of several tries, the one that took the fewest cycles.
fn sample() -> (Instant, u64) {
    let read = || {
        let before = tsc();
        let clock = Instant::now();
        let width = tsc().wrapping_sub(before);
        (width, clock, before.wrapping_add(width / 2))
    };
    let best = (0..16).map(|_| read()).min_by_key(|&(width, ..)| width);
    best.map(|(_, clock, count)| (clock, count))
        .expect("16 samples were taken")
}

/// [`tsc`] as the clock of schedulers and regions.
#[derive(Clone, Copy, Debug, Default)]
pub struct TscClock;

impl barrow_core::Clock for TscClock {
    #[inline(always)]
    fn clocks(&self) -> u64 {
        tsc()
    }

    fn frequency(&self) -> u64 {
        tsc_frequency()
    }
}

fn frequency(cycles: u64, time: Duration) -> u64 {
    let per_second = u128::from(cycles) * 1_000_000_000 / time.as_nanos().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequency_is_cycles_over_time() {
        assert_eq!(
            frequency(26_000_000, Duration::from_millis(10)),
            2_600_000_000
        );
        assert_eq!(frequency(0, Duration::ZERO), 1);
    }

    #[test]
    fn the_counter_runs_and_its_frequency_is_constant() {
        let first = tsc();
        assert_eq!(tsc_frequency(), tsc_frequency());
        assert_ne!(tsc(), first);
    }
}
