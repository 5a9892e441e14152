//! Text in the shapes that VPP's formatter gives it.

use std::time::Duration;

/// Text in the middle of a column; of an odd number of blanks, one more stands before it.
pub(crate) fn center(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.chars().count());
    let (before, after) = (blanks.div_ceil(2), blanks / 2);
    format!("{:before$}{text}{:after$}", "", "")
}

/// A number with four decimals, without the zero before a point.
pub(crate) fn decimals(number: f64) -> String {
    let text = format!("{number:.4}");
    match text.strip_prefix("0.") {
        Some(fraction) => format!(".{fraction}"),
        None => text,
    }
}

/// A time in seconds.
pub(crate) fn seconds(time: Duration) -> String {
    decimals(time.as_secs_f64())
}

/// A number as C's `%.6e` writes it.
pub(super) fn scientific(number: f64) -> String {
    if !number.is_finite() {
        return "inf".to_owned();
    }
    let text = format!("{number:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_numbers_look_as_vpps() {
        assert_eq!(center("Age", 12), "     Age    ");
        assert_eq!(center("10.0.1.2", 10), " 10.0.1.2 ");
        assert_eq!(center("too long", 3), "too long");
        assert_eq!(seconds(Duration::from_micros(536_700)), ".5367");
        assert_eq!(seconds(Duration::from_millis(346_303)), "346.3030");
        assert_eq!(scientific(1_234_567.0), "1.234567e+06");
        assert_eq!(scientific(f64::INFINITY), "inf");
    }
}
