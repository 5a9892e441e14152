//! GoVPP, unmodified, against the built node.
//!
//! Its generator makes the bindings from what `barrow api json` writes, then `tests/go` is built with them. The version
//! is pinned in `tests/go/go.mod`; everything that is built stands below the build folder.

use barrow_messages::memclnt::{ControlPing, SockclntCreate, SockclntDelete};
use barrow_tests::{
    ApiClient, Finished, Node, Recorder, Skip, definitions, skip, target, workspace,
};
use barrow_wire::frame::FrameDecoder;
use barrow_wire::{decode_message, message_id};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs the Go tool in the build's folder.
fn go(folder: &Path, arguments: &[&str]) -> Result<Finished, Skip> {
    let mut command = Command::new("go");
    command
        .args(arguments)
        .current_dir(folder)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("GOCACHE", folder.join("cache"));
    match command.output() {
        Ok(output) => Ok(output.into()),
        Err(_) => Err(Skip("no `go`".into())),
    }
}

/// Builds the program of `tests/go` against the node's own definitions.
fn build(node: &Node) -> Result<PathBuf, Skip> {
    let folder = target().join("go");
    fs::create_dir_all(&folder).expect("the build folder is ours");
    for name in ["go.mod", "go.sum", "main.go"] {
        let source = workspace().join("tests/go").join(name);
        fs::copy(source, folder.join(name)).expect("it is committed");
    }
    let folder = fs::canonicalize(folder).expect("it was made");
    let downloaded = go(&folder, &["mod", "download"])?;
    if !downloaded.success {
        return Err(Skip(format!(
            "the modules of GoVPP cannot be had: {}",
            downloaded.stderr.trim()
        )));
    }
    let bindings = folder.join("binapi");
    // Of another version of the definitions, perhaps.
    fs::remove_dir_all(&bindings).ok();
    let (input, output) = (text(&definitions(node)?), text(&bindings));
    let generate = [
        "tool",
        "binapi-generator",
        "--input",
        &input,
        "--output-dir",
        &output,
        "--import-prefix",
        "barrow.test/govpp/binapi",
        "--no-source-path-info",
    ];
    let _printed = go(&folder, &generate)?.expect_success();
    let _printed = go(&folder, &["build", "-o", "interop", "."])?.expect_success();
    Ok(folder.join("interop"))
}

/// The messages of a recorded stream.
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = FrameDecoder::default();
    decoder.push(bytes);
    let mut messages = Vec::new();
    while let Some(message) = decoder.next_message().expect("GoVPP frames as VPP does") {
        messages.push(message.to_vec());
    }
    assert_eq!(decoder.pending(), 0, "it ends between two messages");
    messages
}

fn drive() -> Result<(), Skip> {
    let node = Node::builder().start()?;
    let program = build(&node)?;
    let own = ApiClient::connect(&node.api_socket(), "own");
    let recorder = Recorder::start(node.folder().join("proxy.sock"), &node.api_socket())
        .expect("the folder is ours");
    let ran = barrow_tests::run(
        &text(&program),
        [text(recorder.path()), text(&node.stats_socket())],
    );
    assert!(ran.expect_success().contains("ok"));

    let said = messages(&recorder.said());
    let hello = &said[0];
    assert_eq!(
        message_id(hello),
        Some(15),
        "the fixed id of sockclnt_create"
    );
    let (header, _) = decode_message::<SockclntCreate>(hello).expect("a whole message");
    assert_eq!(header.context, 123);
    let ping = own.id_of::<ControlPing>();
    let pings = said
        .iter()
        .filter(|message| message_id(message) == Some(ping));
    // One by the program, one behind each of two dumps; the rest are those of the health check, each second.
    let pings = pings.count();
    assert!(pings >= 3 + 2, "{pings} pings");
    let goodbye = said.last().and_then(|message| message_id(message));
    assert_eq!(goodbye, Some(own.id_of::<SockclntDelete>()));
    Ok(())
}

#[test]
fn govpp_configures_a_node_and_reads_its_statistics() {
    if let Err(Skip(why)) = drive() {
        skip(why);
    }
}
