//! Macros: `$(name)` and `$name` in a request stand for a value.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// How deep values may refer to other macros (VPP's limit).
const MAX_DEPTH: usize = 8;

/// The longest text that an expansion gives; a longer one is cut.
const MAX_TEXT: usize = 1 << 20;

/// Macros that one expansion replaces, those within values included; later ones stay empty.
const MAX_REPLACEMENTS: usize = 10_000;

/// Values that a table holds at most.
const MAX_VALUES: usize = 1024;

/// A table of macros, and the one it falls back to.
#[derive(Debug, Default)]
pub struct Macros {
    values: RefCell<BTreeMap<String, String>>,
    parent: Option<Rc<Self>>,
}

/// A table is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {MAX_VALUES} macros already")]
pub struct TooManyMacros;

impl Macros {
    /// A table whose unknown names are looked up in `parent`.
    pub fn with_parent(parent: Rc<Self>) -> Self {
        Self {
            values: RefCell::default(),
            parent: Some(parent),
        }
    }

    /// Defines a macro, or changes it.
    ///
    /// # Errors
    /// [`TooManyMacros`] for a new one in a full table.
    pub fn define(&self, name: &str, value: &str) -> Result<(), TooManyMacros> {
        let mut values = self.values.borrow_mut();
        if values.len() >= MAX_VALUES && !values.contains_key(name) {
            return Err(TooManyMacros);
        }
        values.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Removes a macro; false if there was none.
    pub fn undefine(&self, name: &str) -> bool {
        self.values.borrow_mut().remove(name).is_some()
    }

    /// This table's macros by name, not those of its parent.
    pub fn list(&self) -> Vec<(String, String)> {
        self.values
            .borrow()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Replaces macros in `text`. `\` takes the next character as it is; an unknown name is `UNSET`; a value that refers
    /// to itself ends in `CIRCULAR`.
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        self.expand_into(&mut expanded, text, 0, &mut { MAX_REPLACEMENTS });
        expanded
    }

    fn expand_into(&self, out: &mut String, text: &str, depth: usize, left: &mut usize) {
        if depth >= MAX_DEPTH {
            out.push_str(" CIRCULAR ");
            return;
        }
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\\']) {
            out.push_str(&rest[..at]);
            let escape = rest[at..].starts_with('\\');
            rest = &rest[at + 1..];
            if out.len() > MAX_TEXT || *left == 0 {
                return;
            }
            if escape {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            let (name, after) = macro_name(rest);
            rest = after;
            *left -= 1;
            match self.value(name) {
                Some(value) => self.expand_into(out, &value, depth + 1, left),
                None => out.push_str("UNSET"),
            }
        }
        out.push_str(rest);
    }

    fn value(&self, name: &str) -> Option<String> {
        let own = self.values.borrow().get(name).cloned();
        own.or_else(|| self.parent.as_ref()?.value(name))
    }
}

/// Divides what follows a `$` into the macro's name and the rest.
fn macro_name(text: &str) -> (&str, &str) {
    if let Some(inside) = text.strip_prefix('(') {
        return inside.split_once(')').unwrap_or((inside, ""));
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_values_and_unknown_ones_become_unset() {
        let global = Rc::new(Macros::default());
        global.define("if", "pg0").unwrap();
        let session = Macros::with_parent(global);
        session.define("what", "address $(if)").unwrap();
        assert_eq!(
            session.expand("show int $(what) now"),
            "show int address pg0 now"
        );
        assert_eq!(session.expand("$if/$(nothing)$"), "pg0/UNSETUNSET");
        assert_eq!(session.expand(r"cost \$5 \\"), r"cost $5 \");
        assert_eq!(
            session.list(),
            [("what".to_owned(), "address $(if)".to_owned())]
        );
    }

    #[test]
    fn a_value_that_refers_to_itself_ends() {
        let macros = Macros::default();
        macros.define("a", "x$(a)").unwrap();
        assert_eq!(macros.expand("$(a)"), "xxxxxxx CIRCULAR ");
    }

    #[test]
    fn a_value_that_doubles_at_each_depth_stays_bounded() {
        let macros = Macros::default();
        macros.define("a", &"$(a)".repeat(200)).unwrap();
        assert!(macros.expand("$(a)").len() < 2 * MAX_TEXT);
    }

    #[test]
    fn many_macros_without_text_take_bounded_time() {
        let macros = Macros::default();
        for n in 0..6 {
            macros
                .define(&format!("m{n}"), &format!("$(m{})", n + 1).repeat(1000))
                .unwrap();
        }
        macros.define("m6", "").unwrap();
        assert_eq!(macros.expand("$(m0)"), "");
    }

    #[test]
    fn a_table_holds_a_bounded_number() {
        let macros = Macros::default();
        for n in 0..MAX_VALUES {
            macros.define(&n.to_string(), "").unwrap();
        }
        assert_eq!(macros.define("one more", ""), Err(TooManyMacros));
        macros.define("0", "changed").unwrap();
        assert!(macros.undefine("0") && !macros.undefine("0"));
    }

    proptest! {
        #[test]
        fn no_text_makes_an_expansion_panic(text in "[$()a\\\\ \u{e9}]{0,30}") {
            let macros = Macros::default();
            macros.define("a", "$(aa)$").unwrap();
            macros.expand(&text);
        }
    }
}
