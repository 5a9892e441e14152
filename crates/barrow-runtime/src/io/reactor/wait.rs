//! How to sleep: a pure decision, so that it is tested by logic and not by a stopwatch.

use std::time::Duration;

/// The way to sleep until a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The deadline has passed.
    No,
    /// There is none.
    Forever,
    /// Pass the rest to the poll call: no further system call.
    Timeout(Duration),
    /// Arm the timer descriptor.
    Timer,
}

/// Up to here the poll call's own timeout is exact enough.
///
/// Linux lets a poll call be late by a thousandth of its timeout (`select_estimate_accuracy` in
/// `fs/select.c`), so that below a millisecond this is less than a microsecond. A timer descriptor
/// has no such slack.
const FINE: Duration = Duration::from_millis(1);

/// Decides how to sleep for `left`; `fine` tells whether the kernel has a poll call with a timeout
/// in nanoseconds (Linux 5.11).
pub(super) fn plan(left: Duration, fine: bool) -> Wait {
    match left {
        Duration::ZERO => Wait::No,
        left if left <= FINE && fine => Wait::Timeout(left),
        _ => Wait::Timer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_deadline_does_not_sleep() {
        assert_eq!(plan(Duration::ZERO, true), Wait::No);
        assert_eq!(plan(Duration::ZERO, false), Wait::No);
    }

    #[test]
    fn short_sleeps_need_no_timer_where_the_kernel_is_fine() {
        assert_eq!(
            plan(Duration::from_nanos(1), true),
            Wait::Timeout(Duration::from_nanos(1))
        );
        assert_eq!(plan(FINE, true), Wait::Timeout(FINE));
        assert_eq!(plan(Duration::from_nanos(1), false), Wait::Timer);
    }

    #[test]
    fn long_sleeps_take_the_timer_which_has_no_slack() {
        assert_eq!(plan(FINE + Duration::from_nanos(1), true), Wait::Timer);
        assert_eq!(plan(Duration::MAX, true), Wait::Timer);
    }
}
