//! The cursor with which a command reads its arguments.

use super::{CliError, CliResult};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The arguments of a command: the rest of its line, or what stands in braces behind its path.
///
/// Each method takes what it is named after if that is next, and leaves the cursor alone otherwise. A command that wants
/// its whole line ends with [`Args::finish`]; what others leave unread becomes the next command.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    rest: &'a str,
}

impl<'a> Args<'a> {
    /// A cursor over `text`.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What is left, without leading blanks.
    pub fn rest(&self) -> &'a str {
        self.rest.trim_ascii_start()
    }

    /// Whether nothing but blanks is left.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next word, without taking it.
    pub fn peek(&self) -> Option<&'a str> {
        self.rest().split_ascii_whitespace().next()
    }

    /// Takes the next word: everything up to a blank.
    pub fn word(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.take(word.len());
        Some(word)
    }

    /// Takes the word `keyword`, written in full.
    pub fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek() == Some(keyword);
        if found {
            self.take(keyword.len());
        }
        found
    }

    /// Takes `keyword` if the next word is one of its beginnings with at least `least` characters.
    pub fn abbreviation(&mut self, keyword: &str, least: usize) -> bool {
        match self.peek() {
            Some(word) if word.len() >= least && keyword.starts_with(word) => {
                self.take(word.len());
                true
            }
            _ => false,
        }
    }

    /// Takes one of `choices`, in full or as an abbreviation that only one of them has.
    pub fn one_of<'k>(&mut self, choices: &[&'k str]) -> Option<&'k str> {
        let word = self.peek()?;
        let mut matching = choices
            .iter()
            .copied()
            .filter(|choice| choice.starts_with(word));
        let found = match choices.iter().copied().find(|choice| *choice == word) {
            Some(exact) => exact,
            None => matching.next().filter(|_| matching.next().is_none())?,
        };
        self.take(word.len());
        Some(found)
    }

    /// Takes `text` if the line continues with it, whatever follows: for separators such as `-` or `,`.
    pub fn literal(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.take(text.len());
        }
        found
    }

    /// Takes a whole number, decimal or with `0x`, that is no part of a longer word.
    pub fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        let rest = self.rest();
        let (digits, radix) = rest.strip_prefix("0x").map_or((rest, 10), |hex| (hex, 16));
        let length = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        if digits[length..].starts_with(|c: char| c.is_alphanumeric() || "_.:".contains(c)) {
            return None;
        }
        let number = u64::from_str_radix(&digits[..length], radix).ok()?;
        let number = T::try_from(number).ok()?;
        self.take(rest.len() - digits.len() + length);
        Some(number)
    }

    /// Takes a decimal number with sign, fraction and exponent as wanted; never infinite or NaN.
    pub fn float(&mut self) -> Option<f64> {
        self.parsed(|word| word.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    /// Takes an amount of bytes: a number with an optional `k`, `m` or `g` (powers of 1024) of either case.
    pub fn size(&mut self) -> Option<u64> {
        self.parsed(|word| {
            let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let shift = match &word[digits.len()..] {
                "" => 0,
                "k" | "K" => 10,
                "m" | "M" => 20,
                "g" | "G" => 30,
                _ => return None,
            };
            digits.parse::<u64>().ok()?.checked_mul(1 << shift)
        })
    }

    /// Takes an IPv4 address.
    pub fn ip4(&mut self) -> Option<Ipv4Addr> {
        self.from_word()
    }

    /// Takes an IPv6 address.
    pub fn ip6(&mut self) -> Option<Ipv6Addr> {
        self.from_word()
    }

    /// Takes an address of either family.
    pub fn ip(&mut self) -> Option<IpAddr> {
        self.from_word()
    }

    /// Takes an address and a length as written, `10.0.0.1/24`. The length is *not* checked against the family, because
    /// commands differ in what they say about it.
    pub fn prefix(&mut self) -> Option<(IpAddr, u32)> {
        self.parsed(|word| {
            let (address, length) = word.split_once('/')?;
            Some((address.parse().ok()?, length.parse().ok()?))
        })
    }

    /// As [`Args::prefix`], for IPv4 only.
    pub fn prefix4(&mut self) -> Option<(Ipv4Addr, u32)> {
        self.attempt(|args| match args.prefix()? {
            (IpAddr::V4(address), length) => Some((address, length)),
            (IpAddr::V6(_), _) => None,
        })
    }

    /// Takes an Ethernet address, `02:fe:00:00:00:01` or `02fe.0000.0001`.
    pub fn mac(&mut self) -> Option<[u8; 6]> {
        self.parsed(|word| {
            let (separator, digits) = if word.contains('.') {
                ('.', 4)
            } else {
                (':', 2)
            };
            let mut mac = [0; 6];
            let mut bytes = mac.iter_mut();
            for group in word.split(separator) {
                let shortened = separator == ':' && group.len() == 1;
                if group.len() != digits && !shortened {
                    return None;
                }
                let value = u16::from_str_radix(group, 16).ok()?;
                let [high, low] = value.to_be_bytes();
                if digits == 4 {
                    *bytes.next()? = high;
                }
                *bytes.next()? = low;
            }
            bytes.next().is_none().then_some(mac)
        })
    }

    /// Takes a word that `T` can be read from.
    pub fn from_word<T: FromStr>(&mut self) -> Option<T> {
        self.parsed(|word| word.parse().ok())
    }

    /// Takes a word that `parse` accepts.
    pub fn parsed<T>(&mut self, parse: impl FnOnce(&'a str) -> Option<T>) -> Option<T> {
        let word = self.peek()?;
        let value = parse(word)?;
        self.take(word.len());
        Some(value)
    }

    /// Takes what stands between double quotes, or else the next word.
    pub fn string(&mut self) -> Option<&'a str> {
        match self
            .rest()
            .strip_prefix('"')
            .and_then(|quoted| quoted.split_once('"'))
        {
            Some((inside, after)) => {
                self.rest = after;
                Some(inside)
            }
            None => self.word(),
        }
    }

    /// Takes `keyword` and the value behind it, or nothing.
    pub fn option<T>(
        &mut self,
        keyword: &str,
        value: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.attempt(|args| args.keyword(keyword).then(|| value(args)).flatten())
    }

    /// Runs `parse` and takes back what it took if it gives `None`.
    pub fn attempt<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let parsed = parse(self);
        if parsed.is_none() {
            self.rest = before;
        }
        parsed
    }

    /// Takes a block in balanced braces.
    pub fn block(&mut self) -> Option<Self> {
        let rest = self.rest();
        let end = block_end(rest)?;
        self.take(end + 1);
        Some(Self {
            rest: &rest[1..end],
        })
    }

    /// Takes everything that is left, without the blanks around it.
    pub fn line(&mut self) -> &'a str {
        let line = self.rest.trim_ascii();
        self.rest = "";
        line
    }

    /// The error for what is left: ``unknown input `…'``.
    pub fn unknown_input(&self) -> CliError {
        CliError::unknown_input(self.rest)
    }

    /// Ends the arguments.
    ///
    /// # Errors
    /// [`Args::unknown_input`] if something is left.
    pub fn finish(&self) -> CliResult {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.unknown_input())
        }
    }

    /// Moves over `length` bytes behind the leading blanks.
    fn take(&mut self, length: usize) {
        self.rest = &self.rest()[length..];
    }
}

/// The offset of the brace that closes the one with which `text` begins.
pub(super) fn block_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    if !text.starts_with('{') {
        return None;
    }
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_method_takes_what_it_is_named_after_and_leaves_the_rest() {
        let mut args = Args::new("  pg0 0x10 7-9 1.5 64k 10.0.0.1 2001:db8::1 10.0.0.0/99 end");
        assert_eq!(args.ip4(), None);
        assert_eq!(args.word(), Some("pg0"));
        assert_eq!(args.number::<u8>(), Some(16));
        assert_eq!(args.number::<u32>(), Some(7));
        assert!(args.literal("-"));
        assert_eq!(args.number::<u32>(), Some(9));
        assert_eq!(args.number::<u32>(), None);
        assert_eq!(args.float(), Some(1.5));
        assert_eq!(args.size(), Some(65_536));
        assert_eq!(args.number::<u32>(), None);
        assert_eq!(args.ip(), Some(Ipv4Addr::new(10, 0, 0, 1).into()));
        assert_eq!(args.ip4(), None);
        assert_eq!(args.ip6(), "2001:db8::1".parse().ok());
        assert_eq!(args.prefix4(), Some((Ipv4Addr::new(10, 0, 0, 0), 99)));
        assert_eq!(args.finish(), Err(CliError::new("unknown input `end'")));
        assert!(args.keyword("end"));
        assert_eq!(args.finish(), Ok(()));
    }

    #[test]
    fn keywords_are_exact_and_choices_may_be_abbreviated() {
        let mut args = Args::new("verb on enab");
        assert!(!args.keyword("verbose"));
        assert!(!args.abbreviation("verbose", 5));
        assert!(args.abbreviation("verbose", 2));
        assert_eq!(args.one_of(&["on", "only", "off"]), Some("on"));
        assert_eq!(args.one_of(&["enable", "enabled"]), None);
        assert_eq!(args.one_of(&["enable", "disable"]), Some("enable"));
    }

    #[test]
    fn numbers_do_not_overflow_silently() {
        assert_eq!(Args::new("256").number::<u8>(), None);
        assert_eq!(Args::new("18446744073709551616").number::<u64>(), None);
        assert_eq!(Args::new("17179869184g").size(), None);
        assert_eq!(Args::new("nan").float(), None);
        assert_eq!(Args::new("1e999").float(), None);
    }

    #[test]
    fn ethernet_addresses_come_in_two_forms() {
        let mac = Some([2, 0xfe, 0, 0x11, 0x22, 0x33]);
        assert_eq!(Args::new("02:fe:00:11:22:33").mac(), mac);
        assert_eq!(Args::new("2:fe:0:11:22:33").mac(), mac);
        assert_eq!(Args::new("02fe.0011.2233").mac(), mac);
        for bad in [
            "02:fe:00:11:22",
            "02:fe:00:11:22:33:44",
            "02fe.0011",
            "zz",
            "02:fe:00:11:22:gg",
        ] {
            assert_eq!(Args::new(bad).mac(), None, "{bad}");
        }
    }

    #[test]
    fn blocks_nest_and_strings_may_be_quoted() {
        let mut args = Args::new(r#"data { a { b } } "two words" three"#);
        assert_eq!(
            args.option("data", |a| a.block().map(|b| b.rest().trim())),
            Some("a { b }")
        );
        assert_eq!(args.string(), Some("two words"));
        assert_eq!(args.option("three", Args::number::<u8>), None);
        assert_eq!(args.line(), "three");
        assert!(Args::new("{ open").block().is_none());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_cursor_panic(text in "\\PC{0,40}", pick in 0_usize..12) {
            let mut args = Args::new(&text);
            match pick {
                0 => drop(args.number::<u16>()),
                1 => drop(args.float()),
                2 => drop(args.size()),
                3 => drop(args.prefix()),
                4 => drop(args.mac()),
                5 => drop(args.string()),
                6 => drop(args.block()),
                7 => drop(args.one_of(&["abc", "abd"])),
                8 => drop(args.line()),
                9 => drop(args.literal("{")),
                10 => drop(args.ip()),
                _ => drop(args.word()),
            }
            prop_assert!(text.ends_with(args.rest()));
        }
    }
}
