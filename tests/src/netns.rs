//! Network namespaces and veth pairs that a test makes and removes.

use crate::{Skip, has_program, is_root, run, run_in, unique};
use barrow_runtime::sys::netns::NetNs;
use std::process::Command;

/// A named network namespace, removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes a namespace with its loopback up.
    ///
    /// # Errors
    /// A reason to skip: not root, no `ip`, or the kernel refused.
    pub fn new(purpose: &str) -> Result<Self, Skip> {
        if !is_root() {
            return Err(Skip("network namespaces need root".into()));
        }
        if !has_program("ip") {
            return Err(Skip("no `ip` (Debian package iproute2)".into()));
        }
        let name = format!("bt-{purpose}-{}", unique());
        let made = run("ip", ["netns", "add", &name]);
        if !made.success {
            return Err(Skip(format!(
                "no network namespace: {}",
                made.stderr.trim()
            )));
        }
        let netns = Self { name };
        netns.ip("link set lo up");
        Ok(netns)
    }

    /// Its name, as `ip netns` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A program to be run inside.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// `ip -n NAME words…`, which must succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ip(&self, words: &str) -> String {
        let arguments = ["-n", &self.name]
            .into_iter()
            .chain(words.split_whitespace());
        run("ip", arguments).expect_success()
    }

    /// The Ethernet address of a link.
    ///
    /// # Panics
    /// When there is no such link.
    #[must_use]
    #[track_caller]
    pub fn mac(&self, link: &str) -> String {
        let shown = self.ip(&format!("-br link show {link}"));
        let mac = shown
            .split_whitespace()
            .nth(2)
            .expect("a link with an address");
        mac.to_owned()
    }

    /// Runs a closure inside; sockets that it makes belong here for good.
    ///
    /// # Panics
    /// When the namespace cannot be entered.
    #[track_caller]
    pub fn run<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        let space = NetNs::open(&self.name).expect("it is there");
        space.run(f).expect("root may enter it")
    }

    /// Whether a TCP socket listens on a port, at whatever address.
    #[must_use]
    pub fn listens(&self, port: u16) -> bool {
        /// State of a socket that listens, in `/proc/net/tcp`.
        const LISTEN: &str = "0A";
        let wanted = format!(":{port:04X}");
        self.run(|| {
            ["tcp", "tcp6"].iter().any(|table| {
                let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}"));
                table.unwrap_or_default().lines().any(|line| {
                    let words: Vec<_> = line.split_whitespace().collect();
                    words.get(1).is_some_and(|local| local.ends_with(&wanted))
                        && words.get(3) == Some(&LISTEN)
                })
            })
        })
    }

    /// Has one processor deliver what a link receives, whichever sent it, so that the kernel reorders nothing
    /// when a sender moves. A kernel without receive packet steering goes without.
    pub fn deliver_in_order(&self, link: &str) {
        let file = format!("/sys/class/net/{link}/queues/rx-0/rps_cpus");
        let line = format!("test ! -w {file} || echo 1 > {file}");
        let _steered = run_in(self, "sh", &["-c", &line]);
    }

    /// Switches the offloads of a link off.
    ///
    /// # Errors
    /// A reason to skip: no `ethtool`.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn without_offloads(&self, link: &str) -> Result<(), Skip> {
        if !has_program("ethtool") {
            return Err(Skip("no `ethtool` (Debian package ethtool)".into()));
        }
        let all = [
            "-K", link, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
        ];
        let _said = run_in(self, "ethtool", &all).expect_success();
        Ok(())
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        run("ip", ["netns", "del", &self.name]);
    }
}

/// A veth pair: one end in each of two namespaces, both up, offloads as the kernel has them.
#[derive(Debug)]
pub struct Veth {
    /// Name of the end in the first namespace.
    pub left: String,
    /// Name of the end in the second.
    pub right: String,
}

impl Veth {
    /// Makes a pair between two namespaces.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    #[must_use]
    pub fn new(left: &Netns, right: &Netns) -> Self {
        let id = unique();
        let veth = Self {
            left: format!("l{id}"),
            right: format!("r{id}"),
        };
        veth.lay(left, right);
        veth
    }

    /// Makes a pair of these names.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[track_caller]
    pub fn lay(&self, left: &Netns, right: &Netns) {
        left.ip(&format!(
            "link add {} type veth peer name {} netns {}",
            self.left,
            self.right,
            right.name()
        ));
        left.ip(&format!("link set {} up", self.left));
        right.ip(&format!("link set {} up", self.right));
    }
}
