//! Dates of the proleptic Gregorian calendar in UTC, as the log and `show clock` print them.

use std::time::Duration;

/// A moment, taken apart.
struct Civil {
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
    /// 0 is Sunday.
    weekday: usize,
    hour: u64,
    minute: u64,
    second: u64,
    millisecond: u32,
}

impl Civil {
    /// From the time since 1970. Years start in March here, so that the leap day is the last of its year; an era has 400
    /// of them and 146,097 days.
    fn new(since_epoch: Duration) -> Self {
        let seconds = since_epoch.as_secs();
        let days = seconds / 86_400;
        let shifted = days + 719_468; // days from 0000-03-01
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            weekday: usize::try_from((days + 4) % 7).expect("a remainder below 7"),
            hour: seconds / 3_600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millisecond: since_epoch.subsec_millis(),
        }
    }
}

/// The date of a log line: `2026/11/20 17:46:35:920`.
pub fn log_date(since_epoch: Duration) -> String {
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        millisecond,
        ..
    } = Civil::new(since_epoch);
    format!("{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}:{millisecond:03}")
}

/// The date as HTTP writes it (RFC 9110 section 5.6.7): `Fri, 20 Nov 2026 17:46:40 GMT`.
pub fn http_date(since_epoch: Duration) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let Civil {
        year,
        month,
        day,
        weekday,
        hour,
        minute,
        second,
        ..
    } = Civil::new(since_epoch);
    let month = MONTHS[usize::try_from(month - 1).expect("a month")];
    let weekday = DAYS[weekday];
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds, millis| Duration::from_secs(seconds) + Duration::from_millis(millis);
        assert_eq!(log_date(at(0, 0)), "1970/01/01 00:00:00:000");
        assert_eq!(log_date(at(951_782_400, 1)), "2000/02/29 00:00:00:001");
        assert_eq!(log_date(at(951_868_800, 0)), "2000/03/01 00:00:00:000");
        assert_eq!(log_date(at(1_795_196_795, 920)), "2026/11/20 17:46:35:920");
        assert_eq!(
            http_date(at(1_795_196_800, 0)),
            "Fri, 20 Nov 2026 17:46:40 GMT"
        );
        assert_eq!(
            http_date(at(784_111_777, 0)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }
}
