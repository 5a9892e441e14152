//! Names: C strings, and changes of case.

use std::ffi::CString;

use proc_macro2::Span;
use syn::{Error, LitCStr, LitStr, Result};

/// A text as a C string literal at the same place.
pub(crate) fn c_str(text: &LitStr) -> Result<LitCStr> {
    c_str_of(&text.value(), text.span())
}

/// A non-empty printable ASCII text as a C string literal (clients show names and descriptions).
pub(crate) fn c_str_of(text: &str, span: Span) -> Result<LitCStr> {
    if text.is_empty() {
        return Err(Error::new(span, "must not be empty"));
    }
    if let Some(c) = text.chars().find(|c| !(' '..='~').contains(c)) {
        return Err(Error::new(
            span,
            format!("must be printable ASCII, but has {c:?}"),
        ));
    }
    let text = CString::new(text).map_err(|error| Error::new(span, error))?;
    Ok(LitCStr::new(&text, span))
}

/// `BadLength` as `bad_length`; runs of capitals are one word (`TTLExpired`, `ttl_expired`).
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
        let before_lower = chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        if i > 0 && c.is_uppercase() && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// `link_watch` as `LinkWatch`.
pub(crate) fn camel_case(name: &str) -> String {
    let words = name
        .trim_start_matches("r#")
        .split('_')
        .filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().into_iter().flat_map(char::to_uppercase);
        first.chain(chars).collect::<String>()
    };
    words.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_snake_case() {
        assert_eq!(snake_case("BadLength"), "bad_length");
        assert_eq!(snake_case("TTLExpired"), "ttl_expired");
        assert_eq!(snake_case("Ip4"), "ip4");
        assert_eq!(snake_case("Drop"), "drop");
    }

    #[test]
    fn functions_become_camel_case() {
        assert_eq!(camel_case("link_watch"), "LinkWatch");
        assert_eq!(camel_case("r#loop"), "Loop");
        assert_eq!(camel_case("arp_2_age"), "Arp2Age");
    }

    #[test]
    fn texts_are_printable_ascii() {
        assert!(c_str_of("ip4-lookup", Span::call_site()).is_ok());
        for text in ["", "caf\u{e9}", "a\0b", "a\nb"] {
            assert!(c_str_of(text, Span::call_site()).is_err(), "{text:?}");
        }
    }
}
