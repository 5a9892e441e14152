//! Classes, their levels, and where messages go.

use super::{Entry, Level, log_date, ring::Ring};
use crate::config::{LogClassSettings, LoggingSettings};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The longest message that is kept; a longer one is cut.
const MAX_TEXT: usize = 4096;

/// Messages of a class that pass in a second (VPP's default).
const DEFAULT_RATE_LIMIT: u32 = 50;

/// Tells the time since 1970. The one clock of a log, given by its host.
pub trait WallClock: Send + Sync + 'static {
    /// The time since 1970.
    fn since_epoch(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync + 'static> WallClock for F {
    fn since_epoch(&self) -> Duration {
        self()
    }
}

/// Where lines go besides the ring. Must not block.
pub trait LogSink: Send + Sync + 'static {
    /// Takes one line without its end.
    fn write(&self, line: &str);
}

/// Takes everything and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl LogSink for NullSink {
    fn write(&self, _line: &str) {}
}

/// A log. Clones are handles to the same one.
#[derive(Clone)]
pub struct Logger {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Box<dyn WallClock>,
    sink: Box<dyn LogSink>,
    settings: LoggingSettings,
    state: Mutex<State>,
}

struct State {
    ring: Ring,
    unthrottle_time: Duration,
    classes: Vec<ClassState>,
}

struct ClassState {
    name: String,
    subclass: Option<String>,
    level: Level,
    syslog_level: Level,
    rate_limit: u32,
    throttle: Throttle,
}

/// How a class is configured, as `show logging configuration` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassConfiguration {
    /// The class.
    pub name: String,
    /// The subclass; `None` for the class's own messages.
    pub subclass: Option<String>,
    /// The threshold of the ring.
    pub level: Level,
    /// The threshold of standard error.
    pub syslog_level: Level,
    /// Messages a second.
    pub rate_limit: u32,
}

impl Logger {
    /// A log with the given settings.
    pub fn new(settings: LoggingSettings, clock: impl WallClock, sink: impl LogSink) -> Self {
        let state = State {
            ring: Ring::new(settings.size),
            unthrottle_time: settings.unthrottle_time,
            classes: Vec::new(),
        };
        let (clock, sink) = (Box::new(clock), Box::new(sink));
        Self {
            shared: Arc::new(Shared {
                clock,
                sink,
                settings,
                state: Mutex::new(state),
            }),
        }
    }

    /// A log that nobody reads, for tests and tools: the ring works, the time stands still.
    pub fn quiet() -> Self {
        Self::new(LoggingSettings::default(), || Duration::ZERO, NullSink)
    }

    /// The class of this name, `class` or `class/subclass`; made when it is new.
    pub fn class(&self, name: &str) -> Class {
        let (class, subclass) = name
            .split_once('/')
            .map_or((name, None), |(c, s)| (c, Some(s)));
        let mut state = self.shared.lock();
        let known = state
            .classes
            .iter()
            .position(|c| c.name == class && c.subclass.as_deref() == subclass);
        let index = known.unwrap_or_else(|| {
            state.classes.push(self.shared.new_class(class, subclass));
            state.classes.len() - 1
        });
        drop(state);
        Class {
            logger: self.clone(),
            index,
            name: name.into(),
        }
    }

    /// The kept messages, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.shared.lock().ring.entries().cloned().collect()
    }

    /// Forgets the kept messages.
    pub fn clear(&self) {
        self.shared.lock().ring.clear();
    }

    /// The number of messages that are kept at most.
    pub fn size(&self) -> usize {
        self.shared.lock().ring.size()
    }

    /// Changes that number (1 to [`LoggingSettings::MAX_SIZE`]; others are brought into that range).
    pub fn set_size(&self, size: usize) {
        self.shared
            .lock()
            .ring
            .resize(size.min(LoggingSettings::MAX_SIZE));
    }

    /// Changes the silence after which a throttled class is heard again.
    pub fn set_unthrottle_time(&self, time: Duration) {
        self.shared.lock().unthrottle_time = time;
    }

    /// The silence after which a throttled class is heard again.
    pub fn unthrottle_time(&self) -> Duration {
        self.shared.lock().unthrottle_time
    }

    /// What the start-up configuration said.
    pub fn settings(&self) -> &LoggingSettings {
        &self.shared.settings
    }

    /// Changes the named class and all its subclasses. False if there is none.
    pub fn configure(&self, class: &str, settings: &LogClassSettings) -> bool {
        let mut state = self.shared.lock();
        let mut found = false;
        for class in state.classes.iter_mut().filter(|c| c.name == class) {
            found = true;
            class.level = settings.level.unwrap_or(class.level);
            class.syslog_level = settings.syslog_level.unwrap_or(class.syslog_level);
            class.rate_limit = settings.rate_limit.unwrap_or(class.rate_limit);
        }
        found
    }

    /// The levels that a class without settings has: of the ring and of standard error.
    pub fn default_levels(&self) -> (Level, Level) {
        (
            self.shared.settings.default_level,
            self.shared.settings.default_syslog_level,
        )
    }

    /// Messages a second that a class without settings may write.
    pub fn default_rate_limit(&self) -> u32 {
        DEFAULT_RATE_LIMIT
    }

    /// The classes and how they are configured, in the order in which they were made.
    pub fn classes(&self) -> Vec<ClassConfiguration> {
        let state = self.shared.lock();
        state
            .classes
            .iter()
            .map(ClassState::configuration)
            .collect()
    }

    /// How a class was configured at the start.
    pub(super) fn at_start(&self, class: &ClassConfiguration) -> ClassConfiguration {
        let subclass = class.subclass.as_deref();
        self.shared.new_class(&class.name, subclass).configuration()
    }
}

impl ClassState {
    fn configuration(&self) -> ClassConfiguration {
        ClassConfiguration {
            name: self.name.clone(),
            subclass: self.subclass.clone(),
            level: self.level,
            syslog_level: self.syslog_level,
            rate_limit: self.rate_limit,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_class(&self, name: &str, subclass: Option<&str>) -> ClassState {
        let settings = &self.settings;
        let of_subclass = subclass.and_then(|s| settings.classes.get(&format!("{name}/{s}")));
        let of_class = settings.classes.get(name);
        let configured = [of_subclass, of_class];
        let configured = || configured.into_iter().flatten();
        ClassState {
            name: name.into(),
            subclass: subclass.map(Into::into),
            level: configured()
                .find_map(|c| c.level)
                .unwrap_or(settings.default_level),
            syslog_level: configured()
                .find_map(|c| c.syslog_level)
                .unwrap_or(settings.default_syslog_level),
            rate_limit: configured()
                .find_map(|c| c.rate_limit)
                .unwrap_or(DEFAULT_RATE_LIMIT),
            throttle: Throttle::default(),
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// One source of messages. Cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct Class {
    logger: Logger,
    index: usize,
    name: Arc<str>,
}

macro_rules! level_methods {
    ($($(#[$doc:meta])* $method:ident => $level:ident),* $(,)?) => {
        $($(#[$doc])* pub fn $method(&self, text: fmt::Arguments<'_>) {
            self.log(Level::$level, text);
        })*
    };
}

impl Class {
    level_methods! {
        /// Logs at [`Level::Critical`].
        critical => Critical,
        /// Logs at [`Level::Error`].
        error => Error,
        /// Logs at [`Level::Warning`].
        warning => Warning,
        /// Logs at [`Level::Notice`].
        notice => Notice,
        /// Logs at [`Level::Info`].
        info => Info,
        /// Logs at [`Level::Debug`].
        debug => Debug,
    }

    /// Logs a message. The text is made only if somebody gets it.
    pub fn log(&self, level: Level, text: fmt::Arguments<'_>) {
        let shared = &self.logger.shared;
        let time = shared.clock.since_epoch();
        let mut state = shared.lock();
        let unthrottle_time = state.unthrottle_time;
        let class = &mut state.classes[self.index];
        let keep = level.passes(class.level);
        let write = level.passes(class.syslog_level);
        if !keep && !write {
            return;
        }
        let text = match class
            .throttle
            .admit(time, class.rate_limit, unthrottle_time)
        {
            Admission::Pass => cut(text.to_string()),
            Admission::LastWord => "--- message(s) throttled ---".to_owned(),
            Admission::Refuse => return,
        };
        if write {
            shared.sink.write(&format!(
                "{} {:<14} [{level:<6}]: {text}",
                log_date(time),
                self.name
            ));
        }
        if keep {
            state.ring.push(Entry {
                time,
                level,
                class: self.name.to_string(),
                text,
            });
        }
    }

    /// The log it belongs to.
    pub fn logger(&self) -> &Logger {
        &self.logger
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Counts a class's messages of the current second.
#[derive(Debug, Default)]
struct Throttle {
    second_began: Option<Duration>,
    in_second: u32,
    throttling: bool,
}

enum Admission {
    Pass,
    /// The limit is reached with this one: say so instead.
    LastWord,
    Refuse,
}

impl Throttle {
    fn admit(&mut self, now: Duration, limit: u32, unthrottle_time: Duration) -> Admission {
        let window = if self.throttling {
            unthrottle_time
        } else {
            Duration::from_secs(1)
        };
        if self
            .second_began
            .is_none_or(|began| now.saturating_sub(began) > window)
        {
            *self = Self {
                second_began: Some(now),
                in_second: 0,
                throttling: false,
            };
            return Admission::Pass;
        }
        self.in_second = self.in_second.saturating_add(1);
        match self.in_second.cmp(&limit) {
            std::cmp::Ordering::Less => Admission::Pass,
            std::cmp::Ordering::Equal => {
                self.throttling = true;
                Admission::LastWord
            }
            std::cmp::Ordering::Greater => Admission::Refuse,
        }
    }
}
