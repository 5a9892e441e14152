//! Which comment belongs to which definition.

use super::lexer::Comment;

/// The comments of a file, in their order.
pub(super) struct Comments<'a>(Vec<Comment<'a>>);

impl<'a> Comments<'a> {
    pub(super) fn new(comments: Vec<Comment<'a>>) -> Self {
        Self(comments)
    }

    /// The comment that stands alone and ends on the line before `line`; `//` lines in a row are one comment.
    pub(super) fn before(&self, line: u32) -> Option<String> {
        let last = self.0.partition_point(|comment| comment.last_line < line);
        let ends_at =
            |comment: &Comment<'_>, line: u32| comment.alone && comment.last_line + 1 == line;
        let mut first = last;
        let mut next_line = line;
        while let Some(comment) = self.0[..first].last()
            && ends_at(comment, next_line)
        {
            first -= 1;
            next_line = comment.first_line;
            if !comment.text.starts_with("//") {
                break;
            }
        }
        let lines: Vec<_> = self.0[first..last]
            .iter()
            .map(|comment| comment.text.trim_end())
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The comment that begins on `line` behind a token.
    pub(super) fn behind(&self, line: u32) -> Option<String> {
        let first = self.0.partition_point(|comment| comment.first_line < line);
        let comment = self
            .0
            .get(first)
            .filter(|c| c.first_line == line && !c.alone)?;
        Some(comment.text.trim_end().to_owned())
    }
}
