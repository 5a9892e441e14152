//! The DHCP client against a real server: `dnsmasq` in a namespace of its own.

use barrow_tests::{Netns, Node, Skip, has_program, run_in, skip};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// `dnsmasq` in a namespace, serving one interface.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(netns: &Netns, interface: &str) -> Result<Self, Skip> {
        if !has_program("dnsmasq") {
            return Err(Skip("no `dnsmasq` (Debian package dnsmasq-base)".into()));
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let mut command = netns.command("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--no-daemon",
            "--port=0",
            "--conf-file=/dev/null",
        ]);
        command.args([
            "--bind-interfaces",
            "--dhcp-authoritative",
            "--no-ping",
            "--log-dhcp",
        ]);
        command.args(["--user=root", "--group=root"]);
        command.arg(format!("--interface={interface}"));
        command.arg("--dhcp-range=10.7.0.50,10.7.0.60,255.255.255.0,2m");
        // T1 and T2 of a few seconds, so that a test sees renewals.
        command.args(["--dhcp-option=option:T1,3", "--dhcp-option=option:T2,100"]);
        command.args(["--dhcp-option=option:router,10.7.0.1"]);
        command.args(["--dhcp-option=option:dns-server,10.7.0.1"]);
        command.arg(format!("--dhcp-leasefile={}", at("leases")));
        command.arg(format!("--pid-file={}", at("pid")));
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Skip(error.to_string()))?;
        Ok(Self { child, folder })
    }

    /// What it wrote about its leases.
    fn leases(&self) -> String {
        let path = self.folder.path().join("leases");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ours alone: by its number, and `ip netns exec` became it.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks until the answer has what is wanted; the latest answer.
fn until(limit: Duration, mut ask: impl FnMut() -> String, wanted: &str) -> String {
    let end = Instant::now() + limit;
    loop {
        let answer = ask();
        if answer.contains(wanted) || Instant::now() > end {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn leased() -> Result<(), Skip> {
    let netns = Netns::new("dhcp")?;
    let node = Node::builder().start()?;
    let create = format!(
        "create tap id 0 host-ns {} host-if-name srv host-ip4-addr 10.7.0.1/24",
        netns.name()
    );
    let made = node.cli(&create);
    assert!(made.contains("tap0"), "{made}");
    let server = Server::start(&netns, "srv")?;
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(node.cli("set interface state tap0 up"), "");
    assert_eq!(node.cli("set dhcp client intfc tap0 hostname barrow"), "");
    let shown = || node.cli("show dhcp client verbose");
    let text = until(Duration::from_secs(20), shown, "DHCP_BOUND");
    assert!(
        text.contains("state DHCP_BOUND installed 1 addr 10.7.0."),
        "{text}"
    );
    assert!(
        text.contains("gw 10.7.0.1 server 10.7.0.1 dns 10.7.0.1"),
        "{text}"
    );
    assert!(server.leases().contains("barrow"), "{}", server.leases());

    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words
        .iter()
        .position(|word| *word == "addr")
        .expect("there is one");
    let (address, _) = words[at + 1].split_once('/').expect("with its length");
    let addresses = node.cli("show interface address tap0");
    assert!(addresses.contains(&format!("{address}/24")), "{addresses}");
    let route = node.cli("show ip fib 0.0.0.0/0");
    assert!(route.contains("10.7.0.1"), "{route}");
    if has_program("ping") {
        let ping = ["-c", "3", "-i", "0.1", "-W", "2", address];
        let pinged = run_in(&netns, "ping", &ping).expect_success();
        assert!(pinged.contains(" 0% packet loss"), "{pinged}");
    }

    // After T1 the lease is renewed at its server.
    let acks = || node.cli("show errors");
    let counted = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.contains("DHCP ack packets received"));
        let count = line.and_then(|line| line.split_whitespace().next());
        count
            .and_then(|count| count.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let end = Instant::now() + Duration::from_secs(20);
    while counted(&acks()) < 2 {
        assert!(Instant::now() < end, "no renewal: {}", acks());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(shown().contains(address), "the address stays: {}", shown());

    // Removing the client gives the lease back.
    assert_eq!(node.cli("set dhcp client del intfc tap0"), "");
    let left = until_gone(Duration::from_secs(10), || server.leases(), address);
    assert!(!left.contains(address), "{left}");
    let addresses = node.cli("show interface address tap0");
    assert!(!addresses.contains(address), "{addresses}");
    Ok(())
}

/// Asks until the answer lacks something; the latest answer.
fn until_gone(limit: Duration, mut ask: impl FnMut() -> String, unwanted: &str) -> String {
    let end = Instant::now() + limit;
    loop {
        let answer = ask();
        if !answer.contains(unwanted) || Instant::now() > end {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_real_server_leases_renews_and_takes_back() {
    if let Err(Skip(why)) = leased() {
        skip(why);
    }
}
