//! Scripts: the files of `exec` and of the start-up configuration.

/// The command lines of a script with their numbers, counted from 1.
///
/// Everything from `#` to the end of its line is a comment; empty lines are skipped; a `\` before a line end joins the
/// lines, of which the line end stays as white space; a `\` before another character leaves both, so that `\#` is no
/// comment.
pub fn script_lines(script: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let (mut number, mut started) = (1, 1);
    let mut in_comment = false;
    let mut characters = script.chars().peekable();
    let mut finish = |line: &mut String, started: usize| {
        let text = std::mem::take(line);
        if !text.trim().is_empty() {
            lines.push((started, text.trim_end().to_owned()));
        }
    };
    while let Some(c) = characters.next() {
        match c {
            '\n' => {
                number += 1;
                finish(&mut line, started);
                started = number;
                in_comment = false;
            }
            '\\' if characters.peek() == Some(&'\n') => {
                characters.next();
                number += 1;
                in_comment = false;
                line.push('\n');
            }
            '#' => in_comment = true,
            _ if in_comment => {}
            '\\' => {
                line.push(c);
                line.extend(characters.next_if(|next| *next == '#'));
            }
            _ => line.push(c),
        }
    }
    finish(&mut line, started);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_dropped_and_continued_lines_joined() {
        let script = "# all of this\n\nshow version # and this\nset \\\n  x # y \\\n z\na \\# b";
        let lines: Vec<_> = script_lines(script);
        let lines: Vec<_> = lines.iter().map(|(n, line)| (*n, line.as_str())).collect();
        assert_eq!(
            lines,
            [(3, "show version"), (4, "set \n  x \n z"), (7, "a \\# b")]
        );
    }

    #[test]
    fn a_script_without_commands_has_no_lines() {
        for script in ["", "\n\n", "# x", "   \n\t# y\\"] {
            assert!(script_lines(script).is_empty(), "{script:?}");
        }
    }
}
