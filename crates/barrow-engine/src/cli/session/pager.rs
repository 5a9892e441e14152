//! Showing long output a page at a time.

use super::{
    keys::PagerKey,
    screen::{BOLD, CLEAR_LINE, CLEAR_SCREEN, RESET, Screen},
};

/// The terminal a page must fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) width: usize,
    /// At least 1.
    pub(super) height: usize,
    pub(super) ansi: bool,
    /// Rows after which the pager gives up.
    pub(super) limit: usize,
}

impl View {
    /// Rows of a page: one is the pager's own.
    fn page(&self) -> usize {
        self.height.saturating_sub(1)
    }
}

/// The output of one command, as far as it is kept.
#[derive(Debug, Default)]
pub(super) struct Pager {
    lines: Vec<Box<[u8]>>,
    rows: Vec<Row>,
    /// The first row on the screen.
    start: usize,
    /// A line whose end has not come yet.
    unfinished: Vec<u8>,
    /// Too much output: from here on it goes to the screen at once.
    overflowed: bool,
}

/// A piece of a line that fits the screen.
#[derive(Debug, Clone, Copy)]
struct Row {
    line: usize,
    from: usize,
    to: usize,
}

impl Pager {
    /// Whether rows are shown and keys are its own.
    pub(super) fn is_open(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Takes output: the first page goes to the screen, the rest is kept.
    pub(super) fn write(&mut self, text: &[u8], view: View, screen: &mut Screen) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            if self.overflowed {
                screen.text(piece);
                continue;
            }
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.finish_line(view, screen);
            }
        }
    }

    /// Ends the output. True if rows are left to show, so that the pager stays open.
    pub(super) fn finish(&mut self, view: View, screen: &mut Screen) -> bool {
        if !self.unfinished.is_empty() {
            self.finish_line(view, screen);
        }
        if self.overflowed {
            let (bold, reset) = emphasis(view);
            screen.text(format!("\r{bold}-- pager buffer overflowed --{reset}\n"));
        }
        if self.rows.len() < view.height {
            *self = Self::default();
            return false;
        }
        self.prompt(view, screen);
        true
    }

    /// Handles a key. False when the pager closed.
    pub(super) fn key(&mut self, key: PagerKey, view: View, screen: &mut Screen) -> bool {
        let more_below = view.height + self.start <= self.rows.len();
        let last_start = self.rows.len().saturating_sub(view.page());
        match key {
            PagerKey::Quit => return self.close(view, screen),
            PagerKey::Next | PagerKey::PageDown if more_below => {
                let from = self.start + view.page();
                let to = self.rows.len().min(from + view.page());
                erase_prompt(view, screen);
                self.show(from, to, screen);
                self.start += to - from;
                self.prompt(view, screen);
            }
            PagerKey::Enter | PagerKey::Down if more_below => {
                let next = self.start + view.page();
                erase_prompt(view, screen);
                self.show(next, next + 1, screen);
                self.start += 1;
                self.prompt(view, screen);
            }
            PagerKey::Next | PagerKey::Enter => return self.close(view, screen),
            PagerKey::Up if self.start > 0 && view.ansi => {
                self.start -= 1;
                self.scroll_down(view, screen);
            }
            PagerKey::Up if self.start > 0 => self.page_at(self.start - 1, None, view, screen),
            PagerKey::PageUp if self.start > 0 => {
                self.page_at(self.start.saturating_sub(view.page()), None, view, screen);
            }
            PagerKey::Top if self.start > 0 => self.page_at(0, None, view, screen),
            PagerKey::Bottom if self.start < last_start => {
                self.page_at(last_start, Some("skipping"), view, screen);
            }
            PagerKey::Redraw => self.redraw(view, screen),
            _ => {}
        }
        true
    }

    /// Wraps the rows anew after the terminal changed, and shows the page.
    pub(super) fn resize(&mut self, view: View, screen: &mut Screen) {
        let Some(top) = self.rows.get(self.start).copied() else {
            return;
        };
        self.rows.clear();
        for line in 0..self.lines.len() {
            self.wrap(line, view);
        }
        let holds_top = |row: &Row| row.line == top.line && row.to > top.from;
        self.start = self.rows.iter().position(holds_top).unwrap_or(0);
        self.redraw(view, screen);
    }

    fn finish_line(&mut self, view: View, screen: &mut Screen) {
        let first_new = self.rows.len();
        self.lines.push(std::mem::take(&mut self.unfinished).into());
        let wrapped = self.wrapped(self.lines.len() - 1, view);
        for (row, at) in wrapped.into_iter().zip(first_new..) {
            self.rows.push(row);
            if at < view.page() {
                self.show_row(at, screen);
                if at + 1 == view.page() && !self.bytes(at).ends_with(b"\n") {
                    screen.text("\n");
                }
            } else if at % 10 == 0 {
                self.prompt(view, screen);
            }
        }
        if self.rows.len() > view.limit {
            self.overflow(view, screen);
        }
    }

    /// Shows everything that is kept and keeps nothing more.
    fn overflow(&mut self, view: View, screen: &mut Screen) {
        if self.rows.len() > view.page() {
            erase_prompt(view, screen);
        }
        for at in view.page().min(self.rows.len())..self.rows.len() {
            self.show_row(at, screen);
        }
        *self = Self {
            overflowed: true,
            ..Self::default()
        };
    }

    fn close(&mut self, view: View, screen: &mut Screen) -> bool {
        erase_prompt(view, screen);
        *self = Self::default();
        false
    }

    /// Shows the page that starts at `start`.
    fn page_at(&mut self, start: usize, message: Option<&str>, view: View, screen: &mut Screen) {
        self.start = start;
        erase_prompt(view, screen);
        if let Some(message) = message {
            let (bold, reset) = emphasis(view);
            screen.text(format!("\r{bold}-- {message} --{reset}\n"));
        }
        self.show(start, self.rows.len().min(start + view.page()), screen);
        self.prompt(view, screen);
    }

    fn redraw(&mut self, view: View, screen: &mut Screen) {
        if view.ansi {
            screen.text(CLEAR_SCREEN);
        } else {
            erase_prompt(view, screen);
        }
        self.show(
            self.start,
            self.rows.len().min(self.start + view.page()),
            screen,
        );
        self.prompt(view, screen);
    }

    /// Puts the row that has become the first above the others: scroll down, write it, come back.
    fn scroll_down(&mut self, view: View, screen: &mut Screen) {
        erase_prompt(view, screen);
        screen.text("\x1b[1T\x1b[s\x1b[1;1H");
        screen.text(CLEAR_LINE);
        self.show_row(self.start, screen);
        screen.text("\x1b[u");
        erase_prompt(view, screen);
        self.prompt(view, screen);
    }

    /// Writes rows, and a line end if the last has none.
    fn show(&self, from: usize, to: usize, screen: &mut Screen) {
        for at in from..to {
            self.show_row(at, screen);
        }
        if to > from && !self.bytes(to - 1).ends_with(b"\n") {
            screen.text("\n");
        }
    }

    fn show_row(&self, at: usize, screen: &mut Screen) {
        screen.text(self.bytes(at));
    }

    fn bytes(&self, at: usize) -> &[u8] {
        let row = self.rows[at];
        &self.lines[row.line][row.from..row.to]
    }

    fn prompt(&self, view: View, screen: &mut Screen) {
        let (bold, reset) = emphasis(view);
        let last = self.rows.len().min(self.start + view.page());
        let (first, total) = (self.start + 1, self.rows.len());
        screen.text(format!(
            "\r{bold}-- more -- ({first}-{last}/{total}){reset}"
        ));
    }

    fn wrap(&mut self, line: usize, view: View) {
        let rows = self.wrapped(line, view);
        self.rows.extend(rows);
    }

    /// The rows of a line: as wide as the terminal, the last with its line end.
    fn wrapped(&self, line: usize, view: View) -> Vec<Row> {
        let text = &self.lines[line];
        let mut rows = Vec::with_capacity(1);
        let mut from = 0;
        while from < text.len() {
            let mut to = text.len().min(from + view.width.max(1));
            if text[to..] == *b"\n" {
                to += 1;
            }
            rows.push(Row { line, from, to });
            from = to;
        }
        rows
    }
}

fn emphasis(view: View) -> (&'static str, &'static str) {
    if view.ansi { (BOLD, RESET) } else { ("", "") }
}

fn erase_prompt(view: View, screen: &mut Screen) {
    if view.ansi {
        screen.text("\r");
        screen.text(CLEAR_LINE);
    } else {
        screen.text(format!("\r{:1$}\r", "", view.width.saturating_sub(1)));
    }
}
