//! A whole node on a thread, reached by its sockets.

use super::fuzz;
use crate::{
    Engine,
    config::{CliListen, Settings},
};
use barrow_messages::{
    memclnt::{SockclntCreate, SockclntCreateReply},
    vlib::{GetNodeIndex, GetNodeIndexReply, ShowThreads, ShowThreadsReply},
    vpe::{ShowVersion, ShowVersionReply},
};
use barrow_runtime::host::Stopper;
use barrow_wire::{FixedString, Header, Message, decode_message, frame};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::mpsc::channel,
    thread::JoinHandle,
    time::Duration,
};
use tempfile::TempDir;

struct Node {
    directory: TempDir,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl Node {
    fn start(change: impl FnOnce(&mut Settings, &Path) + Send + 'static) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().to_owned();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            let mut settings = Settings::default();
            settings.unix.runtime_dir = Some(path.clone());
            settings.unix.cli_listen = Some(CliListen::Path(path.join("cli.sock")));
            settings.buffers.buffers_per_numa = Some(1024);
            change(&mut settings, &path);
            let engine = Engine::builder().quiet().settings(settings).build();
            let engine = engine.map_err(|error| error.to_string())?;
            let stopper = engine.stopper();
            let ready = tell.clone();
            let result = engine.serve(move || ready.send(stopper).unwrap());
            drop(tell);
            result.map_err(|error| error.to_string())
        });
        match told.recv() {
            Ok(stopper) => Self {
                directory,
                stopper,
                thread: Some(thread),
            },
            Err(_) => panic!("{:?}", thread.join().unwrap()),
        }
    }

    fn connect(&self, socket: &str) -> UnixStream {
        let stream = UnixStream::connect(self.directory.path().join(socket)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    fn command(&self, command: &str) -> String {
        let mut stream = self.connect("cli.sock");
        stream.read_exact(&mut [0; 36]).unwrap();
        stream.write_all(b"\xff\xfa\x18\x00vppctl\xff\xf0").unwrap();
        stream.write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while answer.last() != Some(&0) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert_eq!(answer.pop(), Some(0));
        String::from_utf8(answer).unwrap().replace("\r\n", "\n")
    }

    fn stop(mut self) -> Result<(), String> {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn exchange<M: Message>(stream: &mut UnixStream, id: u16, message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    frame::encode(
        Header {
            id,
            client_index: 0,
            context: 5,
        },
        message,
        &mut out,
    )
    .unwrap();
    stream.write_all(&out).unwrap();
    let mut header = [0; 16];
    stream.read_exact(&mut header).unwrap();
    let mut reply = vec![0; u32::from_be_bytes(*header[8..].first_chunk().unwrap()) as usize];
    stream.read_exact(&mut reply).unwrap();
    reply
}

#[test]
fn a_node_serves_all_its_sockets_and_stops() {
    let node = Node::start(|settings, path| {
        let script = path.join("script");
        std::fs::write(&script, "define greeting hello\nset logging size 100\n").unwrap();
        settings.unix.startup_config = Some(script);
        settings.unix.pidfile = Some(path.join("pid"));
        settings.api_trace.enabled = true;
    });
    assert!(
        node.command("show version")
            .starts_with("vpp v26.06-barrow.")
    );
    assert_eq!(
        node.command("echo $(greeting)"),
        "hello\n",
        "the script's macro is global"
    );
    assert!(node.command("show clock").starts_with("Time now "));
    assert!(node.command("show threads").contains("vpp_main"));
    assert!(node.command("show cpu").starts_with("Model name: "));
    let files = node.command("show files");
    let listener = files
        .lines()
        .find(|line| line.contains("socksvr "))
        .unwrap();
    assert!(
        listener.contains("socket:") && listener.contains("api.sock"),
        "{files}"
    );
    assert!(
        node.command("show logging configuration")
            .contains("100 entries")
    );
    assert_eq!(
        node.command("show api trace-status"),
        "RX Trace enabled\nTX Trace disabled\n"
    );
    assert_eq!(node.command("show api clients"), "");

    let mut api = node.connect("api.sock");
    let hello = SockclntCreate {
        name: FixedString::truncated("cap"),
    };
    let reply = exchange(&mut api, 15, &hello);
    let (_, hello) = decode_message::<SockclntCreateReply>(&reply).unwrap();
    let id = |name: &str| {
        let entry = hello
            .message_table
            .iter()
            .find(|e| e.name.as_bytes() == name.as_bytes());
        entry.unwrap().index
    };
    let clients = node.command("show api clients");
    assert!(
        clients.starts_with("Socket clients\n                Name  Fildesc\n"),
        "{clients}"
    );
    assert!(clients.contains("                 cap "), "{clients}");
    assert!(
        node.command("show api message-table")
            .contains("\n23   control_ping\n")
    );
    assert!(node.command("show api plugin").contains("vlib_"));
    let reply = exchange(&mut api, id(ShowVersion::NAME_CRC), &ShowVersion {});
    let (_, version) = decode_message::<ShowVersionReply>(&reply).unwrap();
    assert_eq!(version.program.to_string_lossy(), "vpe");
    assert!(
        version
            .version
            .to_string_lossy()
            .starts_with("26.06-barrow.")
    );
    let reply = exchange(&mut api, id(ShowThreads::NAME_CRC), &ShowThreads {});
    let (_, threads) = decode_message::<ShowThreadsReply>(&reply).unwrap();
    assert_eq!(threads.thread_data[0].name.to_string_lossy(), "vpp_main");
    assert_ne!(threads.thread_data[0].pid, 0);
    for (name, retval) in [("error-drop", 0), ("nosuch", -63)] {
        let request = GetNodeIndex {
            node_name: FixedString::truncated(name),
        };
        let reply = exchange(&mut api, id(GetNodeIndex::NAME_CRC), &request);
        let (_, found) = decode_message::<GetNodeIndexReply>(&reply).unwrap();
        assert_eq!(
            (found.retval, found.node_index == u32::MAX),
            (retval, retval != 0)
        );
    }

    let stats = node.directory.path().join("stats.sock");
    barrow_stats::socket::receive_descriptor(&stats, Duration::from_secs(30)).unwrap();
    let pid = std::fs::read_to_string(node.directory.path().join("pid")).unwrap();
    assert_eq!(pid.trim(), std::process::id().to_string());
    let directory = node.directory.path().to_owned();
    let kept = node.directory.path().join("api.sock");
    assert!(kept.exists());
    node.stop().unwrap();
    assert!(!directory.exists());
}

#[test]
fn a_trace_is_saved_where_nothing_is_and_shown_again() {
    let node = Node::start(|_, _| {});
    assert_eq!(
        node.command("api trace save x"),
        "api trace: API Trace data not present\n"
    );
    assert_eq!(node.command("api trace on nitems 10"), "");
    let mut api = node.connect("api.sock");
    exchange(&mut api, 23, &barrow_messages::memclnt::ControlPing {});
    assert_eq!(
        node.command("api trace status"),
        "RX trace: used 1 of 10 items, is enabled, has not wrapped\nTX trace: not yet configured.\n"
    );
    for name in ["a/b", "..", "../x"] {
        assert_eq!(
            node.command(&format!("api trace save {name}")),
            format!("api trace: illegal characters in filename '{name}'\n")
        );
    }
    let name = format!("barrow-test-{}", std::process::id());
    let saved = node.command(&format!("api trace save {name}"));
    assert_eq!(saved, format!("API trace saved to /tmp/{name}\n"));
    let again = node.command(&format!("api trace save {name}"));
    assert_eq!(again, format!("api trace: file exists: /tmp/{name}\n"));
    let shown = node.command(&format!("api trace dump /tmp/{name}"));
    let ping = "[\n{\"_msgname\":\"control_ping\",\"_crc\":\"51077d14\"}\n]\n";
    for command in [format!("tojson /tmp/{name}"), "dump-json".to_owned()] {
        assert_eq!(node.command(&format!("api trace {command}")), ping);
    }
    let json = format!("{name}.json");
    let saved = node.command(&format!("api trace save-json {json}"));
    assert_eq!(saved, format!("API trace saved to /tmp/{json}\n"));
    assert_eq!(
        std::fs::read_to_string(format!("/tmp/{json}")).unwrap(),
        ping
    );
    std::fs::remove_file(format!("/tmp/{json}")).unwrap();
    std::fs::remove_file(format!("/tmp/{name}")).unwrap();
    assert_eq!(
        shown,
        "---------- trace 0 -----------\nvl_api_control_ping_t:\n"
    );
    assert!(
        node.command("api trace dump /tmp/nosuch")
            .starts_with("api trace: Couldn't open")
    );
    node.command("api trace off");
    assert_eq!(
        node.command("show api trace-status"),
        "RX Trace disabled\nTX Trace disabled\n"
    );
}

#[test]
fn a_second_node_on_the_same_sockets_refuses_clearly() {
    let node = Node::start(|_, _| {});
    let path = node.directory.path().to_owned();
    let mut settings = Settings::default();
    settings.unix.runtime_dir = Some(path);
    settings.buffers.buffers_per_numa = Some(1024);
    let second = Engine::builder()
        .quiet()
        .settings(settings)
        .build()
        .unwrap();
    let error = second
        .serve(|| panic!("it must not become ready"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("another process is listening there"),
        "{error}"
    );
    assert!(
        node.command("show version").starts_with("vpp v"),
        "the first goes on"
    );
    node.stop().unwrap();
}

#[test]
fn a_script_that_fails_is_logged_and_the_node_is_served() {
    let node = Node::start(|settings, path| {
        let script = path.join("script");
        std::fs::write(&script, "echo before\nbogus\necho after\n").unwrap();
        settings.unix.startup_config = Some(script);
    });
    let log = node.command("show logging");
    assert!(
        log.contains("startup-config") && log.contains(" before\n"),
        "{log}"
    );
    assert!(
        log.contains("unknown input `bogus'") && log.contains("line 2 of"),
        "{log}"
    );
    assert!(!log.contains(" after\n"));
}

#[test]
fn what_fuzzers_found_or_might_find_does_no_harm() {
    let mut settings = Settings::default();
    settings.buffers.buffers_per_numa = Some(1024);
    let engine = Engine::builder()
        .quiet()
        .settings(settings)
        .build()
        .unwrap();
    let servers = engine.servers();
    let cases: [&[u8]; 8] = [
        b"",
        b"\0\x17\0\0\0\0\0\0\0\0",
        b"unix { cli-prompt \" } cpu { corelist-workers 4294967295- }",
        b"show { { { { version",
        b"show ? help $($($(",
        b"\xff\xfa\x18\0xterm\xff\xf0show \t\x1b[A\x12x\x15\r\n",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        &[0xf0; 1000],
    ];
    for case in cases {
        fuzz::startup_config(case);
        fuzz::api_connection(servers, case);
        fuzz::command(servers, case);
        fuzz::cli_session(servers, case);
    }
    for id in 0..200_u16 {
        for length in [0, 8, 70, 300] {
            let message = [&id.to_be_bytes()[..], &vec![0xff; length]].concat();
            fuzz::api_message(servers, &message);
        }
    }
    assert!(servers.api().clients.list().is_empty());
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
