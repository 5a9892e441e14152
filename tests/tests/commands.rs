//! Every command that the first milestone names, on the built node: that it exists, takes what it should, and says no
//! where it should; and that its output has the shape of VPP's, where captures of VPP are beside the project.

use barrow_messages::memclnt::{SockclntCreate, SockclntCreateReply};
use barrow_messages::vlib::{CliInband, CliInbandReply};
use barrow_tests::{Node, Skip, is_root, skip, workspace};
use barrow_wire::{FixedString, Header, Message, VarString, decode_message, frame};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A client that runs commands over the binary API, which tells whether they went well.
struct Commands {
    node: Node,
    stream: UnixStream,
    id: u16,
    index: u32,
}

impl Commands {
    fn start(config: &str) -> Option<Self> {
        let node = match Node::builder().config(config).start() {
            Ok(node) => node,
            Err(Skip(why)) => {
                skip(why);
                return None;
            }
        };
        let mut stream = UnixStream::connect(node.api_socket()).expect("it accepts");
        let patience = Some(Duration::from_secs(20));
        stream
            .set_read_timeout(patience)
            .expect("a duration above zero");
        let hello = SockclntCreate {
            name: FixedString::truncated("commands"),
        };
        // The first message has a fixed number, since nobody knows the others yet.
        let reply = exchange(&mut stream, 15, 0, &hello);
        let (_, reply) = decode_message::<SockclntCreateReply>(&reply).expect("it is whole");
        let known = |name: &str| {
            let entry = reply
                .message_table
                .iter()
                .find(|entry| entry.name.to_string_lossy() == name);
            entry.expect("the node serves it").index
        };
        let id = known(CliInband::NAME_CRC);
        let index = reply.index;
        Some(Self {
            node,
            stream,
            id,
            index,
        })
    }

    fn run(&mut self, command: &str) -> (i32, String) {
        let request = CliInband {
            cmd: VarString::from(command),
        };
        let reply = exchange(&mut self.stream, self.id, self.index, &request);
        let (_, reply) = decode_message::<CliInbandReply>(&reply).expect("it is whole");
        (reply.retval, reply.reply.to_string_lossy().into_owned())
    }
}

fn exchange<M: Message>(
    stream: &mut UnixStream,
    id: u16,
    client_index: u32,
    message: &M,
) -> Vec<u8> {
    let header = Header {
        id,
        client_index,
        context: 1,
    };
    let mut bytes = Vec::new();
    frame::encode(header, message, &mut bytes).expect("it has a wire form");
    stream.write_all(&bytes).expect("the socket takes it");
    let mut header = [0; 16];
    stream.read_exact(&mut header).expect("an answer comes");
    let length = u32::from_be_bytes(*header[8..].first_chunk().expect("16 bytes"));
    let mut reply = vec![0; length as usize];
    stream.read_exact(&mut reply).expect("the answer is whole");
    reply
}

/// Each form with valid input, then an error of the same command behind `!`; in an order in which they work. `$D` is a
/// folder of the test.
const FORMS: &str = include_str!("commands/forms.txt");

#[test]
fn every_command_takes_what_it_should_and_refuses_the_rest() {
    let Some(mut commands) = Commands::start("cpu { workers 1 }") else {
        return;
    };
    let folder = commands.node.folder().display().to_string();
    let unique = barrow_tests::unique();
    let mut wrong = String::new();
    let forms = FORMS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for form in forms {
        // Links of the kernel can be made by root only.
        if !is_root()
            && ["tap", "host-interface"]
                .iter()
                .any(|word| form.contains(word))
        {
            continue;
        }
        let (form, refused) = form
            .strip_prefix('!')
            .map_or((form, false), |form| (form, true));
        let command = form.replace("$D", &folder).replace("$U", &unique);
        let (retval, text) = commands.run(&command);
        if (retval != 0) != refused {
            wrong.push_str(&format!("{command}: {retval} {text}"));
        }
        if refused && text.is_empty() {
            wrong.push_str(&format!("{command}: refused without a word\n"));
        }
        let ascii = text
            .bytes()
            .all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte) || byte == 0x1b);
        assert!(ascii, "{command}: {text}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    for file in ["barrow-trace", "barrow-json"] {
        drop(std::fs::remove_file(format!("/tmp/{file}-{unique}")));
    }
    drop(std::fs::remove_file(format!("/tmp/barrow-{unique}.pcap")));
}

#[test]
fn a_configuration_file_is_run_before_the_sockets_appear() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(mut first) = Commands::start("") else {
        return;
    };
    for command in [
        "create loopback interface",
        "create packet-generator interface pg0",
        "create sub-interfaces pg0 10",
        "set interface name pg0 wan",
        "ip table add 7",
        "set interface state wan up",
        "set interface ip address wan 10.0.0.1/24",
        "set ip neighbor wan 10.0.0.2 02:00:00:00:00:02 static",
        "ip route add 20.0.0.0/8 via 10.0.0.2 wan",
    ] {
        assert_eq!(first.run(command).0, 0, "{command}");
    }
    let (_, script) = first.run("show configuration");
    let file = folder.path().join("configuration");
    std::fs::write(&file, &script).expect("the folder is ours");
    let exec = format!("unix {{ exec {} }}", file.display());
    let mut second = Commands::start(&exec).expect("the first started");
    assert_eq!(second.run("show configuration").1, script);
    for command in [
        "show interface",
        "show interface address",
        "show ip fib summary",
        "show ip table",
    ] {
        assert_eq!(second.run(command), first.run(command), "{command}");
    }
}

#[test]
fn interfaces_of_the_kernel_come_back_with_the_configuration() {
    if !is_root() {
        return skip("needs root, to make links of the kernel");
    }
    let Some(mut first) = Commands::start("") else {
        return;
    };
    let link = format!("bc{}", barrow_tests::unique());
    let tap = format!(
        "create tap id 9 host-if-name {link} num-rx-queues 2 host-mtu-size 1400 host-ip4-addr 10.99.0.2/30 gso"
    );
    for command in [
        tap.as_str(),
        "create host-interface name lo num-rx-queues 2 cksum-gso-disable",
        "set interface rx-mode tap9 queue 1 polling",
        "set interface mac address tap9 02:00:00:00:00:09",
        "set interface name tap9 inside",
        "set interface state inside up",
    ] {
        let (retval, text) = first.run(command);
        assert_eq!(retval, 0, "{command}: {text}");
    }
    let (_, script) = first.run("show configuration");
    let (_, taps) = first.run("show tap");
    // Its links go with the node.
    drop(first);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("configuration");
    std::fs::write(&file, &script).expect("the folder is ours");
    let exec = format!("unix {{ exec {} }}", file.display());
    let mut second = Commands::start(&exec).expect("the first started");
    assert_eq!(second.run("show configuration").1, script);
    assert_eq!(second.run("show tap").1, taps);
}

/// A text without what varies: a word with a digit is a number or an address, and the day is not always the same.
fn shape(text: &str) -> Vec<String> {
    const DAYS: [&str; 7] = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let word = |word: &str| {
        let digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if digit || DAYS.contains(&word) || MONTHS.contains(&word) {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| {
        line.split_whitespace()
            .map(word)
            .collect::<Vec<_>>()
            .join(" ")
    };
    text.lines().map(line).collect()
}

/// Commands whose lines name what only VPP has (its plugins, processes, nodes, arcs, hash tables, IPv6 routes), or the
/// build and the machine: the first line that is not empty is compared.
const HEADING_ONLY: [&str; 9] = [
    "show api clients",
    "show errors",
    "show errors verbose",
    "show node counters",
    "show runtime",
    "show files",
    "show statistics segment",
    "show ip fib mtrie",
    "show vlib graph ip4-lookup",
];

/// Commands of which only the return value is compared: helps are our own, and the rest is a list of what only VPP has.
const RETVAL_ONLY: [&str; 20] = [
    "?",
    "help",
    "show ?",
    "show version",
    "show version verbose",
    "show plugins",
    "show log",
    "show cpu",
    "show bihash",
    "show interface features local0",
    "show interface features pg0",
    "show fib entry",
    "show fib paths",
    "show fib path-lists",
    "show adj",
    "show node ip4-lookup",
    "show buffers",
    "show threads",
    // The packet that announces an address, which is not sent here.
    "show interface",
    "show memory main-heap",
];

#[test]
fn outputs_have_the_shape_of_vpps() {
    let captures = workspace().join("../shared/vpp/cli-captures.json");
    let Ok(text) = std::fs::read_to_string(captures) else {
        return skip("no captures of VPP beside the project");
    };
    let captures: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let Some(mut commands) = Commands::start("") else {
        return;
    };
    let mut wrong = String::new();
    for capture in captures["captures"].as_array().expect("a list") {
        let of = |key: &str| capture[key].as_str().expect("a text");
        // Its packets are for the addresses that VPP's interfaces had in that run.
        if of("state").contains("after a stream") {
            continue;
        }
        let (command, expected) = (of("command"), shape(of("text")));
        let (retval, text) = commands.run(command);
        let same = match shape(&text) {
            _ if RETVAL_ONLY.contains(&command) => true,
            shown if HEADING_ONLY.contains(&command) => {
                let heading =
                    |lines: &[String]| lines.iter().find(|line| !line.is_empty()).cloned();
                heading(&shown) == heading(&expected) || expected.is_empty()
            }
            shown => shown == expected,
        };
        if Some(i64::from(retval)) != capture["retval"].as_i64() || !same {
            let (expected, shown) = (expected.join("\n"), shape(&text).join("\n"));
            wrong.push_str(&format!(
                "{command}: {retval}\n--- VPP\n{expected}\n--- here\n{shown}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every start-up word that is accepted, in VPP's grammar with all its liberties.
#[test]
fn every_start_up_word_is_accepted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().display().to_string();
    std::fs::write(folder.path().join("script"), "echo from the script\n").expect("it is ours");
    let config = "\
        unix { nodaemon nosyslog interactive full-coredump coredump-size 1M coredump-size unlimited log $P/log \
          pidfile $P/pid gid 0 startup-config $P/script cli-prompt node> cli-line-mode cli-history-limit 10 cli-no-pager \
          cli-pager-buffer-limit 1000 cli-no-banner nobanner nocolor poll-sleep-usec 100 }\n\
        unix{exec $P/script}api-trace{on}api-segment{prefix test uid 0}api-fuzz{}\n\
        statseg { default size 64M page-size 4K per-node-counters onupdate-interval 1 socket-name $P/s.sock }\n\
        cpu { main-core 0 skip-cores 0 thread-prefix vpp workers 0 } cpu { }\n\
        physmem { max-size 64m } memory { main-heap-size 1G main-heap-page-size default-hugepage }\n\
        buffers { buffers-per-numa 4096 default data-size 2048 page-size 4K }\n\
        node { default { variant icl 10 } } plugins { path /nowhere add-path /elsewhere plugin default { enable } \
          plugin dpdk_plugin.so { disable } plugin x_plugin.so { enable } }\n\
        logging { size 100 unthrottle-time 3 default-log-level debug default-syslog-log-level notice \
          class api { level debug rate-limit 10 } }\n\
        ip { heap-size 1G } punt { socket $P/punt.sock } l2learn { limit 10 } l2fib { table-size 1M num-buckets 4 } \
        dpdk { dev 0000:00:00.0 no-pci } nosuchsection { some words { inside } }\n"
        .replace("$P", &path);
    let Some(mut commands) = Commands::start(&config) else {
        return;
    };
    assert_eq!(
        commands.run("show api trace-status").1,
        "RX Trace enabled\nTX Trace disabled\n"
    );
    let log = commands.run("show logging").1;
    assert!(log.contains("from the script"), "{log}");
    assert!(log.contains("unknown section `nosuchsection'"), "{log}");
    let pid = std::fs::read_to_string(folder.path().join("pid")).expect("it was written");
    assert_eq!(pid.trim(), commands.node.pid().to_string());
    // The warning has a place. What the node writes is read by a thread of the test, which may be behind.
    let asked = std::time::Instant::now();
    while !commands.node.log().contains("startup.conf:") {
        assert!(asked.elapsed().as_secs() < 20, "{}", commands.node.log());
        std::thread::yield_now();
    }
}

#[test]
fn bad_values_are_named_with_file_and_line() {
    let Ok(binary) = Node::binary() else {
        return skip("the binary was not built");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bad.conf");
    for (text, line) in [
        ("unix { nodaemon\n coredump-size many }", 2),
        ("\n\nstatseg { update-interval 0 }", 3),
        ("cpu { workers 9999 }", 1),
        ("cpu { corelist-workers 3-1 }", 1),
        ("unix { nosuchword }", 1),
        ("buffers { page-size 3K }", 1),
        ("unix {", 1),
        ("}", 1),
        ("socksvr { allow-uid\n}", 2),
        ("logging { default-log-level loud }", 1),
    ] {
        std::fs::write(&file, text).expect("it is ours");
        let ran = barrow_tests::run(&binary.to_string_lossy(), ["-c", &file.to_string_lossy()]);
        assert!(!ran.success, "{text}");
        let place = format!("bad.conf:{line}");
        assert!(ran.stderr.contains(&place), "{text}: {}", ran.stderr);
    }
}
