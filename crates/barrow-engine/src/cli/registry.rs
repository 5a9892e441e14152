//! The tree of commands.

use super::{Args, CliContext, CliResult, CliTask};
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    rc::{Rc, Weak},
};

pub(super) type Handler = Rc<dyn Fn(&mut CliContext<'_>, &mut Args<'_>) -> CliResult>;
pub(super) type Running = Pin<Box<dyn Future<Output = CliResult>>>;
pub(super) type AsyncHandler = Rc<dyn Fn(CliTask, String) -> Running>;

/// All commands, by the words of their paths.
#[derive(Debug, Default)]
pub struct CliRegistry {
    root: Node,
}

/// One word of a path.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The words from the root to here, joined with blanks.
    pub(super) path: String,
    help: Option<String>,
    pub(super) run: Option<Run>,
    pub(super) children: BTreeMap<String, Self>,
}

/// What a command does.
#[derive(Clone)]
pub(super) enum Run {
    /// At once.
    Now(Handler),
    /// Over some time, with its whole line.
    Later(AsyncHandler),
}

/// The registry as its own commands and others see it: it is complete only after them. Clones are the same handle.
#[derive(Debug, Clone, Default)]
pub struct CliHandle {
    registry: Rc<OnceCell<Weak<CliRegistry>>>,
}

impl CliHandle {
    /// Tells the registry. Only the first call counts.
    pub fn set(&self, registry: &Rc<CliRegistry>) {
        self.registry.set(Rc::downgrade(registry)).ok();
    }

    /// The registry, once it is complete.
    pub fn get(&self) -> Option<Rc<CliRegistry>> {
        self.registry.get()?.upgrade()
    }
}

/// Two commands with one path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a command `{0}' already")]
pub struct DuplicateCommand(pub String);

impl CliRegistry {
    /// Registers a command that runs to its end at once.
    ///
    /// `path` is its words, each of letters, digits, `-` and `_`; `help` is one line, usually the path with its
    /// arguments.
    ///
    /// # Errors
    /// [`DuplicateCommand`].
    pub fn command(
        &mut self,
        path: &str,
        help: &str,
        run: impl Fn(&mut CliContext<'_>, &mut Args<'_>) -> CliResult + 'static,
    ) -> Result<(), DuplicateCommand> {
        self.insert(path, help, Run::Now(Rc::new(run)))
    }

    /// Registers a command that takes time. It gets its whole line; whoever started it may go away meanwhile, of which
    /// [`CliTask::interrupted`] tells.
    ///
    /// # Errors
    /// [`DuplicateCommand`].
    pub fn command_async<F: Future<Output = CliResult> + 'static>(
        &mut self,
        path: &str,
        help: &str,
        run: impl Fn(CliTask, String) -> F + 'static,
    ) -> Result<(), DuplicateCommand> {
        let run = move |task, line| -> Running { Box::pin(run(task, line)) };
        self.insert(path, help, Run::Later(Rc::new(run)))
    }

    /// Sets the help text of a path that is no command itself, such as `show`.
    pub fn group(&mut self, path: &str, help: &str) {
        self.root.at(path).help = Some(help.into());
    }

    /// The words with which `line` can go on, sorted: those of the last word's level that begin with it, or those of the
    /// next level if the line ends in a blank. None if a word before is unknown or ambiguous.
    pub fn completions(&self, line: &str) -> Vec<&str> {
        let last = line
            .rsplit(|c: char| c.is_ascii_whitespace())
            .next()
            .unwrap_or("");
        let path = &line[..line.len() - last.len()];
        let node = path
            .split_ascii_whitespace()
            .try_fold(&self.root, |node, word| node.child(word));
        let names = node.into_iter().flat_map(|node| node.children.keys());
        names
            .map(String::as_str)
            .filter(|name| name.starts_with(last))
            .collect()
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    fn insert(&mut self, path: &str, help: &str, run: Run) -> Result<(), DuplicateCommand> {
        let node = self.root.at(path);
        if node.run.is_some() {
            return Err(DuplicateCommand(path.into()));
        }
        node.run = Some(run);
        node.help = Some(help.into());
        Ok(())
    }
}

impl Node {
    /// The node of `path` below this one, made where it is missing.
    fn at(&mut self, path: &str) -> &mut Self {
        path.split_ascii_whitespace().fold(self, |node, word| {
            let path = match node.path.as_str() {
                "" => word.to_owned(),
                parent => format!("{parent} {word}"),
            };
            node.children
                .entry(word.to_owned())
                .or_insert_with(|| Self {
                    path,
                    ..Self::default()
                })
        })
    }

    /// The child whose name is `word`, or the only one whose name begins with it.
    pub(super) fn child(&self, word: &str) -> Option<&Self> {
        if let Some(exact) = self.children.get(word) {
            return Some(exact);
        }
        let mut matching = self
            .children
            .range(word.to_owned()..)
            .take_while(|(name, _)| name.starts_with(word))
            .map(|(_, child)| child);
        matching
            .next()
            .filter(|_| !word.is_empty() && matching.next().is_none())
    }

    /// Its help text, or `PATH commands`.
    pub(super) fn help(&self) -> String {
        self.help
            .clone()
            .unwrap_or_else(|| format!("{} commands", self.path))
    }

    /// All commands here and below, by path.
    pub(super) fn commands(&self) -> Vec<&Self> {
        let own = self.run.is_some().then_some(self);
        own.into_iter()
            .chain(self.children.values().flat_map(Self::commands))
            .collect()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
        })
    }
}
