//! Running requests: which command a text means, and what is left for the next.

use super::{
    Args, CliContext, CliError, CliRegistry, CliResult, CliSession, CliTask,
    args::block_end,
    help,
    registry::{Node, Run},
    script::script_lines,
};
use crate::access::command_reads;
use std::rc::Rc;

/// Commands that one line may hold, one reading what the other left.
const MAX_COMMANDS_A_LINE: usize = 64;

/// Blocks that may stand within each other between the words of a path.
const MAX_NESTED_BLOCKS: usize = 4;

/// Runs the commands in `text`, one after the other, until one fails; that one's error is printed and returned.
///
/// A line is one command, or several where a command leaves words unread. A line ends at a line end that is not inside
/// braces.
///
/// # Errors
/// The text of the first command that failed, or that means nothing.
pub async fn execute(registry: &Rc<CliRegistry>, session: &CliSession, text: &str) -> CliResult {
    // A line that ends in a backslash goes on in the next.
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let result = execute_all(registry, session, &text).await;
    if let Err(error) = &result {
        session.output().print(error);
    }
    result
}

/// As [`execute`], with the session's macros expanded first: for requests of people, not of programs.
///
/// # Errors
/// As [`execute`].
pub async fn run_request(
    registry: &Rc<CliRegistry>,
    session: &CliSession,
    text: &str,
) -> CliResult {
    let expanded = session.macros().expand(text);
    execute(registry, session, &expanded).await
}

/// Runs the lines of a script until one fails.
///
/// # Errors
/// Which line of `name` failed; its own error has been printed.
pub async fn run_script(
    registry: &Rc<CliRegistry>,
    session: &CliSession,
    name: &str,
    script: &str,
) -> CliResult {
    let _depth = session.enter_script()?;
    for (number, line) in script_lines(script) {
        // Boxed, because a script may run a script.
        if Box::pin(run_request(registry, session, &line))
            .await
            .is_err()
        {
            return Err(CliError::new(format!("line {number} of `{name}' failed")));
        }
    }
    Ok(())
}

async fn execute_all(registry: &Rc<CliRegistry>, session: &CliSession, text: &str) -> CliResult {
    let mut rest = text.trim_ascii_start();
    let mut on_this_line = 0;
    while !rest.is_empty() && !session.is_quitting() {
        let step = resolve(registry.root(), rest, 0)?;
        rest = step.rest;
        match step.action {
            Action::Nothing => {}
            Action::NextLevel(node) => help::next_level(node, session.output()),
            Action::All(node) => help::all(node, session.output()),
            Action::Run(command) => {
                let left = command.run(session).await?;
                if !left.is_empty() {
                    // Behind its arguments comes its line's end, so that what it left is where they end.
                    rest = &text[text.len() - rest.len() - left.len()..];
                    on_this_line += 1;
                    if on_this_line == MAX_COMMANDS_A_LINE {
                        return Err(CliError::unknown_input(rest));
                    }
                    continue;
                }
            }
        }
        on_this_line = 0;
        rest = rest.trim_ascii_start();
    }
    Ok(())
}

/// What the start of a text means, and what stands behind it.
struct Step<'n, 't> {
    action: Action<'n, 't>,
    rest: &'t str,
}

enum Action<'n, 't> {
    /// A comment.
    Nothing,
    /// `help`
    NextLevel(&'n Node),
    /// `?`
    All(&'n Node),
    Run(Command<'n, 't>),
}

struct Command<'n, 't> {
    node: &'n Node,
    run: Run,
    arguments: &'t str,
    scope: Scope,
}

/// What ends a command's arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The end of its line: what it leaves is the next command.
    Line,
    /// The brace that closes its block: it must leave nothing.
    Block,
}

impl<'t> Command<'_, 't> {
    /// Runs it and gives what it left of its line.
    async fn run(self, session: &CliSession) -> Result<&'t str, CliError> {
        let path = &self.node.path;
        if session.is_read_only() && !command_reads(path) {
            return Err(
                CliError::new("permission denied: this session may only look").of_command(path),
            );
        }
        match self.run {
            Run::Now(run) => {
                let mut args = Args::new(self.arguments);
                run(&mut CliContext::new(session, path), &mut args)
                    .and_then(|()| {
                        if self.scope == Scope::Block {
                            args.finish()
                        } else {
                            Ok(())
                        }
                    })
                    .map_err(|error| error.of_command(path))?;
                Ok(args.rest())
            }
            Run::Later(run) => {
                let line = self.arguments.trim_ascii().to_owned();
                let run = run(CliTask::new(session.clone(), path), line);
                run.await.map_err(|error| error.of_command(path))?;
                Ok("")
            }
        }
    }
}

/// Finds the command with which `text` begins: the longest path of known words that ends in one.
fn resolve<'n, 't>(root: &'n Node, text: &'t str, depth: usize) -> Result<Step<'n, 't>, CliError> {
    let mut node = root;
    let mut at = text;
    // The last command passed, with what follows it: `show interface pg0` means `show interface`.
    let mut passed = None;
    loop {
        if let Some(run) = &node.run {
            passed = Some((node, run.clone(), at));
        }
        let here = at.trim_start_matches([' ', '\t']);
        let word = &here[..path_word(here)];
        let after = &here[word.len()..];
        match word {
            "help" => return Ok(help_step(node, after)),
            "choices" => {
                return Ok(Step {
                    action: Action::All(node),
                    rest: after,
                });
            }
            "comment" if depth == 0 && std::ptr::eq(node, root) => {
                let comment = after.trim_start_matches([' ', '\t']);
                let end = block_end(comment).map_or_else(|| line_end(comment), |end| end + 1);
                return Ok(Step {
                    action: Action::Nothing,
                    rest: &comment[end..],
                });
            }
            "" => {
                if let Some(rest) = here.strip_prefix('?') {
                    return Ok(Step {
                        action: Action::All(node),
                        rest,
                    });
                }
                if passed.is_none()
                    && depth < MAX_NESTED_BLOCKS
                    && let Some(end) = block_end(here)
                {
                    // A block between the words of a path: `show { version }`.
                    let inside = resolve(node, &here[1..end], depth + 1)?;
                    return inside.in_block(node, &here[end + 1..]);
                }
            }
            _ => {}
        }
        match node.child(word) {
            Some(child) => (node, at) = (child, after),
            None => break,
        }
    }
    match passed {
        Some((node, run, arguments)) => {
            let start = arguments.trim_start_matches([' ', '\t']);
            let (scope, arguments, rest) = match block_end(start) {
                Some(end) => (Scope::Block, &start[1..end], &start[end + 1..]),
                None => {
                    let (line, rest) = start.split_at(line_end(start));
                    (Scope::Line, line, rest)
                }
            };
            Ok(Step {
                action: Action::Run(Command {
                    node,
                    run,
                    arguments,
                    scope,
                }),
                rest,
            })
        }
        None if node.path.is_empty() => Err(CliError::unknown_input(at)),
        None => Err(CliError::unknown_input(unless_line_ends(at)).of_command(&node.path)),
    }
}

impl<'n, 't> Step<'n, 't> {
    /// The same step, found inside a block behind `node` that `behind` follows.
    fn in_block(mut self, node: &Node, behind: &'t str) -> Result<Self, CliError> {
        let left = self.rest.trim_ascii();
        if !left.is_empty() {
            return Err(CliError::unknown_input(left).of_command(&node.path));
        }
        if let Action::Run(command) = &mut self.action {
            command.scope = Scope::Block;
        }
        self.rest = behind;
        Ok(self)
    }
}

/// `help` behind a path, and a path behind `help`.
fn help_step<'n, 't>(mut node: &'n Node, mut rest: &'t str) -> Step<'n, 't> {
    loop {
        let here = rest.trim_start_matches([' ', '\t']);
        let word = &here[..path_word(here)];
        match node.child(word) {
            Some(child) => (node, rest) = (child, &here[word.len()..]),
            None => {
                return Step {
                    action: Action::NextLevel(node),
                    rest,
                };
            }
        }
    }
}

/// The length of the path word at the start of `text`.
fn path_word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(text.len())
}

/// The length of the line at the start of `text`: to a line end outside braces. From a brace on that never closes, braces
/// count for nothing.
fn line_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find(['\n', '{']) {
        at += found;
        match block_end(&text[at..]) {
            Some(end) => at += end + 1,
            None => return text[at..].find('\n').map_or(text.len(), |end| at + end),
        }
    }
    text.len()
}

/// What an incomplete path is followed by: nothing, if its line ends there.
fn unless_line_ends(text: &str) -> &str {
    if text.trim_start_matches([' ', '\t', '\r']).starts_with('\n') {
        ""
    } else {
        text
    }
}
