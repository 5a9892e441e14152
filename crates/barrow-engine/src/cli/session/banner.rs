//! What a person is greeted with.

use super::screen::{BOLD, RED, RESET};

/// The banner with an empty line behind it, its left part red where there are colours.
pub(super) fn banner(text: &str, color: bool) -> String {
    /// Columns that are coloured.
    const COLORED: usize = 20;
    let mut banner = String::new();
    for line in text.lines() {
        let (left, right) = line.split_at_checked(COLORED).unwrap_or((line, ""));
        if color {
            banner.push_str(&format!("{BOLD}{RED}{left}{RESET}{right}\n"));
        } else {
            banner.push_str(&format!("{line}\n"));
        }
    }
    banner.push('\n');
    banner
}
