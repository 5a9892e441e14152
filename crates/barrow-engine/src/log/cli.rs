//! `show logging`, `clear logging`, `set logging …`.

use super::{Level, Logger, log_date};
use crate::{
    ConfigStage, RunningConfig,
    cli::{Args, CliContext, CliError, CliRegistry, CliResult, DuplicateCommand},
    config::LogClassSettings,
};
use std::{collections::BTreeSet, time::Duration};

/// Registers the commands of the log.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_commands(cli: &mut CliRegistry, logger: &Logger) -> Result<(), DuplicateCommand> {
    let own = logger.class("log");
    let log = logger.clone();
    cli.command("show logging", "show logging", move |cx, _| {
        for entry in log.entries() {
            let (date, class) = (log_date(entry.time), &entry.class);
            cx.print(format_args!(
                "{date} {:<10} {class:<14} {}",
                entry.level, entry.text
            ));
        }
        Ok(())
    })?;
    let log = logger.clone();
    cli.command(
        "show logging configuration",
        "show logging configuration",
        move |cx, _| {
            show_configuration(cx, &log);
            Ok(())
        },
    )?;
    let log = logger.clone();
    cli.command("clear logging", "clear logging", move |_, _| {
        log.clear();
        own.info(format_args!("log cleared"));
        Ok(())
    })?;
    let log = logger.clone();
    cli.command(
        "set logging size",
        "set logging size <entries>",
        move |_, args| {
            let size = args.number().ok_or_else(|| args.unknown_input())?;
            args.finish()?;
            log.set_size(size);
            Ok(())
        },
    )?;
    let log = logger.clone();
    let help = "set logging unthrottle-time <seconds>";
    cli.command("set logging unthrottle-time", help, move |_, args| {
        let seconds = args.number().ok_or_else(|| args.unknown_input())?;
        args.finish()?;
        log.set_unthrottle_time(Duration::from_secs(seconds));
        Ok(())
    })?;
    let log = logger.clone();
    let help =
        "set logging class <class> [rate-limit <int>] [level <level>] [syslog-level <level>]";
    cli.command("set logging class", help, move |_, args| {
        set_class(args, &log)
    })
}

/// The commands that make what was changed since the start again.
pub(crate) fn write_config(log: &Logger, config: &mut RunningConfig) {
    let settings = log.settings();
    let mut line = |command: String| config.line(ConfigStage::Settings, 0, command);
    if log.size() != settings.size {
        line(format!("set logging size {}", log.size()));
    }
    let time = log.unthrottle_time();
    if time != settings.unthrottle_time {
        line(format!("set logging unthrottle-time {}", time.as_secs()));
    }
    let mut written = BTreeSet::new();
    for class in log.classes() {
        // A command is about all subclasses of a class.
        if class != log.at_start(&class) && written.insert(class.name.clone()) {
            line(format!(
                "set logging class {} rate-limit {} level {} syslog-level {}",
                class.name, class.rate_limit, class.level, class.syslog_level
            ));
        }
    }
}

fn show_configuration(cx: &mut CliContext<'_>, log: &Logger) {
    let (level, syslog_level) = log.default_levels();
    cx.print(format_args!(
        "{:<20} {} entries",
        "Buffer Size:",
        log.size()
    ));
    cx.print("Defaults:");
    cx.print(format_args!("{:<20} {level}", "  Log Level:"));
    cx.print(format_args!("{:<20} {syslog_level}", "  Syslog Log Level:"));
    cx.print(format_args!(
        "{:<20} {} msgs/sec",
        "  Rate Limit:",
        log.default_rate_limit()
    ));
    cx.print("\n");
    let head = ["Class/Subclass", "Level", "Syslog Level", "Rate Limit"];
    let [class, level, syslog_level, rate_limit] = head;
    cx.print(format_args!(
        "{class:<22} {level:<14} {syslog_level:<14} {rate_limit}"
    ));
    let classes = log.classes();
    let mut named = Vec::new();
    for class in &classes {
        if named.contains(&&class.name) {
            continue;
        }
        named.push(&class.name);
        cx.print(&class.name);
        for class in classes.iter().filter(|c| c.name == class.name) {
            let subclass = class.subclass.as_deref().unwrap_or("default");
            cx.print(format_args!(
                "  {subclass:<20} {:<14} {:<14} {}",
                class.level, class.syslog_level, class.rate_limit
            ));
        }
    }
}

fn set_class(args: &mut Args<'_>, log: &Logger) -> CliResult {
    let name = args.word().unwrap_or_default();
    let known = log.classes().iter().any(|class| class.name == name);
    if !known {
        return Err(CliError::new(format!("unknown log class `{name}'")));
    }
    let mut settings = LogClassSettings::default();
    while !args.is_empty() {
        if let Some(limit) = args.option("rate-limit", Args::number) {
            settings.rate_limit = Some(limit);
        } else if let Some(level) = args.option("level", Args::from_word::<Level>) {
            settings.level = Some(level);
        } else if let Some(level) = args.option("syslog-level", Args::from_word::<Level>) {
            settings.syslog_level = Some(level);
        } else if args
            .option("kmsg-level", Args::from_word::<Level>)
            .is_none()
        {
            return Err(args.unknown_input());
        }
    }
    log.configure(name, &settings);
    Ok(())
}
