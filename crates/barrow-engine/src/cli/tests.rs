//! The command language, as `cli-captures.json` and live sessions of VPP show it.

use super::*;
use crate::testing::Testbed;
use barrow_core::Instant;
use proptest::prelude::*;
use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A registry with a few commands, and sessions to run them in.
pub(super) struct Shell {
    pub(super) registry: Rc<CliRegistry>,
    pub(super) settings: Rc<SessionSettings>,
    pub(super) macros: Rc<Macros>,
    pub(super) sessions: CliSessions,
    /// How often a `wait` looked at the clock before it is over.
    pub(super) patience: Rc<Cell<usize>>,
}

impl Shell {
    pub(super) fn new() -> Self {
        Self::with_settings(SessionSettings::default())
    }

    pub(super) fn with_settings(settings: SessionSettings) -> Self {
        let sessions = CliSessions::default();
        let known = CliHandle::default();
        let patience = Rc::new(Cell::new(0));
        let left = patience.clone();
        let sleep: Sleep = Rc::new(move |_: Duration| {
            let left = left.clone();
            Box::pin(std::future::poll_fn(move |_| match left.get() {
                0 => Poll::Ready(()),
                n => {
                    left.set(n - 1);
                    Poll::Pending
                }
            }))
        });
        let host = ShellHost {
            sleep,
            sessions: sessions.clone(),
            registry: known.clone(),
        };
        let mut cli = CliRegistry::default();
        register_shell(&mut cli, &host).unwrap();
        cli.command("show version", "show version [verbose]", |cx, _| {
            cx.print("probe v1");
            Ok(())
        })
        .unwrap();
        cli.command("show nothing", "prints nothing", |_, _| Ok(()))
            .unwrap();
        cli.command("show biglines", "show biglines N", |cx, args| {
            let lines = args.number::<u32>().ok_or_else(|| args.unknown_input())?;
            for line in 0..lines {
                cx.print(format_args!("line {line}"));
            }
            Ok(())
        })
        .unwrap();
        cli.command("show interface", "show interface [NAME]", |cx, args| {
            if let Some(name) = args.parsed(|word| (word == "pg0").then_some(word)) {
                cx.print(name);
            }
            args.finish()
        })
        .unwrap();
        cli.command("show interface address", "addresses", |cx, args| {
            cx.print("addresses");
            args.finish()
        })
        .unwrap();
        cli.command(
            "packet-generator new",
            "packet-generator new { ... }",
            |cx, args| {
                let line = args.line().replace('\n', "|");
                cx.print(format_args!("[{line}]"));
                Ok(())
            },
        )
        .unwrap();
        cli.command("packet-generator enable-stream", "enable", |_, args| {
            args.finish()
        })
        .unwrap();
        let registry = Rc::new(cli);
        known.set(&registry);
        Self {
            registry,
            settings: Rc::new(settings),
            macros: Rc::new(Macros::default()),
            sessions,
            patience,
        }
    }

    pub(super) fn program(&self) -> CliSession {
        CliSession::program_session("test", self.settings.clone(), self.macros.clone())
    }

    /// Runs a request as a program does and gives whether it went well, and its text.
    fn run(&self, request: &str) -> (bool, String) {
        let session = self.program();
        let result = finish(execute(&self.registry, &session, request));
        (result.is_ok(), session.output().take())
    }

    fn text(&self, request: &str) -> String {
        self.run(request).1
    }
}

/// Polls a future that waits for nothing but polls.
pub(super) fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("the future does not end");
}

#[test]
fn words_may_be_abbreviated_while_they_stay_unique() {
    let shell = Shell::new();
    for request in ["show version", "sh ver", "show vers", "  sh   v \n"] {
        assert_eq!(shell.run(request), (true, "probe v1\n".into()), "{request}");
    }
    assert_eq!(shell.text("sh int addr"), "addresses\n");
    assert_eq!(shell.run("pa en"), (true, String::new()));
}

#[test]
fn errors_read_as_those_of_vpp() {
    let shell = Shell::new();
    let cases = [
        ("no such command", "unknown input `no such command'\n"),
        (
            "bogus\nshow version",
            "unknown input `bogus\\nshow version'\n",
        ),
        ("show bogus", "show: unknown input `bogus'\n"),
        ("show", "show: unknown input `'\n"),
        ("show\nshow version", "show: unknown input `'\n"),
        (
            "show interface nosuch",
            "show interface: unknown input `nosuch'\n",
        ),
        ("history", "history: invalid for non-interactive sessions\n"),
        ("s", "unknown input `s'\n"),
        ("# comment", "unknown input `# comment'\n"),
        (
            "bogus 0123456789012345678901234567890",
            "unknown input `bogus 012345678901234567890123...'\n",
        ),
    ];
    for (request, text) in cases {
        assert_eq!(shell.run(request), (false, text.into()), "{request}");
    }
}

#[test]
fn what_a_command_leaves_is_the_next_command() {
    let shell = Shell::new();
    assert_eq!(
        shell.text("show version show version"),
        "probe v1\nprobe v1\n"
    );
    assert_eq!(
        shell.run("show version extra"),
        (false, "probe v1\nunknown input `extra'\n".into())
    );
    assert_eq!(
        shell.text("show version\nshow biglines 2\n"),
        "probe v1\nline 0\nline 1\n"
    );
    let chain = "show version ".repeat(70);
    assert!(
        !shell.run(&chain).0,
        "a line holds a bounded number of commands"
    );
}

#[test]
fn a_failing_command_ends_its_request() {
    let shell = Shell::new();
    let (ok, text) = shell.run("show version\nbogus\nshow version");
    assert!(!ok);
    assert_eq!(text, "probe v1\nunknown input `bogus\\nshow version'\n");
}

#[test]
fn braces_hold_a_command_together_over_several_lines() {
    let shell = Shell::new();
    assert_eq!(
        shell.text("packet-generator new {\n name x\n}\nshow version"),
        "[name x]\nprobe v1\n"
    );
    assert_eq!(
        shell.text("pac new data { a\n b }\nsh ver"),
        "[data { a| b }]\nprobe v1\n"
    );
    assert_eq!(shell.text("pac new { open\nsh ver"), "[{ open]\nprobe v1\n");
    assert_eq!(shell.text("show { version }"), "probe v1\n");
    assert_eq!(
        shell.run("show interface { nosuch }"),
        (false, "show interface: unknown input `nosuch'\n".into())
    );
}

#[test]
fn nested_and_unclosed_braces_cost_little() {
    let shell = Shell::new();
    let deep = format!("show {}version", "{".repeat(100_000));
    assert!(!shell.run(&deep).0);
    let closed = format!("show {} version {}", "{".repeat(50_000), "}".repeat(50_000));
    assert!(!shell.run(&closed).0);
}

#[test]
fn help_shows_the_next_level_and_a_question_mark_all_of_it() {
    let shell = Shell::new();
    let help = shell.text("help");
    assert!(
        help.contains("  show                           Show commands\n"),
        "{help}"
    );
    assert!(help.contains("  packet-generator               packet-generator commands\n"));
    let next = "  address                        addresses\n";
    assert_eq!(shell.text("help show int"), next);
    assert_eq!(shell.text("show int help"), next);
    let line = "  show interface address                   addresses\n";
    assert_eq!(shell.text("show interface address ?"), line);
    assert_eq!(shell.text("show interface address help"), line);
    let all = shell.text("show ?");
    assert!(
        all.starts_with("  show biglines                            show biglines N\n"),
        "{all}"
    );
    assert!(all.contains(line));
    assert_eq!(shell.text("show choices"), all);
}

#[test]
fn a_comment_does_nothing() {
    let shell = Shell::new();
    assert_eq!(
        shell.run("comment show nonsense\nshow version"),
        (true, "probe v1\n".into())
    );
    assert_eq!(
        shell.run("comment { a\n b } show version"),
        (true, "probe v1\n".into())
    );
}

#[test]
fn echo_prints_its_line_and_macros_are_expanded_for_people_only() {
    let shell = Shell::new();
    assert_eq!(shell.text("echo  a  $(b)\necho"), "a  $(b)\n\n");
    let session = shell.program();
    finish(run_request(
        &shell.registry,
        &session,
        "define b hello world",
    ))
    .unwrap();
    finish(run_request(
        &shell.registry,
        &session,
        "echo <$(b)> $(c)\nshow macro",
    ))
    .unwrap();
    assert_eq!(
        session.output().take(),
        "<hello world> UNSET\nb                   hello world\n"
    );
    finish(run_request(
        &shell.registry,
        &session,
        "undefine b\nundefine b",
    ))
    .unwrap();
    assert_eq!(session.output().take(), "b wasn't set...\n");
}

#[test]
fn a_command_that_takes_time_holds_back_those_behind_it() {
    let shell = Shell::new();
    shell.patience.set(3);
    assert_eq!(
        shell.text("wait 0.25\nshow version"),
        "waited 0.250 sec.\nprobe v1\n"
    );
    for bad in ["wait 0", "wait -1", "wait 86401", "wait 0.0001"] {
        assert!(
            shell
                .text(bad)
                .starts_with("wait: <sec> must be a positive value"),
            "{bad}"
        );
    }
    assert_eq!(shell.text("wait soon"), "wait: unknown parameter: `soon`\n");
}

#[test]
fn a_command_that_takes_time_ends_when_its_client_is_gone() {
    let shell = Shell::new();
    shell.patience.set(usize::MAX);
    let session = shell.program();
    let mut run = Box::pin(execute(&shell.registry, &session, "wait 100\nshow version"));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(run.as_mut().poll(&mut cx).is_pending());
    assert!(session.is_interruptible());
    session.disconnect();
    assert!(run.as_mut().poll(&mut cx).is_ready());
    assert_eq!(session.output().take(), "probe v1\n");
}

#[test]
fn scripts_run_line_by_line_and_stop_at_the_first_error() {
    let shell = Shell::new();
    let directory = std::env::temp_dir().join(format!("barrow-script-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = file(
        "good",
        "# first\nshow version\n\ndefine n 1\nshow biglines $(n)\n",
    );
    assert_eq!(
        shell.run(&format!("exec {good}")),
        (true, "probe v1\nline 0\n".into())
    );
    let bad = file("bad", "show version\nbogus\nshow version\n");
    let text = format!("probe v1\nunknown input `bogus'\nexec: line 2 of `{bad}' failed\n");
    assert_eq!(shell.run(&format!("exec {bad}")), (false, text));
    let endless = file("endless", "");
    std::fs::write(&endless, format!("exec {endless}")).unwrap();
    let (ok, text) = shell.run(&format!("exec {endless}"));
    assert!(
        !ok && text.starts_with("exec: scripts run scripts more than 8 deep\n"),
        "{text}"
    );
    let directory_name = directory.display();
    assert_eq!(
        shell.text(&format!("exec {directory_name}")),
        format!("exec: not a regular file `{directory_name}'\n")
    );
    assert!(
        shell
            .text("exec /nonexistent")
            .starts_with("exec: failed to open `/nonexistent'")
    );
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn quit_ends_the_request_and_the_session() {
    let shell = Shell::new();
    for quit in ["quit", "q", "exit"] {
        let session = shell.program();
        let request = format!("show version\n{quit}\nshow version");
        finish(execute(&shell.registry, &session, &request)).unwrap();
        assert!(session.is_quitting());
        assert_eq!(session.output().take(), "probe v1\n");
    }
}

#[test]
fn completions_are_the_words_that_can_follow() {
    let shell = Shell::new();
    assert_eq!(shell.registry.completions("sh"), ["show"]);
    assert_eq!(shell.registry.completions("sh v"), ["version"]);
    assert_eq!(shell.registry.completions("show int "), ["address"]);
    assert_eq!(shell.registry.completions("e"), ["echo", "exec", "exit"]);
    assert!(shell.registry.completions("").contains(&"show"));
    assert!(shell.registry.completions("bogus x").is_empty());
}

#[test]
fn a_path_has_one_command() {
    let mut cli = CliRegistry::default();
    cli.command("a b", "", |_, _| Ok(())).unwrap();
    let again = cli.command("a  b", "", |_, _| Ok(()));
    assert_eq!(again, Err(DuplicateCommand("a  b".into())));
    cli.command("a", "", |_, _| Ok(())).unwrap();
}

#[test]
fn the_clock_is_shown_and_moves_forward_only() {
    let bed = Testbed::with(|_| Ok(()));
    let mut cli = CliRegistry::default();
    register_clock(&mut cli, bed.control()).unwrap();
    let shell = Shell {
        registry: Rc::new(cli),
        ..Shell::new()
    };
    assert_eq!(
        shell.run("set clock adjust 12.345678"),
        (true, String::new())
    );
    let shown = shell.text("show clock");
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("Time now 12.345678, ") && lines[0].ends_with(" GMT"));
    assert_eq!(
        lines[1..],
        [
            "Time last barrier release 0.000000000",
            "0: Time now 12.345678",
            "Thread 0 offset 0.000000000 error 0.000000000"
        ]
    );
    assert!(!shell.run("set clock adjust -1").0);
    assert!(!shell.run("set clock adjust nan").0);
}

#[test]
fn the_version_is_one_that_clients_of_vpp_accept() {
    let mut cli = CliRegistry::default();
    register_identity(&mut cli, Rc::new(Identity::of_this_build(9742))).unwrap();
    let shell = Shell {
        registry: Rc::new(cli),
        ..Shell::new()
    };
    assert!(shell.text("show version").starts_with("vpp v26.06-barrow."));
    let verbose = shell.text("show version verbose");
    assert!(verbose.contains("Barrow") && verbose.contains("Version:                  v26.06"));
    assert!(verbose.ends_with("Current PID:              9742\n"));
}

#[test]
fn threads_are_listed_in_vpps_columns() {
    let mut cli = CliRegistry::default();
    let main = ThreadInfo {
        name: "vpp_main".into(),
        process_id: 9742,
        policy: "other".into(),
        cpu: Some(0),
        core: Some(0),
        socket: Some(0),
        ..ThreadInfo::default()
    };
    register_threads(&mut cli, move || vec![main.clone()]).unwrap();
    let shell = Shell {
        registry: Rc::new(cli),
        ..Shell::new()
    };
    assert_eq!(
        shell.text("show threads"),
        "ID     Name                Type        LWP     Sched Policy (Priority)  lcore  Core   Socket State     \n\
         0      vpp_main                        9742    other (0)                0      0      0                \n"
    );
}

proptest! {
    #[test]
    fn no_request_makes_the_dispatcher_panic(request in "\\PC{0,60}") {
        Shell::new().run(&request);
    }

    #[test]
    fn no_arrangement_of_known_words_makes_the_dispatcher_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "show", "version", "?", "help", "{", "}", "\n", " ", "comment", "echo", "pa", "new",
            "choices", "define", "$(", ")", "\\", "set", "terminal", "pager", "wait", "x",
        ]), 0..30),
    ) {
        let shell = Shell::new();
        shell.run(&words.concat());
        let session = shell.program();
        drop(finish(run_request(&shell.registry, &session, &words.join(" "))));
    }
}

/// The virtual time at which session tests begin.
pub(super) const START: Instant = Instant::from_secs(1000);

#[test]
fn a_session_that_may_only_look_is_refused_everything_else() {
    let shell = Shell::new();
    let session = shell.program();
    session.set_read_only(true);
    let run = |request: &str| {
        let result = finish(execute(&shell.registry, &session, request));
        (result.is_ok(), session.output().take())
    };
    assert_eq!(run("show version"), (true, "probe v1\n".into()));
    assert!(run("echo a").0);
    let refused = "define: permission denied: this session may only look\n";
    assert_eq!(run("define a b"), (false, refused.into()));
    for request in [
        "exec /dev/null",
        "packet-generator new { x }",
        "show version\nundefine a",
    ] {
        let (ok, text) = run(request);
        assert!(
            !ok && text.contains("permission denied"),
            "{request}: {text}"
        );
    }
}
