//! How generated enumerations and flags print.

use std::fmt;

/// A name of the interface language and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// As in the `.api` file.
    pub name: &'static str,
    /// As on the wire, extended to 64 bits.
    pub value: i64,
}

impl NamedValue {
    /// `name` for `value`.
    pub const fn new(name: &'static str, value: i64) -> Self {
        Self { name, value }
    }
}

/// Prints the name of `value`, or `Type(value)` when it has none.
///
/// # Errors
/// As the formatter.
pub fn fmt_named(
    f: &mut fmt::Formatter<'_>,
    type_name: &str,
    names: &[NamedValue],
    value: i64,
) -> fmt::Result {
    match names.iter().find(|named| named.value == value) {
        Some(named) => f.write_str(named.name),
        None => write!(f, "{type_name}({value})"),
    }
}

/// Prints the names of the bits set in `bits`, joined with `|`, then what is left in hexadecimal; a value with a name
/// of its own prints as that; none at all as `Type(0)`.
///
/// # Errors
/// As the formatter.
pub fn fmt_flags(
    f: &mut fmt::Formatter<'_>,
    type_name: &str,
    names: &[NamedValue],
    bits: u64,
) -> fmt::Result {
    if let Some(named) = names.iter().find(|named| named.value as u64 == bits) {
        return f.write_str(named.name);
    }
    let mut left = bits;
    let mut separator = "";
    for named in names {
        let bit = named.value as u64;
        if bit.is_power_of_two() && left & bit != 0 {
            write!(f, "{separator}{}", named.name)?;
            separator = " | ";
            left &= !bit;
        }
    }
    match (left, separator) {
        (0, "") => write!(f, "{type_name}(0)"),
        (0, _) => Ok(()),
        (left, separator) => write!(f, "{separator}{left:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Flags(u64);
    impl fmt::Debug for Flags {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let named = NamedValue::new;
            fmt_flags(
                f,
                "Flags",
                &[named("UP", 1), named("LINK", 2), named("ALL", 255)],
                self.0,
            )
        }
    }

    #[test]
    fn flags_print_their_names_and_the_unknown_rest() {
        let text = |bits| format!("{:?}", Flags(bits));
        assert_eq!(text(0), "Flags(0)");
        assert_eq!(text(3), "UP | LINK");
        assert_eq!(text(0x82), "LINK | 0x80");
        assert_eq!(text(0x80), "0x80");
        assert_eq!(text(255), "ALL");
    }
}
