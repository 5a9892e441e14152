//! Commands, their output and their errors.

use super::*;

#[test]
fn streams_are_listed_as_vpp_lists_them() {
    let mut node = Node::new();
    assert_eq!(
        node.ok("show packet-generator"),
        "no streams currently defined\n"
    );
    node.ok("create packet-generator interface pg0");
    node.ok(&format!("packet-generator new {{ name s1 limit 3 size 100-100 interface pg0 node ethernet-input data {{ {UDP} }} }}"));
    let heading = "Name               Enabled        Count     Parameters\n";
    let blank = " ".repeat(44);
    assert_eq!(
        node.ok("show packet-generator verbose"),
        format!(
            "{heading}s1                   No             0       limit 3, rate 0.00e0 pps, \
             size 100-100, buffer-size 2048, worker 0, \n{blank}hdr-size 14, offset 0, \n\
             {blank}hdr-size 20, offset 14, \n\
             {blank}hdr-size 8, offset 34, edit-function udp_pg_edit_function, \n\
             {blank}hdr-size 58, offset 42, \n"
        )
    );
    assert_eq!(node.ok("pa en"), "");
    assert_eq!(
        node.ok("show packet-generator"),
        format!(
            "{heading}s1                   No             3       limit 3, rate 0.00e0 pps, size 100-100, buffer-size 2048, worker 0, \n"
        )
    );
    node.ok("packet-generator configure s1 limit 5 rate 1e4 size 64+128");
    assert!(
        node.ok("show packet-generator")
            .contains("limit 5, rate 1.00e4 pps, size 64+128, ")
    );
    node.ok("packet-generator disable-stream s1");
    node.ok("packet-generator delete s1");
    let missing = node.run("packet-generator delete nosuch");
    let text = "packet-generator delete: expected stream name `nosuch'\n";
    assert_eq!(
        missing,
        Ran {
            retval: -1,
            text: text.into()
        }
    );
}

#[test]
fn a_stream_is_changed_while_it_is_on() {
    let mut node = Node::new();
    let generator = node.generator();
    generator
        .define("name s size 64-64 node out data { hex 0x00 }")
        .unwrap();
    generator.enable("s").unwrap();
    node.bed.round();
    node.bed.take("out");
    // Nothing runs between the look and the change, so exactly the rest has the new size.
    let limit = generator.streams()[0].sent + 1000;
    node.ok(&format!(
        "packet-generator configure s limit {limit} size 80-80"
    ));
    let sent = node.bed.take("out");
    assert_eq!(sent.len(), 1000);
    assert!(sent.iter().all(|packet| packet.bytes.len() == 80));
    let stream = generator.streams().remove(0);
    assert_eq!((stream.enabled, stream.sent), (false, limit));
    node.bed.assert_conserved();
}

#[test]
fn a_limit_that_is_passed_already_ends_a_stream_at_once() {
    let mut node = Node::new();
    let generator = node.generator();
    generator
        .define("name s node out data { hex 0x00 }")
        .unwrap();
    generator.enable("s").unwrap();
    node.bed.round();
    let sent = generator.streams()[0].sent;
    assert!(sent > 1);
    node.ok("packet-generator configure s limit 1");
    let stream = generator.streams().remove(0);
    assert_eq!((stream.enabled, stream.sent), (false, sent));
}

#[test]
fn wrong_streams_are_refused_in_vpps_words() {
    let mut node = Node::new();
    let file = node.file("in.pcap", &[b"abc"]);
    node.ok(&format!(
        "packet-generator new pcap {file} source pg0 name r"
    ));
    for (words, text) in [
        ("name s node out", "no packet data given"),
        (
            "name s data { hex 0x00 }",
            "output interface or node not given",
        ),
        (
            "name s node nosuch data { hex 0x00 }",
            "unknown input `node nosuch data { hex 0x00 }'",
        ),
        (
            "name s interface nosuch node out data { hex 0x00 }",
            "unknown input `interface nosuch node out data...'",
        ),
        ("name s rate -1 node out data { hex 0x00 }", "negative rate"),
        (
            "name s size 9-8 node out data { hex 0x00 }",
            "max-size < min-size",
        ),
        (
            "name s maxframe 0 node out data { hex 0x00 }",
            "maxframe must be positive",
        ),
        (
            "name s buffer-flags nosuch node out data { hex 0x00 }",
            "unknown input `nosuch node out data { hex 0x0...'",
        ),
        (
            "name s node ethernet-input data { nonsense }",
            "failed to parse packet data from `nonsense'",
        ),
        (
            "name s node ethernet-input size 20-20 data { IP4: 1.2.3 -> 4.5.6 UDP: 1.1.1.1 -> 2.2.2.2 hex 0x00 }",
            "min-size < total header size 34",
        ),
        (
            "name s pcap /nosuch/file",
            "open `/nosuch/file': No such file or directory",
        ),
    ] {
        let ran = node.run(&format!("packet-generator new {{ {words} }}"));
        assert_eq!(
            ran,
            Ran {
                retval: -1,
                text: format!("packet-generator new: {text}\n")
            }
        );
    }
    for (command, text) in [
        (
            "packet-generator enable-stream nosuch",
            "unknown input `nosuch'",
        ),
        (
            "packet-generator configure nosuch limit 1",
            "expecting stream name; got `nosuch'",
        ),
        (
            "packet-generator configure r size 64-64",
            "packets of a file have the size they have",
        ),
        (
            "packet-generator capture pcap /tmp/x",
            "Please specify interface name",
        ),
        (
            "packet-generator capture local0 pcap /tmp/x",
            "Please specify packet-generator interface",
        ),
        (
            "packet-generator capture pg0",
            "Please specify pcap file name",
        ),
    ] {
        let path = command
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(
            node.run(command),
            Ran {
                retval: -1,
                text: format!("{path}: {text}\n")
            }
        );
    }
    assert_eq!(node.generator().streams().len(), 1);
}

#[test]
fn a_script_of_vpps_users_is_understood() {
    let mut node = Node::new();
    node.ok("create packet-generator interface pg0");
    node.ok(
        "packet-generator new {\t\t\\\n  name worker0\t\\\n  worker 0\t\\\n  limit 12\t\\\n  rate 1.2e7\t\\\n  \
         size 128-128\t\\\n  interface local0\t\\\n  node ethernet-input\t\\\n  \
         data { IP4: 1.2.40 -> 3cfd.fed0.b6c8\t\\\n \
         UDP: 192.168.40.1 - 192.168.40.100 -> 192.168.50.10\t\\\n \
         UDP: 1234 -> 2345\t\\\n incrementing 114\t\\\n }\t\\\n}\n",
    );
    let stream = node.generator().streams().remove(0);
    assert_eq!(
        (&*stream.name, stream.limit, stream.rate),
        ("worker0", 12, 1.2e7)
    );
}
