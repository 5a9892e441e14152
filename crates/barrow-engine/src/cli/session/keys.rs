//! Which bytes mean which key.

/// A key of the line editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Enter,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
    EraseLeft,
    /// Delete.
    EraseRight,
    /// ^D: as delete, but it quits on an empty line.
    EndOfFile,
    EraseToStart,
    EraseToEnd,
    EraseWord,
    ClearScreen,
    Complete,
    SearchBack,
    SearchForward,
    Ignored,
}

/// A key of the pager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PagerKey {
    /// Space: a page, or leave at the end.
    Next,
    PageDown,
    /// Enter: a line, or leave at the end.
    Enter,
    Down,
    Up,
    PageUp,
    Top,
    Bottom,
    Redraw,
    Quit,
    Ignored,
}

const EDITOR_KEYS: [(&[u8], Key); 43] = [
    (b"\r", Key::Enter),
    (b"\n", Key::Enter),
    (b"\x02", Key::Left),
    (b"\x1b[D", Key::Left),
    (b"\x1bOD", Key::Left),
    (b"\x06", Key::Right),
    (b"\x1b[C", Key::Right),
    (b"\x1bOC", Key::Right),
    (b"\x10", Key::Up),
    (b"\x1b[A", Key::Up),
    (b"\x1bOA", Key::Up),
    (b"\x0e", Key::Down),
    (b"\x1b[B", Key::Down),
    (b"\x1bOB", Key::Down),
    (b"\x01", Key::Home),
    (b"\x1b[H", Key::Home),
    (b"\x1bOH", Key::Home),
    (b"\x1b[1~", Key::Home),
    (b"\x05", Key::End),
    (b"\x1b[F", Key::End),
    (b"\x1bOF", Key::End),
    (b"\x1b[4~", Key::End),
    (b"\x1bb", Key::WordLeft),
    (b"\x1b[1;5D", Key::WordLeft),
    (b"\x1bf", Key::WordRight),
    (b"\x1b[1;5C", Key::WordRight),
    (b"\x08", Key::EraseLeft),
    (b"\x7f", Key::EraseLeft),
    (b"\x04", Key::EndOfFile),
    (b"\x1b[3~", Key::EraseRight),
    (b"\x15", Key::EraseToStart),
    (b"\x0b", Key::EraseToEnd),
    (b"\x17", Key::EraseWord),
    (b"\x19", Key::Ignored), // yank
    (b"\x0c", Key::ClearScreen),
    (b"\t", Key::Complete),
    (b"\x12", Key::SearchBack),
    (b"\x13", Key::SearchForward),
    (b"\0", Key::Ignored),
    (b"\x1b[2~", Key::Ignored), // insert
    (b"\x1b[5~", Key::Ignored), // page up
    (b"\x1b[6~", Key::Ignored), // page down
    (b"\x1b[Z", Key::Ignored),  // shift-tab
];

const PAGER_KEYS: [(&[u8], PagerKey); 20] = [
    (b" ", PagerKey::Next),
    (b"\x1b[6~", PagerKey::PageDown),
    (b"\r", PagerKey::Enter),
    (b"\n", PagerKey::Enter),
    (b"\x1b[B", PagerKey::Down),
    (b"\x1bOB", PagerKey::Down),
    (b"\x1b[A", PagerKey::Up),
    (b"\x1bOA", PagerKey::Up),
    (b"\x1b[5~", PagerKey::PageUp),
    (b"\x1b[H", PagerKey::Top),
    (b"\x1bOH", PagerKey::Top),
    (b"\x1b[1~", PagerKey::Top),
    (b"\x1b[F", PagerKey::Bottom),
    (b"\x1bOF", PagerKey::Bottom),
    (b"\x1b[4~", PagerKey::Bottom),
    (b"\x0c", PagerKey::Redraw),
    (b"\x12", PagerKey::Redraw),
    (b"/", PagerKey::Ignored), // reserved
    (b"q", PagerKey::Quit),
    (b"Q", PagerKey::Quit),
];

/// What the bytes at the start of a buffer are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded<K> {
    /// A key, and its length.
    Key(K, usize),
    /// The start of a key: wait for more.
    Partial,
    /// No key; an ordinary character, or a control code without meaning.
    Character(u8),
}

pub(super) fn editor_key(bytes: &[u8]) -> Decoded<Key> {
    decode(&EDITOR_KEYS, Key::Ignored, bytes)
}

pub(super) fn pager_key(bytes: &[u8]) -> Decoded<PagerKey> {
    decode(&PAGER_KEYS, PagerKey::Ignored, bytes)
}

fn decode<K: Copy>(keys: &[(&[u8], K)], ignored: K, bytes: &[u8]) -> Decoded<K> {
    let Some(first) = bytes.first() else {
        return Decoded::Partial;
    };
    if let Some((code, key)) = keys.iter().find(|(code, _)| bytes.starts_with(code)) {
        return Decoded::Key(*key, code.len());
    }
    if keys.iter().any(|(code, _)| code.starts_with(bytes)) {
        return Decoded::Partial;
    }
    match unknown_sequence(bytes) {
        Some(Some(length)) => Decoded::Key(ignored, length),
        Some(None) => Decoded::Partial,
        None => Decoded::Character(*first),
    }
}

/// The length of a control sequence (ECMA-48 section 5.4) that means nothing here; `Some(None)` while its end is missing.
fn unknown_sequence(bytes: &[u8]) -> Option<Option<usize>> {
    const LONGEST: usize = 16;
    let parameters = bytes.strip_prefix(b"\x1b[")?;
    let end = parameters
        .iter()
        .take(LONGEST)
        .position(|byte| !(0x20..0x40).contains(byte));
    match end {
        Some(at) => Some(Some(2 + at + 1)),
        None if parameters.len() < LONGEST => Some(None),
        None => Some(Some(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_come_in_pieces() {
        assert_eq!(editor_key(b"\x1b"), Decoded::Partial);
        assert_eq!(editor_key(b"\x1b[1;5"), Decoded::Partial);
        assert_eq!(editor_key(b"\x1b[1;5Dx"), Decoded::Key(Key::WordLeft, 6));
        assert_eq!(editor_key(b"x"), Decoded::Character(b'x'));
        assert_eq!(editor_key(b"\x1bx"), Decoded::Character(0x1b));
    }

    #[test]
    fn sequences_without_meaning_are_swallowed_whole() {
        assert_eq!(editor_key(b"\x1b[15~x"), Decoded::Key(Key::Ignored, 5));
        assert_eq!(editor_key(b"\x1b[15"), Decoded::Partial);
        assert_eq!(
            pager_key(b"\x1b[38;5;1m"),
            Decoded::Key(PagerKey::Ignored, 9)
        );
        assert_eq!(
            editor_key(b"\x1b[00000000000000000"),
            Decoded::Key(Key::Ignored, 2)
        );
    }
}
