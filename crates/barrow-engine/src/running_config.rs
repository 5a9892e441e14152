//! The running configuration: what `show configuration` prints, as a script for `exec`.
//!
//! Each feature writes the commands that make its own state again, in stages: what later commands name is made by
//! earlier stages. A node that runs the script has the state, with interfaces under the same indexes as long as there
//! are no gaps between them. Statistics, traces, what was learned and what clients asked to be told are no
//! configuration.

use crate::cli::{CliRegistry, DuplicateCommand};
use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

/// When a command must run, earliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConfigStage {
    /// What later commands are affected by: the log, defaults.
    Settings,
    /// Making interfaces, in the order of their indexes.
    Interfaces,
    /// Giving them names. Later commands use these.
    Names,
    /// What belongs to a device: its size, addresses on the link, queues.
    Devices,
    /// What belongs to interfaces of any kind: MTUs, tags.
    Properties,
    /// Making tables.
    Tables,
    /// Putting interfaces into tables.
    Bindings,
    /// Taking interfaces up, parents first.
    Admin,
    /// Addresses.
    Addresses,
    /// Borrowed addresses and what else needs those of another interface.
    Borrowed,
    /// Neighbours.
    Neighbors,
    /// Routes.
    Routes,
    /// Features that are switched on for interfaces.
    Features,
}

/// The commands that make the state again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunningConfig {
    /// Lines by stage, and by number within it.
    lines: BTreeMap<(ConfigStage, u32), String>,
}

impl RunningConfig {
    /// Adds a command. Within a stage, lower numbers come first: the index of an interface where that matters, else 0.
    ///
    /// A command that a script cannot hold becomes a comment that says so.
    pub fn line(&mut self, stage: ConfigStage, number: u32, command: impl fmt::Display) {
        let lines = self.lines.entry((stage, number)).or_default();
        let command = command.to_string();
        if is_sayable(&command) {
            lines.push_str(&command);
        } else {
            lines.push_str("# no script can hold: ");
            lines.extend(
                command
                    .chars()
                    .map(|c| if c.is_control() { '?' } else { c }),
            );
        }
        lines.push('\n');
    }

    /// A text as one argument: in quotes where it has blanks. What no quotes can hold becomes a text that
    /// [`line`](Self::line) makes a comment.
    #[must_use]
    pub fn argument(text: &str) -> String {
        let blank = text.is_empty() || text.contains(|c: char| c.is_ascii_whitespace());
        match (blank, text.contains('"')) {
            (false, false) => text.to_owned(),
            (true, false) => format!("\"{text}\""),
            (_, true) => text.replace('"', "\0"),
        }
    }
}

/// Whether a script's reader gives a line to the command as it was written.
fn is_sayable(command: &str) -> bool {
    !command.contains(|c: char| c.is_control() || c == '#')
        && !command.contains("$(")
        && !command.ends_with('\\')
}

impl fmt::Display for RunningConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.values().try_for_each(|lines| f.write_str(lines))
    }
}

type Writer = Box<dyn Fn(&mut RunningConfig)>;

/// Who writes the running configuration. Clones are handles to the same list.
#[derive(Clone, Default)]
pub(crate) struct ConfigWriters(Rc<RefCell<Vec<Writer>>>);

impl ConfigWriters {
    /// Adds one.
    pub(crate) fn add(&self, write: impl Fn(&mut RunningConfig) + 'static) {
        self.0.borrow_mut().push(Box::new(write));
    }

    fn collect(&self) -> RunningConfig {
        let mut config = RunningConfig::default();
        self.0.borrow().iter().for_each(|write| write(&mut config));
        config
    }
}

/// Registers `show configuration`.
pub(crate) fn register(
    cli: &mut CliRegistry,
    writers: &ConfigWriters,
) -> Result<(), DuplicateCommand> {
    let writers = writers.clone();
    let help = "show configuration: the commands that make this state again, for exec";
    cli.command("show configuration", help, move |cx, args| {
        args.finish()?;
        for lines in writers.collect().lines.values() {
            cx.output().write(lines);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Testbed;

    #[test]
    fn commands_come_by_stage_and_number_whoever_wrote_them_first() {
        let mut config = RunningConfig::default();
        config.line(ConfigStage::Routes, 0, "route");
        config.line(ConfigStage::Interfaces, 2, "second");
        config.line(ConfigStage::Interfaces, 1, "first");
        config.line(ConfigStage::Interfaces, 1, "first, later");
        assert_eq!(config.to_string(), "first\nfirst, later\nsecond\nroute\n");
    }

    #[test]
    fn an_argument_is_read_as_it_was_written() {
        use crate::cli::Args;
        for text in ["plain", "two words", "", "a\tb", "{", "x'y"] {
            let argument = RunningConfig::argument(text);
            assert_eq!(Args::new(&argument).string(), Some(text), "{text:?}");
        }
    }

    #[test]
    fn what_a_script_cannot_hold_is_a_comment() {
        for text in ["a#b", "$(x)", "say \"x\"", "a\nb", "back\\"] {
            let mut config = RunningConfig::default();
            let argument = RunningConfig::argument(text);
            config.line(ConfigStage::Names, 0, format_args!("name {argument}"));
            let script = config.to_string();
            assert!(crate::cli::script_lines(&script).is_empty(), "{script}");
            assert_eq!(script.lines().count(), 1);
        }
    }

    #[test]
    fn the_log_is_part_of_it_once_it_is_changed() {
        let mut bed = Testbed::with(|_| Ok(()));
        for command in [
            "set logging size 100",
            "set logging unthrottle-time 9",
            "set logging class api level debug",
        ] {
            assert_eq!(bed.command(command).retval, 0, "{command}");
        }
        let script = bed.command("show configuration").text;
        assert!(script.starts_with("set logging size 100\nset logging unthrottle-time 9\n"));
        assert!(
            script.contains("set logging class api rate-limit 50 level debug"),
            "{script}"
        );
        for line in script.lines() {
            assert_eq!(bed.command(line).retval, 0, "{line}");
        }
    }

    #[test]
    fn every_feature_adds_its_lines() {
        let mut bed = Testbed::with(|engine| {
            engine.running_config(|config| config.line(ConfigStage::Tables, 0, "a table"));
            engine.running_config(|config| config.line(ConfigStage::Settings, 0, "a setting"));
            Ok(())
        });
        assert_eq!(
            bed.command("show configuration").text,
            "a setting\na table\n"
        );
        assert_eq!(bed.command("show configuration of").retval, -1);
    }
}
