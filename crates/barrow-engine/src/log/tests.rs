//! What is kept, written, throttled and shown.

use super::*;
use crate::{
    cli::{CliRegistry, CliSession, execute},
    config::{LogClassSettings, LoggingSettings},
};
use std::{
    pin::pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A log on a clock that a test moves, with what went to standard error.
struct Bench {
    log: Logger,
    millis: Arc<AtomicU64>,
    written: Arc<Mutex<Vec<String>>>,
}

#[derive(Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl LogSink for Lines {
    fn write(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

impl Bench {
    fn new(settings: LoggingSettings) -> Self {
        let (millis, written) = (Arc::new(AtomicU64::new(0)), Arc::default());
        let clock = millis.clone();
        let now = move || Duration::from_millis(clock.load(Ordering::Relaxed));
        let log = Logger::new(settings, now, Lines(Arc::clone(&written)));
        Self {
            log,
            millis,
            written,
        }
    }

    fn texts(&self) -> Vec<String> {
        self.log
            .entries()
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    }

    fn command(&self, command: &str) -> String {
        let mut cli = CliRegistry::default();
        register_commands(&mut cli, &self.log).unwrap();
        let session = CliSession::program_session("test", Rc::default(), Rc::default());
        let (cli, mut cx) = (Rc::new(cli), Context::from_waker(Waker::noop()));
        match pin!(execute(&cli, &session, command)).poll(&mut cx) {
            Poll::Ready(_) => session.output().take(),
            Poll::Pending => panic!("the commands of the log take no time"),
        }
    }
}

#[test]
fn levels_decide_what_is_kept_and_what_is_written() {
    let bench = Bench::new(LoggingSettings::default());
    let class = bench.log.class("api/trace");
    class.info(format_args!("neither"));
    class.notice(format_args!("kept"));
    class.error(format_args!("both"));
    assert_eq!(bench.texts(), ["kept", "both"]);
    assert_eq!(
        *bench.written.lock().unwrap(),
        ["1970/01/01 00:00:00:000 api/trace      [err   ]: both"]
    );
}

#[test]
fn a_class_is_configured_by_its_own_name_or_that_of_its_parent() {
    let quiet = LogClassSettings {
        level: Some(Level::Disabled),
        ..Default::default()
    };
    let loud = LogClassSettings {
        level: Some(Level::Debug),
        ..Default::default()
    };
    let classes = [("a".to_owned(), quiet), ("a/b".to_owned(), loud.clone())].into();
    let bench = Bench::new(LoggingSettings {
        classes,
        ..LoggingSettings::default()
    });
    for class in ["a", "a/b", "a/c", "d"] {
        bench.log.class(class).debug(format_args!("{class}"));
        bench.log.class(class).critical(format_args!("{class}!"));
    }
    assert_eq!(bench.texts(), ["a/b", "a/b!", "d!"]);
    assert!(bench.log.configure("a", &loud));
    bench.log.class("a/c").debug(format_args!("now"));
    assert_eq!(bench.texts().last().unwrap(), "now");
    assert!(!bench.log.configure("nosuch", &loud));
}

#[test]
fn the_ring_forgets_its_oldest_entries() {
    let bench = Bench::new(LoggingSettings {
        size: 3,
        ..LoggingSettings::default()
    });
    let class = bench.log.class("x");
    for n in 0..5 {
        class.notice(format_args!("{n}"));
    }
    assert_eq!(bench.texts(), ["2", "3", "4"]);
    bench.log.set_size(1);
    assert_eq!(bench.texts(), ["4"]);
}

#[test]
fn a_class_that_says_too_much_is_throttled_and_heard_again_after_a_silence() {
    let bench = Bench::new(LoggingSettings::default());
    let class = bench.log.class("noisy");
    for n in 0..1000 {
        class.notice(format_args!("{n}"));
    }
    let texts = bench.texts();
    assert_eq!(texts.len(), 51);
    assert_eq!(texts.last().unwrap(), "--- message(s) throttled ---");
    bench
        .log
        .class("other")
        .notice(format_args!("others are heard"));
    bench.millis.store(2900, Ordering::Relaxed);
    class.notice(format_args!("still too soon"));
    bench.millis.store(3100, Ordering::Relaxed);
    class.notice(format_args!("again"));
    assert_eq!(bench.texts()[51..], ["others are heard", "again"]);
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let bench = Bench::new(LoggingSettings::default());
    bench
        .log
        .class("x")
        .notice(format_args!("{}", "\u{e9}".repeat(5000)));
    let text = &bench.texts()[0];
    assert!(text.len() <= 4096 + 3 && text.ends_with("\u{e9}..."));
}

#[test]
fn the_log_is_shown_and_changed_by_commands() {
    let bench = Bench::new(LoggingSettings::default());
    bench.millis.store(1_795_196_795_920, Ordering::Relaxed);
    bench
        .log
        .class("plugin/load")
        .notice(format_args!("Loaded plugin: ping"));
    assert_eq!(
        bench.command("show logging"),
        "2026/11/20 17:46:35:920 notice     plugin/load    Loaded plugin: ping\n"
    );
    let shown = bench.command("show logging configuration");
    assert!(
        shown.starts_with("Buffer Size:         512 entries\nDefaults:\n"),
        "{shown}"
    );
    assert!(shown.contains("\nplugin\n  load                 notice         warn           50\n"));
    assert_eq!(
        bench.command("set logging class plugin level debug rate-limit 7"),
        ""
    );
    assert!(
        bench
            .command("show logging configuration")
            .contains("debug          warn           7\n")
    );
    assert_eq!(
        bench.command("set logging size 2\nset logging unthrottle-time 9"),
        ""
    );
    assert_eq!(bench.log.size(), 2);
    assert_eq!(bench.command("clear logging"), "");
    assert_eq!(bench.command("show logging"), "");
    assert_eq!(
        bench.command("set logging class nosuch level debug"),
        "set logging class: unknown log class `nosuch'\n"
    );
    assert_eq!(
        bench.command("set logging class plugin level loud"),
        "set logging class: unknown input `level loud'\n"
    );
}

#[test]
fn levels_have_names_and_numbers_of_vpp() {
    for (number, name) in [
        "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "disabled",
    ]
    .iter()
    .enumerate()
    {
        let level: Level = name.parse().unwrap();
        assert_eq!((level as usize, level.name()), (number, *name));
    }
    assert_eq!("loud".parse::<Level>(), Err(UnknownLevel));
    assert!(!Level::Disabled.passes(Level::Disabled));
}
