//! Where commands print.

use std::{cell::RefCell, fmt, rc::Rc, task::Waker};

/// Bytes that may wait in an [`Output`] before the rest is dropped.
const DEFAULT_LIMIT: usize = 64 << 20;

/// The text that commands have printed and nobody has taken yet. Clones are handles to the same one.
///
/// Bounded: what exceeds the limit is dropped, and whoever takes the text is told.
#[derive(Debug, Clone)]
pub struct Output {
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    text: String,
    limit: usize,
    overflowed: bool,
    reader: Option<Waker>,
}

impl Default for Output {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl Output {
    /// An output that holds `limit` bytes at most.
    pub fn with_limit(limit: usize) -> Self {
        let state = State {
            text: String::new(),
            limit,
            overflowed: false,
            reader: None,
        };
        Self {
            state: Rc::new(RefCell::new(state)),
        }
    }

    /// Appends text as it is. A NUL, which ends an answer on the CLI socket, becomes a question mark.
    pub fn write(&self, text: &str) {
        let mut state = self.state.borrow_mut();
        let room = state.limit.saturating_sub(state.text.len());
        let fits = if text.len() <= room {
            text
        } else {
            state.overflowed = true;
            &text[..(0..=room)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0)]
        };
        if fits.contains('\0') {
            state
                .text
                .extend(fits.chars().map(|c| if c == '\0' { '?' } else { c }));
        } else {
            state.text.push_str(fits);
        }
        if let Some(reader) = state.reader.take() {
            drop(state);
            reader.wake();
        }
    }

    /// Appends formatted text as it is.
    pub fn write_fmt(&self, text: fmt::Arguments<'_>) {
        match text.as_str() {
            Some(text) => self.write(text),
            None => fmt::write(&mut &*self, text).expect("writing to an output cannot fail"),
        }
    }

    /// Appends a line: the text, and a line end if it has none. Nothing at all if the text is empty.
    pub fn print(&self, text: impl fmt::Display) {
        let text = text.to_string();
        if !text.is_empty() {
            self.write(&text);
            if !text.ends_with('\n') {
                self.write("\n");
            }
        }
    }

    /// Takes what has been printed. If some was dropped, a line at the end says so.
    pub fn take(&self) -> String {
        let mut state = self.state.borrow_mut();
        let mut text = std::mem::take(&mut state.text);
        if std::mem::take(&mut state.overflowed) {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&format!(
                "-- more than {} bytes; the rest is lost --\n",
                state.limit
            ));
        }
        text
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.state.borrow().text.is_empty()
    }

    /// Whether more would be dropped: a command that prints much may stop.
    pub fn is_full(&self) -> bool {
        self.state.borrow().overflowed
    }

    /// Notes whom to wake at the next text.
    pub fn register(&self, reader: &Waker) {
        let mut state = self.state.borrow_mut();
        match &mut state.reader {
            Some(known) => known.clone_from(reader),
            none => *none = Some(reader.clone()),
        }
    }
}

impl fmt::Write for &Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gets_its_end_and_nothing_prints_nothing() {
        let output = Output::default();
        output.print("");
        output.print("one");
        output.print("two\n");
        write!(output, "{}", 3);
        assert_eq!(output.take(), "one\ntwo\n3");
        assert!(output.is_empty());
    }

    #[test]
    fn no_answer_holds_the_byte_that_ends_answers() {
        let output = Output::default();
        output.print("a\0b");
        assert_eq!(output.take(), "a?b\n");
    }

    #[test]
    fn too_much_text_is_cut_and_the_reader_is_told() {
        let output = Output::with_limit(5);
        output.write("abc\u{e9}\u{e9}");
        assert!(output.is_full());
        assert_eq!(
            output.take(),
            "abc\u{e9}\n-- more than 5 bytes; the rest is lost --\n"
        );
        assert!(!output.is_full());
    }
}
