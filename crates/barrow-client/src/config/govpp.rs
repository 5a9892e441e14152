//! `govpp.conf`, the settings file of govppmux, in its own form.

use super::Config;
use std::path::PathBuf;
use std::time::Duration;

/// What a `govpp.conf` says.
#[derive(Clone, Debug, PartialEq)]
pub struct GovppConf {
    /// The settings of the client; those the file does not name have govppmux's defaults.
    pub config: Config,
    /// `binapi-socket-path`.
    pub socket: Option<PathBuf>,
    /// `stats-socket-path`.
    pub stats_socket: Option<PathBuf>,
    /// `resync-after-reconnect`: for the program to act upon, see [`ConnectionState`](crate::ConnectionState).
    pub resync_after_reconnect: bool,
    /// `retry-request-count` and `retry-request-timeout`: how often, and after what pause, the program may make a call
    /// again whose error [is unsent](crate::Error::is_unsent).
    pub retry_request: (u32, Duration),
    /// Keys that mean nothing here, with their line: shared memory, the proxy, and what is misspelt.
    pub ignored: Vec<(usize, String)>,
}

/// A line of a `govpp.conf` that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct GovppConfError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Config {
    /// Reads a `govpp.conf`: lines of `key: value`, comments behind `#`. Durations are nanoseconds, as govppmux wrote
    /// them, or have units (`250ms`, `1s`, `1m30s`).
    ///
    /// A threshold is the number of failures in a row at which the connection is given up, 1 being the first.
    ///
    /// # Errors
    /// The first line that is not understood.
    ///
    /// ```
    /// use barrow_client::Config;
    ///
    /// let conf = Config::from_govpp_conf(
    ///     "health-check-probe-interval: 1000000000
    ///      health-check-reply-timeout: 100ms # as in 2017
    ///      health-check-threshold: 1",
    /// )?;
    /// assert_eq!(conf.config.health, barrow_client::Health::govppmux());
    /// # Ok::<(), barrow_client::GovppConfError>(())
    /// ```
    pub fn from_govpp_conf(text: &str) -> Result<GovppConf, GovppConfError> {
        let mut conf = GovppConf::default();
        for (line, text) in (1..).zip(text.lines()) {
            let text = without_comment(text).trim();
            if text.is_empty() || text == "---" {
                continue;
            }
            let error = |what| GovppConfError { line, what };
            let (key, value) = text
                .split_once(':')
                .ok_or_else(|| error(format!("`{text}` is not `key: value`")))?;
            let (key, value) = (key.trim(), unquoted(value.trim()));
            if !conf.set(key, value).map_err(error)? {
                conf.ignored.push((line, key.to_owned()));
            }
        }
        Ok(conf)
    }
}

impl Default for GovppConf {
    /// An empty file: govppmux's defaults, but for connecting, which never gives up.
    fn default() -> Self {
        let mut config = Config {
            timeout: Some(Duration::from_secs(1)),
            ..Config::default()
        };
        config.health.reply_timeout = Duration::from_millis(250);
        config.health.threshold = 1;
        Self {
            config,
            socket: None,
            stats_socket: None,
            resync_after_reconnect: false,
            retry_request: (0, Duration::from_millis(500)),
            ignored: Vec::new(),
        }
    }
}

impl GovppConf {
    /// Whether the key means something here.
    fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let Self { config, .. } = self;
        match key {
            "binapi-socket-path" => self.socket = path(value),
            "stats-socket-path" => self.stats_socket = path(value),
            "health-check-probe-interval" => config.health.interval = duration(value)?,
            "health-check-reply-timeout" => config.health.reply_timeout = duration(value)?,
            "health-check-threshold" => config.health.threshold = count(value)?,
            "reply-timeout" => {
                let timeout = duration(value)?;
                config.timeout = (timeout > Duration::ZERO).then_some(timeout);
            }
            "retry-connect-count" => {
                let attempts = count(value)?;
                config.reconnect.attempts = (attempts > 0).then_some(attempts);
            }
            "retry-connect-timeout" => {
                config.reconnect.first = duration(value)?;
                config.reconnect.max = config.reconnect.first;
            }
            "retry-request-count" => self.retry_request.0 = count(value)?,
            "retry-request-timeout" => self.retry_request.1 = duration(value)?,
            "resync-after-reconnect" => {
                self.resync_after_reconnect = value
                    .parse()
                    .map_err(|_| format!("`{value}` is neither true nor false"))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn without_comment(line: &str) -> &str {
    match line.find('#') {
        // A `#` inside a word is part of it.
        Some(at)
            if line[..at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace) =>
        {
            &line[..at]
        }
        _ => line,
    }
}

fn unquoted(value: &str) -> &str {
    let quoted = |quote| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(inner)
    };
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

/// A path; nothing, or the placeholder of the sample file, is none.
fn path(value: &str) -> Option<PathBuf> {
    (!value.is_empty() && value != "<path>").then(|| PathBuf::from(value))
}

fn count(value: &str) -> Result<u32, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is not a number of times"))
}

/// Nanoseconds, or numbers with units as Go writes them.
fn duration(value: &str) -> Result<Duration, String> {
    if let Ok(nanos) = value.parse() {
        return Ok(Duration::from_nanos(nanos));
    }
    let wrong = || format!("`{value}` is not a duration (1000000000, 250ms, 1s)");
    let mut total = Duration::ZERO;
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = behind;
    }
    match value.is_empty() {
        true => Err(wrong()),
        false => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sample_of_the_origin_is_read_unchanged() {
        let conf = Config::from_govpp_conf(
            "# Path to a socket
             binapi-socket-path: <path>
             connect-via-shm: false
             shm-prefix: <prefix>
             stats-socket-path: /run/vpp/stats.sock
             resync-after-reconnect: true
             retry-request-count: 2
             retry-request-timeout: 500ms
             retry-connect-count: 3
             retry-connect-timeout: 1s
             proxy-enabled: true",
        )
        .unwrap();
        assert_eq!(conf.socket, None);
        assert_eq!(conf.stats_socket, Some("/run/vpp/stats.sock".into()));
        assert!(conf.resync_after_reconnect);
        assert_eq!(conf.retry_request, (2, Duration::from_millis(500)));
        assert_eq!(conf.config.reconnect.attempts, Some(3));
        assert_eq!(conf.config.reconnect.first, Duration::from_secs(1));
        let ignored: Vec<_> = conf.ignored.iter().map(|(line, _)| *line).collect();
        assert_eq!(ignored, [3, 4, 11]);
    }

    #[test]
    fn durations_are_nanoseconds_or_have_units() {
        let ms = Duration::from_millis;
        for (text, meant) in [
            ("100000000", ms(100)),
            ("1s", ms(1000)),
            ("1.5s", ms(1500)),
            ("1m30s", ms(90_000)),
            ("250ms", ms(250)),
        ] {
            assert_eq!(duration(text), Ok(meant), "{text}");
        }
        for text in ["", "1", "s", "1x", "-1s", "1s2", "..s"] {
            assert_eq!(duration(text).is_ok(), text == "1", "{text}");
        }
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text| Config::from_govpp_conf(text).unwrap_err().to_string();
        assert!(error("\nreply-timeout 1s").starts_with("line 2: "));
        assert!(error("health-check-threshold: many").contains("many"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(([a-z-]{1,30}|health-check-threshold|reply-timeout): ?[0-9a-z.#\"]{0,12}\n?){0,6}|\\PC*") {
            let _ = Config::from_govpp_conf(&text);
        }
    }
}
