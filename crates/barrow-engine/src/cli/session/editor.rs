//! Editing a line on a terminal that echoes nothing itself.

use super::{
    History,
    keys::Key,
    screen::{CLEAR_SCREEN, Screen},
};

/// The longest line that can be typed.
const LONGEST_LINE: usize = 4096;

const BELL: &[u8] = b"\x07";

/// The line that is being edited.
#[derive(Debug, Default)]
pub(super) struct Editor {
    line: Vec<u8>,
    /// Where the terminal's cursor stands: an offset into `line`.
    cursor: usize,
    /// The history entry that is shown; the number of entries when it is a line of its own.
    position: usize,
    search: Option<Search>,
}

/// An incremental search through the history.
#[derive(Debug)]
struct Search {
    backwards: bool,
    wanted: Vec<u8>,
}

/// What a key did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Edited {
    /// The line goes on.
    Nothing,
    /// The line is complete.
    Line(Vec<u8>),
    /// The user wants to leave.
    Quit,
}

/// The words with which a line can go on.
pub(super) type Completions<'a> = &'a dyn Fn(&str) -> Vec<String>;

/// What an editor works with.
pub(super) struct Desk<'a> {
    pub(super) screen: &'a mut Screen,
    pub(super) history: &'a mut History,
    pub(super) prompt: &'a str,
    pub(super) width: usize,
    pub(super) ansi: bool,
    pub(super) completions: Completions<'a>,
}

impl Editor {
    /// Handles a key.
    pub(super) fn key(&mut self, key: Key, desk: &mut Desk<'_>) -> Edited {
        if !matches!(
            key,
            Key::SearchBack | Key::SearchForward | Key::Ignored | Key::ClearScreen
        ) {
            self.search = None;
        }
        match key {
            Key::Enter => return Edited::Line(self.enter(desk)),
            Key::EndOfFile if self.line.is_empty() => {
                desk.screen.text("quit\n");
                return Edited::Quit;
            }
            Key::Left => self.move_left(self.cursor.min(1), desk.screen),
            Key::Right => self.move_right(1, desk.screen),
            Key::Home => self.move_left(self.cursor, desk.screen),
            Key::End => self.move_right(self.line.len(), desk.screen),
            Key::WordLeft => self.move_left(self.cursor - self.word_start(), desk.screen),
            Key::WordRight => self.move_right(self.next_word() - self.cursor, desk.screen),
            Key::EraseLeft => self.erase_left(self.cursor.min(1), desk.screen),
            Key::EraseRight | Key::EndOfFile => {
                self.erase_right(1.min(self.line.len() - self.cursor), desk.screen);
            }
            Key::EraseToStart => self.erase_left(self.cursor, desk.screen),
            Key::EraseToEnd => self.erase_right(self.line.len() - self.cursor, desk.screen),
            Key::EraseWord => self.erase_left(self.cursor - self.word_start(), desk.screen),
            Key::Up | Key::Down => self.walk_history(key == Key::Up, desk),
            Key::SearchBack | Key::SearchForward => {
                return self.start_search(key == Key::SearchBack, desk);
            }
            Key::ClearScreen => self.clear_screen(desk),
            Key::Complete => self.complete(desk),
            Key::Ignored => {}
        }
        Edited::Nothing
    }

    /// Handles a byte that is no key.
    pub(super) fn character(&mut self, byte: u8, desk: &mut Desk<'_>) -> Edited {
        if !(b' '..0x7f).contains(&byte) {
            return Edited::Nothing;
        }
        if let Some(search) = &mut self.search {
            if search.wanted.len() < LONGEST_LINE {
                search.wanted.push(byte);
            }
            return self.search_on(desk);
        }
        if self.line.len() == LONGEST_LINE {
            desk.screen.raw(BELL);
            return Edited::Nothing;
        }
        self.line.insert(self.cursor, byte);
        let behind = self.line.len() - self.cursor - 1;
        self.move_right(behind + 1, desk.screen);
        self.move_left(behind, desk.screen);
        Edited::Nothing
    }

    /// Ends the line and forgets it.
    fn enter(&mut self, desk: &mut Desk<'_>) -> Vec<u8> {
        desk.screen.text("\n");
        desk.history.push(&self.line);
        self.position = desk.history.len();
        self.cursor = 0;
        std::mem::take(&mut self.line)
    }

    fn move_left(&mut self, by: usize, screen: &mut Screen) {
        for _ in 0..by {
            screen.left(self.cursor, self.line.get(self.cursor).copied());
            self.cursor -= 1;
        }
    }

    /// Writes what the cursor passes.
    fn move_right(&mut self, by: usize, screen: &mut Screen) {
        let end = self.line.len().min(self.cursor.saturating_add(by));
        screen.text(&self.line[self.cursor..end]);
        self.cursor = end;
    }

    fn erase_left(&mut self, by: usize, screen: &mut Screen) {
        self.move_left(by, screen);
        self.erase_right(by, screen);
    }

    /// Takes `by` characters out at the cursor and redraws what was behind them.
    fn erase_right(&mut self, by: usize, screen: &mut Screen) {
        if by == 0 {
            return;
        }
        let start = self.cursor;
        self.line.drain(start..start + by);
        self.move_right(self.line.len(), screen);
        self.blank(by, screen);
        self.move_left(self.cursor - start, screen);
    }

    /// Writes blanks over what was behind the end of the line, and comes back.
    fn blank(&mut self, by: usize, screen: &mut Screen) {
        for _ in 0..by {
            screen.text(" ");
            self.cursor += 1;
        }
        self.move_left(by, screen);
    }

    /// Where the word before the cursor starts.
    fn word_start(&self) -> usize {
        let mut at = self.cursor;
        while at > 0 && self.line[at - 1] == b' ' {
            at -= 1;
        }
        while at > 0 && self.line[at - 1] != b' ' {
            at -= 1;
        }
        at
    }

    /// Where the word after the cursor starts.
    fn next_word(&self) -> usize {
        let mut at = self.cursor;
        while at < self.line.len() && self.line[at] != b' ' {
            at += 1;
        }
        while at < self.line.len() && self.line[at] == b' ' {
            at += 1;
        }
        at
    }

    /// Erases the line from the screen and forgets it.
    fn erase_line(&mut self, screen: &mut Screen) {
        self.move_right(self.line.len(), screen);
        while self.cursor > 0 {
            screen.left(self.cursor, None);
            screen.text(" ");
            screen.left(self.cursor, None);
            self.cursor -= 1;
        }
        self.line.clear();
    }

    fn show(&mut self, line: &[u8], screen: &mut Screen) {
        self.erase_line(screen);
        self.line.extend_from_slice(line);
        self.move_right(line.len(), screen);
    }

    /// The line before or after the one that is shown. Beyond the oldest and behind the newest stands an empty one, from
    /// which it goes on at the other end.
    fn walk_history(&mut self, up: bool, desk: &mut Desk<'_>) {
        if !desk.history.is_active() {
            return;
        }
        let entries = desk.history.len();
        self.position = match (up, self.position) {
            (true, 0) => entries,
            (true, at) => at.min(entries + 1) - 1,
            (false, at) if at >= entries => 0,
            (false, at) => at + 1,
        };
        let line = desk.history.get(self.position).unwrap_or_default().to_vec();
        self.show(&line, desk.screen);
    }

    fn start_search(&mut self, backwards: bool, desk: &mut Desk<'_>) -> Edited {
        if !desk.history.is_active() {
            return Edited::Nothing;
        }
        match &mut self.search {
            Some(search) => {
                search.backwards = backwards;
                self.position = step(self.position, backwards, desk.history.len());
                self.search_on(desk)
            }
            None => {
                self.erase_line(desk.screen);
                self.search = Some(Search {
                    backwards,
                    wanted: Vec::new(),
                });
                Edited::Nothing
            }
        }
    }

    /// Shows the next entry that holds what is searched for, beginning with the present one.
    fn search_on(&mut self, desk: &mut Desk<'_>) -> Edited {
        let Some(search) = &self.search else {
            return Edited::Nothing;
        };
        let entries = desk.history.len();
        let mut at = match self.position {
            beyond if beyond >= entries && search.backwards => entries.saturating_sub(1),
            beyond if beyond >= entries => 0,
            at => at,
        };
        for _ in 0..entries {
            let entry = desk.history.get(at).unwrap_or_default();
            if contains(entry, &search.wanted) {
                self.position = at;
                let entry = entry.to_vec();
                self.show(&entry, desk.screen);
                return Edited::Nothing;
            }
            at = step(at, search.backwards, entries);
        }
        desk.screen.text("\nNo match...");
        self.search = None;
        self.line.clear();
        Edited::Line(self.enter(desk))
    }

    fn clear_screen(&mut self, desk: &mut Desk<'_>) {
        desk.screen
            .text(if desk.ansi { CLEAR_SCREEN } else { "\n" });
        self.redraw(desk);
    }

    /// Writes prompt and line anew, with the cursor where it was.
    fn redraw(&mut self, desk: &mut Desk<'_>) {
        desk.screen.raw(desk.prompt.as_bytes());
        let at = self.cursor;
        self.cursor = 0;
        self.move_right(self.line.len(), desk.screen);
        self.move_left(self.cursor - at, desk.screen);
    }

    /// Completes the word before the cursor, as far as it is certain; shows the choices if there are several.
    fn complete(&mut self, desk: &mut Desk<'_>) {
        let behind = self.line.get(self.cursor).copied();
        if behind.is_some_and(|byte| byte != b' ') {
            return desk.screen.raw(BELL);
        }
        let tail = self.line.split_off(self.cursor);
        let typed = String::from_utf8_lossy(&self.line).into_owned();
        let word = typed.rsplit(' ').next().unwrap_or("").len();
        let choices = (desk.completions)(&typed);
        match choices.as_slice() {
            [] => desk.screen.raw(BELL),
            [only] => {
                self.move_left(word, desk.screen);
                self.line.truncate(self.cursor);
                self.line.extend_from_slice(only.as_bytes());
                if tail.is_empty() {
                    self.line.push(b' ');
                }
                self.move_right(self.line.len(), desk.screen);
            }
            several => {
                list(several, desk);
                desk.screen.raw(desk.prompt.as_bytes());
                desk.screen.text(&self.line);
                let common = common_prefix(several);
                self.line
                    .extend_from_slice(common.get(word..).unwrap_or_default());
                self.move_right(self.line.len(), desk.screen);
            }
        }
        let at = self.cursor;
        self.line.extend_from_slice(&tail);
        self.move_right(tail.len(), desk.screen);
        self.move_left(self.cursor - at, desk.screen);
    }
}

/// The choices in columns as wide as the longest and two blanks.
fn list(choices: &[String], desk: &mut Desk<'_>) {
    let longest = choices.iter().map(String::len).max().unwrap_or(0);
    desk.screen.text("\n");
    let mut column = 0;
    for choice in choices {
        if column > 0 && column + longest >= desk.width {
            desk.screen.text("\n");
            column = 0;
        }
        let padded = longest + 2;
        desk.screen.text(format!("{choice:<padded$}"));
        column += padded;
    }
    desk.screen.text("\n");
}

fn common_prefix(choices: &[String]) -> &[u8] {
    let first = choices.first().map_or(&[][..], String::as_bytes);
    let length = choices.iter().fold(first.len(), |length, choice| {
        let same = first
            .iter()
            .zip(choice.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        length.min(same)
    });
    &first[..length]
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || text.windows(wanted.len()).any(|window| window == wanted)
}

/// The neighbour of an entry, around the ends.
fn step(at: usize, backwards: bool, entries: usize) -> usize {
    match (backwards, at) {
        (true, 0) => entries.saturating_sub(1),
        (true, at) => at - 1,
        (false, at) if at + 1 >= entries => 0,
        (false, at) => at + 1,
    }
}
