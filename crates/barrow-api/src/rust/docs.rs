//! Comments as rustdoc text.
//!
//! VPP writes `/** \brief Text. @param name - text */`. Whatever the comment holds, the result neither runs as a
//! test nor breaks rustdoc: no indented lines, no open brackets or backticks, no bare URLs.

use super::names::field_name;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashMap;

/// What a comment says about a definition and about its fields.
#[derive(Debug, Default)]
pub(super) struct Docs {
    lines: Vec<String>,
    fields: HashMap<String, Vec<String>>,
}

impl Docs {
    pub(super) fn of(comment: Option<&str>) -> Self {
        let mut docs = Self::default();
        let mut field: Option<String> = None;
        for line in comment.into_iter().flat_map(content) {
            let line = line.trim();
            if let Some((name, text)) = parameter(line) {
                docs.fields.insert(name.clone(), vec![escape(text)]);
                field = Some(name);
                continue;
            }
            let brief = ["\\brief", "@brief"]
                .iter()
                .find_map(|word| line.strip_prefix(word));
            let line = brief.unwrap_or(line).trim();
            let text = escape(line);
            match field.as_ref().and_then(|name| docs.fields.get_mut(name)) {
                Some(lines) if !line.is_empty() && brief.is_none() => lines.push(text),
                _ => {
                    field = None;
                    docs.lines.push(text);
                }
            }
        }
        trim(&mut docs.lines);
        docs
    }

    /// The text about the definition.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The text about a field.
    pub(super) fn field(&self, name: &str) -> &[String] {
        self.fields
            .get(&field_name(name))
            .map_or(&[], Vec::as_slice)
    }
}

/// Attributes for the lines of a text.
pub(super) fn attributes<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> TokenStream {
    let lines = lines.into_iter().map(|line| match line.as_ref() {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// The lines between the marks of a comment.
fn content(comment: &str) -> impl Iterator<Item = &str> {
    comment.lines().map(|line| {
        let line = line.trim();
        let line = line.strip_suffix("*/").unwrap_or(line);
        let opened = ["/**", "/*", "///", "//!", "//"]
            .iter()
            .find_map(|mark| line.strip_prefix(mark));
        opened.unwrap_or_else(|| line.trim_start().trim_start_matches('*'))
    })
}

/// `@param name - text`.
fn parameter(line: &str) -> Option<(String, &str)> {
    let rest = line
        .strip_prefix("@param")
        .or_else(|| line.strip_prefix("\\param"))?
        .trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let text = rest[end..].trim_start_matches(|c: char| c.is_whitespace() || "-:[]".contains(c));
    Some((field_name(&rest[..end]), text))
}

fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let lone_backtick = line.matches('`').count() % 2 == 1;
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 {
            escaped.push(' ');
        }
        let url = word.trim_end_matches(|c: char| ".,;:)".contains(c));
        if (url.starts_with("http://") || url.starts_with("https://")) && !url.contains(['<', '>'])
        {
            escaped.push_str(&format!("<{url}>{}", &word[url.len()..]));
            continue;
        }
        for c in word.chars() {
            if matches!(c, '<' | '>' | '[' | ']' | '\\') || (c == '`' && lone_backtick) {
                escaped.push('\\');
            }
            escaped.push(if c.is_control() { ' ' } else { c });
        }
    }
    // `~~~` and "```" would open a block of code, a `#` a heading.
    if escaped.starts_with('~') || escaped.starts_with("```") || escaped.starts_with('#') {
        escaped.insert(0, '\\');
    }
    escaped
}

fn trim(lines: &mut Vec<String>) {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..blank);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brief_and_parameters_are_told_apart() {
        let docs = Docs::of(Some(
            "/** \\brief Add a thing.\n    Second line.\n    @param sw_if_index - the interface\n      or ~0\n\n   * Behind.\n*/",
        ));
        assert_eq!(
            docs.lines(),
            ["Add a thing.", "Second line.", "", "Behind."]
        );
        assert_eq!(docs.field("sw_if_index"), ["the interface", "or ~0"]);
        assert!(docs.field("other").is_empty());
    }

    #[test]
    fn nothing_breaks_rustdoc() {
        assert_eq!(escape("a <b> [c] `d"), "a \\<b\\> \\[c\\] \\`d");
        assert_eq!(escape("see http://fd.io/x."), "see <http://fd.io/x>.");
        assert_eq!(Docs::of(Some("//     indented")).lines(), ["indented"]);
    }
}
