//! Bytes on their way to a terminal.

/// ANSI sequences.
pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const RESET: &str = "\x1b[0m";
pub(super) const RED: &str = "\x1b[31m";
pub(super) const CLEAR_SCREEN: &str = "\x1b[2J\x1b[1;1H";
pub(super) const CLEAR_LINE: &str = "\x1b[2K";

/// Collects what is to be sent, with the terminal's line ends, and moves its cursor.
#[derive(Debug, Default)]
pub(super) struct Screen {
    bytes: Vec<u8>,
    /// Whether a line ends in CR LF.
    pub(super) crlf: bool,
    /// The width, if the cursor can be moved over the left edge of the screen.
    pub(super) wrap_at: Option<usize>,
    /// Columns before the edited line.
    pub(super) prompt: usize,
    /// Whether the cursor moved left last.
    leftwards: bool,
}

impl Screen {
    /// Appends bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends text with the terminal's line ends.
    pub(super) fn text(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if self.crlf {
            for piece in text.split_inclusive(|byte| *byte == b'\n') {
                match piece.strip_suffix(b"\n") {
                    Some(line) => {
                        self.raw(line);
                        self.raw(b"\r\n");
                    }
                    None => self.raw(piece),
                }
            }
        } else {
            self.raw(text);
        }
        if let Some(last) = text.last() {
            self.leftwards = *last == b'\x08';
        }
    }

    /// Moves the cursor left from column `from` of the edited line, where `under` stands.
    ///
    /// A terminal does not move left over its edge by itself, and hides the cursor behind the right one after it wrote
    /// there.
    pub(super) fn left(&mut self, from: usize, under: Option<u8>) {
        let at_edge = self
            .wrap_at
            .filter(|width| (self.prompt + from).is_multiple_of(*width));
        let Some(width) = at_edge else {
            return self.text(b"\x08");
        };
        if !self.leftwards {
            self.text([under.unwrap_or(b' ')]);
            self.text(b"\r");
        }
        self.text(format!("\x1b[A\x1b[{}C", width - 1));
        self.leftwards = true;
    }

    /// Takes what is to be sent.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.bytes.is_empty()).then(|| std::mem::take(&mut self.bytes))
    }
}
