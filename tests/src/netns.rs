//! Network namespaces and veth pairs that a test makes and removes.

use crate::{Skip, has_program, is_root, run, unique};
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
        left.ip(&format!(
            "link add {} type veth peer name {} netns {}",
            veth.left,
            veth.right,
            right.name()
        ));
        left.ip(&format!("link set {} up", veth.left));
        right.ip(&format!("link set {} up", veth.right));
        veth
    }
}
