//! A node under test: the built binary with its sockets in a folder of its own.

use crate::{Netns, Skip, target};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a node is to be started.
#[derive(Debug, Default)]
pub struct NodeBuilder<'a> {
    netns: Option<&'a Netns>,
    extra: String,
}

impl<'a> NodeBuilder<'a> {
    /// Starts it inside a namespace.
    #[must_use]
    pub fn netns(mut self, netns: &'a Netns) -> Self {
        self.netns = Some(netns);
        self
    }

    /// Further sections of the start-up configuration.
    #[must_use]
    pub fn config(mut self, sections: &str) -> Self {
        self.extra.push_str(sections);
        self.extra.push('\n');
        self
    }

    /// Starts the node and waits until it says that it is ready.
    ///
    /// # Errors
    /// A reason to skip where the binary was not built.
    ///
    /// # Panics
    /// When it ends, or is not ready after 20 s.
    #[track_caller]
    pub fn start(self) -> Result<Node, Skip> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Node::start_in(Arc::new(folder), self)
    }
}

/// A running node; stopped with SIGKILL when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    folder: Arc<TempDir>,
    log: Arc<Mutex<String>>,
}

impl Node {
    /// A node in the namespace of the test, with workers as the configuration says.
    #[must_use]
    pub fn builder<'a>() -> NodeBuilder<'a> {
        NodeBuilder::default()
    }

    /// The binary under test.
    ///
    /// # Errors
    /// A reason to skip where it was not built.
    pub fn binary() -> Result<PathBuf, Skip> {
        let binary = target().join("release/barrow");
        if binary.is_file() {
            Ok(binary)
        } else {
            Err(Skip(
                "target/release/barrow is missing (cargo build --release)".into(),
            ))
        }
    }

    #[track_caller]
    fn start_in(folder: Arc<TempDir>, builder: NodeBuilder<'_>) -> Result<Self, Skip> {
        let binary = Self::binary()?;
        let path = folder.path().display();
        let text = format!(
            "unix {{ nodaemon runtime-dir {path} cli-listen {path}/cli.sock }}\n\
             socksvr {{ socket-name {path}/api.sock }}\n\
             statseg {{ socket-name {path}/stats.sock per-node-counters on update-interval 1 }}\n{}",
            builder.extra
        );
        let config = folder.path().join("startup.conf");
        std::fs::write(&config, text).expect("the folder is ours");
        let mut command = match builder.netns {
            Some(netns) => netns.command(&binary.to_string_lossy()),
            None => Command::new(&binary),
        };
        command.args(["run", "-c"]).arg(&config);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("it was piped");
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = kept.lock().expect("no panic under this lock");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut node = Self { child, folder, log };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !node.log().lines().any(|line| line.contains("ready")) {
            if let Ok(Some(status)) = node.child.try_wait() {
                panic!("the node ended with {status}:\n{}", node.log());
            }
            assert!(
                Instant::now() < deadline,
                "not ready after 20 s:\n{}",
                node.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(node)
    }

    /// Stops this node with SIGKILL and starts one on the same sockets.
    ///
    /// # Panics
    /// When the new one does not get ready.
    #[track_caller]
    #[must_use]
    pub fn kill_and_restart(mut self, builder: NodeBuilder<'_>) -> Self {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is our child");
        Self::start_in(Arc::clone(&self.folder), builder).expect("it was built before")
    }

    /// Its folder, with `api.sock`, `cli.sock`, `stats.sock` and `startup.conf`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Path of the API socket.
    #[must_use]
    pub fn api_socket(&self) -> PathBuf {
        self.folder().join("api.sock")
    }

    /// Path of the CLI socket.
    #[must_use]
    pub fn cli_socket(&self) -> PathBuf {
        self.folder().join("cli.sock")
    }

    /// Path of the statistics socket.
    #[must_use]
    pub fn stats_socket(&self) -> PathBuf {
        self.folder().join("stats.sock")
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic under this lock").clone()
    }

    /// Runs one CLI command the way `vppctl COMMAND` does and gives what it printed.
    ///
    /// # Panics
    /// When the socket does not answer.
    #[track_caller]
    #[must_use]
    pub fn cli(&self, command: &str) -> String {
        let mut socket = UnixStream::connect(self.cli_socket()).expect("the socket accepts");
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a duration above zero");
        // A terminal type that is not interactive, as vppctl sends it when given a command.
        let hello = b"\xff\xfb\x18\xff\xfa\x18\x00vppctl\xff\xf0";
        let mut greeting = [0; 36];
        socket
            .read_exact(&mut greeting)
            .expect("the greeting has 36 bytes");
        socket.write_all(hello).expect("the socket takes it");
        socket
            .write_all(command.as_bytes())
            .expect("the socket takes it");
        socket.write_all(b"\n").expect("the socket takes it");
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        // One NUL ends the output of a request.
        while !bytes.contains(&0) {
            match socket.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                Err(error) => panic!("no answer to `{command}`: {error}"),
            }
        }
        String::from_utf8_lossy(&bytes).replace(['\0', '\r'], "")
    }

    /// Runs a command that says nothing when it has done what it should.
    ///
    /// # Panics
    /// When it says something.
    #[track_caller]
    pub fn set(&self, command: &str) {
        let said = self.cli(command);
        assert!(said.is_empty(), "{command}: {said}");
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// When it does not end within 10 s.
    #[must_use]
    pub fn terminate(mut self) -> ExitStatus {
        crate::run("kill", ["-TERM", &self.pid().to_string()]);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A node that ended by itself has nothing left to stop.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
