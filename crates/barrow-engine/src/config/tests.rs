//! What a configuration text means.

use super::*;
use proptest::prelude::*;
use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

fn read(text: &str) -> Result<Settings, ConfigError> {
    Settings::read(&Config::parse(Source::file("startup.conf", text))?)
}

fn read_arguments(arguments: &[&str]) -> Settings {
    let config = Config::parse(Source::arguments(arguments)).unwrap();
    Settings::read(&config).unwrap()
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_packaged_file_of_vpp_is_understood() {
    let settings = read(
        "unix {\n  nodaemon\n  log /var/log/vpp/vpp.log\n  full-coredump\n  cli-listen /run/vpp/cli.sock\n  gid vpp\n\n  \
         ## run vpp in the interactive mode\n  # interactive\n}\napi-trace {\n  on\n}\napi-segment {\n  gid vpp\n}\n\
         socksvr {\n  default\n}\n\ncpu {\n\t# main-core 1\n}\n# dpdk { dev 0000:02:00.0 }\ndpdk { dev 0000:02:00.0 { num-rx-queues 3 } }\n",
    )
    .unwrap();
    let unix = &settings.unix;
    assert!(unix.nodaemon && unix.full_coredump && !unix.interactive);
    assert_eq!(
        unix.cli_listen,
        Some(CliListen::Path("/run/vpp/cli.sock".into()))
    );
    assert_eq!(unix.log.as_deref(), Some(Path::new("/var/log/vpp/vpp.log")));
    assert_eq!(unix.gid, Some(Group::Name("vpp".into())));
    assert!(settings.api_trace.enabled);
    assert_eq!(settings.socksvr.socket_name, SocketName::Default);
    assert_eq!(settings.cpu, CpuSettings::default());
}

#[test]
fn the_command_line_of_vpps_test_framework_is_understood() {
    let settings = read_arguments(&[
        "unix",
        "{",
        "nodaemon",
        "nosyslog",
        "",
        "full-coredump",
        "coredump-size unlimited",
        "runtime-dir",
        "/tmp/vpp-unittest-X",
        "cli-listen ",
        "/tmp/vpp-unittest-X/cli.sock",
        " ",
        "}",
        "api-trace",
        "{",
        "on",
        "}",
        "api-segment",
        "{",
        "prefix",
        "vpp-unittest-X",
        "}",
        "cpu",
        "{",
        "main-core",
        "0",
        "corelist-workers",
        "1,3-4",
        "}",
        "physmem",
        "{",
        "max-size",
        "32m",
        "}",
        "statseg",
        "{",
        "socket-name",
        "/tmp/vpp-unittest-X/stats.sock",
        "per-node-counters onupdate-interval 0.05",
        "}",
        "socksvr",
        "{",
        "socket-name",
        "/tmp/vpp-unittest-X/api.sock",
        "}",
        "node { ",
        "default { variant hsw 100 }",
        "}",
        "api-fuzz {",
        "",
        "}",
        "plugins",
        "{",
        "plugin",
        "dpdk_plugin.so",
        "{",
        "disable",
        "}",
        "plugin",
        "unittest_plugin.so",
        "{",
        "enable",
        "}",
        "}",
        "punt",
        "{",
        "socket",
        "/tmp/punt",
        "}",
        "statseg {size 64M}",
    ]);
    let unix = &settings.unix;
    assert!(unix.nodaemon && unix.nosyslog && unix.full_coredump);
    assert_eq!(unix.coredump_size, CoredumpSize::Unlimited);
    assert_eq!(
        unix.runtime_directory(0, Path::new(".")),
        Path::new("/tmp/vpp-unittest-X")
    );
    assert_eq!(settings.cpu.main_core, Some(0));
    assert_eq!(settings.cpu.workers, WorkerCount::OnCores([1, 3, 4].into()));
    assert_eq!(settings.physmem.max_size, Some(32 << 20));
    assert!(settings.statseg.per_node_counters);
    assert_eq!(settings.statseg.update_interval, Duration::from_millis(50));
    assert_eq!(settings.statseg.size, Some(64 << 20));
    assert_eq!(
        settings.statseg.socket_name,
        SocketName::Path("/tmp/vpp-unittest-X/stats.sock".into())
    );
    let variant = NodeVariant {
        node: None,
        variant: "hsw".into(),
        priority: Some(100),
    };
    assert_eq!(settings.node.variants, [variant]);
    assert_eq!(settings.plugins.choice("dpdk"), Some(PluginChoice::Disable));
    assert_eq!(
        settings.plugins.choice("unittest_plugin.so"),
        Some(PluginChoice::Enable)
    );
    assert_eq!(settings.plugins.choice("ping"), None);
    assert_eq!(
        settings.punt.socket.as_deref(),
        Some(Path::new("/tmp/punt"))
    );
}

#[test]
fn braces_and_words_may_be_glued_or_empty() {
    let settings = read_arguments(&[
        "unix{nodaemon cli-prompt",
        "x#}cpu{workers 2main-core 1}buffers{default",
        "data-size 4096}",
        "",
        "memory{}",
        "plugins{plugin default{disable}plugin ping_plugin.so{enable}}",
        "",
    ]);
    assert_eq!(settings.unix.cli_prompt, "x# ");
    assert_eq!(settings.cpu.workers, WorkerCount::Count(2));
    assert_eq!(settings.cpu.main_core, Some(1));
    assert_eq!(settings.buffers.data_size, Some(4096));
    assert_eq!(settings.plugins.choice("acl"), Some(PluginChoice::Disable));
    assert_eq!(settings.plugins.choice("ping"), Some(PluginChoice::Enable));
}

#[test]
fn a_comment_ends_with_its_line_and_keeps_positions() {
    assert_eq!(
        error("# a { comment\nunix { # }\n  nodaemon\n  bogus 3\n}"),
        "startup.conf:4:3: section `unix' has no word `bogus'"
    );
}

#[test]
fn bad_values_name_their_place() {
    let cases = [
        (
            "cpu { main-core x }",
            ":1:17: `x' is no value for `main-core' in section `cpu': a number is expected",
        ),
        (
            "cpu { main-core }",
            ":1:17: `main-core' in section `cpu' needs a number",
        ),
        (
            "cpu {\n workers 4294967296 }",
            ":2:10: `4294967296' is no value for `workers' in section `cpu': a smaller number is expected",
        ),
        (
            "cpu { corelist-workers 3-1 }",
            ":1:24: `3-1' is no value for `corelist-workers' in section `cpu': a list of CPUs such as 1-3,5 is expected",
        ),
        (
            "cpu { corelist-workers 1-999999999 }",
            ":1:24: `1-999999999' is no value for `corelist-workers' in section `cpu': a list of CPUs such as 1-3,5 is expected",
        ),
        (
            "cpu { workers 300 }",
            ":1:14: section `cpu': there can be 255 workers at most",
        ),
        (
            "cpu { workers 1 corelist-workers 2 }",
            ":1:33: section `cpu': `workers' and `corelist-workers' say different things",
        ),
        (
            "cpu { main-core 2 corelist-workers 2 }",
            ":1:6: section `cpu': CPU 2 is the main thread's and a worker's",
        ),
        (
            "statseg { per-node-counters maybe }",
            ":1:29: `maybe' is no value for `per-node-counters' in section `statseg': on or off is expected",
        ),
        (
            "statseg { update-interval 0 }",
            ":1:26: section `statseg': the update interval must not be 0",
        ),
        (
            "statseg { size 18446744073709551615G }",
            ":1:16: `18446744073709551615G' is no value for `size' in section `statseg': a size below 16 exabytes is expected",
        ),
        (
            "statseg { page-size 3k }",
            ":1:23: section `statseg': a page of 3072 bytes is no power of two",
        ),
        (
            "socksvr { socket-name tcp:0:1 }",
            ":1:23: `tcp:0:1' is no value for `socket-name' in section `socksvr': the path of a Unix socket is expected",
        ),
        (
            "unix { cli-listen here }",
            ":1:19: `here' is no value for `cli-listen' in section `unix': a path or host:port is expected",
        ),
        (
            "logging { default-log-level loud }",
            ":1:29: `loud' is no value for `default-log-level' in section `logging': a level such as notice is expected",
        ),
        (
            "buffers { default data-size 1 }",
            ":1:28: section `buffers': a data size of 1 bytes is outside 256 to 16384",
        ),
        (
            "unix { nodaemonize }",
            ":1:8: section `unix' has no word `nodaemonize'",
        ),
        (
            "unix { exec { } }",
            ":1:13: `exec' in section `unix' needs a path",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("startup.conf{expected}"), "{text}");
    }
}

#[test]
fn braces_must_balance() {
    assert_eq!(
        error("unix {\n nodaemon"),
        "startup.conf:1:6: this `{' is never closed"
    );
    assert_eq!(
        error("unix { } }"),
        "startup.conf:1:10: this `}' closes nothing"
    );
    assert_eq!(
        error("{ unix }"),
        "startup.conf:1:1: a section needs a name before its `{'"
    );
}

#[test]
fn a_text_has_an_upper_bound() {
    let long = " ".repeat(source::MAX_TEXT + 1);
    assert!(matches!(
        read(&long).unwrap_err().kind,
        ConfigErrorKind::TooLong { .. }
    ));
}

#[test]
fn a_section_may_stand_several_times_and_the_last_word_counts() {
    let settings = read("statseg { size 1M page-size 2M } statseg { size 2M }").unwrap();
    assert_eq!(settings.statseg.size, Some(2 << 20));
    assert_eq!(settings.statseg.page_size, PageSize::Bytes(2 << 20));
}

#[test]
fn logging_is_configured_by_class() {
    let settings = read(
        "logging { size 100 unthrottle-time 5 default-log-level debug default-syslog-log-level err \
         class api { level info rate-limit 7 } class api/trace { syslog-level disabled } }",
    )
    .unwrap()
    .logging;
    assert_eq!(
        (settings.size, settings.unthrottle_time),
        (100, Duration::from_secs(5))
    );
    assert_eq!(settings.classes["api"].rate_limit, Some(7));
    assert_eq!(
        settings.classes["api/trace"].syslog_level,
        Some(crate::log::Level::Disabled)
    );
}

#[test]
fn features_read_their_sections_and_unknown_ones_are_named() {
    let config =
        "ip-neighbor { hold 3 }\nunix { }\nnat { endpoint-dependent }\nl2fib { table-size 3 }";
    let config = Config::parse(Source::file("f", config)).unwrap();
    let hold = Rc::new(RefCell::new(0));
    let mut registry = ConfigRegistry::default();
    let read = hold.clone();
    registry
        .section("ip-neighbor", move |words| {
            while words.keyword(&["hold"])?.is_some() {
                *read.borrow_mut() = words.number()?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(
        registry.section("unix", |_| Ok(())),
        Err(SectionAlreadyRegistered("unix"))
    );
    let warnings = registry.apply(&config).unwrap();
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["f:3:1: unknown section `nat' is ignored"]);
    assert_eq!(*hold.borrow(), 3);
}

#[test]
fn what_a_handler_leaves_unread_is_an_error() {
    let config = Config::parse(Source::file("f", "mine { a b }")).unwrap();
    let mut registry = ConfigRegistry::default();
    registry
        .section("mine", |words| words.keyword(&["a"]).map(|_| ()))
        .unwrap();
    let error = registry.apply(&config).unwrap_err().to_string();
    assert_eq!(error, "f:1:10: section `mine' has no word `b'");
}

#[test]
fn the_runtime_directory_follows_the_user() {
    let directory = |text: &str, uid| {
        read(text)
            .unwrap()
            .unix
            .runtime_directory(uid, Path::new("/here"))
            .display()
            .to_string()
    };
    assert_eq!(directory("", 0), "/run/vpp");
    assert_eq!(directory("", 7), "/run/user/7/vpp");
    assert_eq!(directory("unix { use-current-dir }", 0), "/here");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _: Result<_, _> = read(&text);
    }

    #[test]
    fn no_arrangement_of_known_words_makes_the_reader_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "unix", "cpu", "statseg", "logging", "plugins", "plugin", "node", "default", "buffers",
            "memory", "socksvr", "{", "}", " ", "\n", "#", "\"", "-", "0x", "9999999999999999999999",
            "1e999", "64M", "1-3,5", "on", "off", "workers", "corelist-workers", "main-core",
            "update-interval", "per-node-counters", "class", "level", "variant", "\u{e9}",
        ]), 0..40),
    ) {
        let _: Result<_, _> = read(&words.concat());
        let _: Result<_, _> = read(&words.join(" "));
    }
}
