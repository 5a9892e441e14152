//! Who may use the node's sockets, and what for.
//!
//! A socket's file mode is the first gate: owner and group. Behind it, lists of users and groups
//! narrow who is served, or make of them clients that only look. Who a peer is, the kernel tells (`SO_PEERCRED`): its
//! effective user and group when it connected; its supplementary groups do not count. The node's own user and root are
//! never kept out, as they could not be.

use crate::config::{ConfigError, Words};
use barrow_runtime::io::unix::Credentials;
use std::{collections::BTreeSet, fs, io};

/// What a peer may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Everything.
    Full,
    /// Look, without changing anything.
    ReadOnly,
}

/// A user or group, by number or name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Account {
    /// Its number.
    Id(u32),
    /// Its name, to be looked up when the node starts.
    Name(String),
}

/// The lists of a socket, as configured.
///
/// A peer in one of the read-only lists may look. Any other one may do everything if it is in one of the allow lists,
/// or if there are none; else it is refused.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessSettings {
    /// `allow-uid L`
    pub allow_uid: Vec<Account>,
    /// `allow-gid L`
    pub allow_gid: Vec<Account>,
    /// `read-only-uid L`
    pub read_only_uid: Vec<Account>,
    /// `read-only-gid L`
    pub read_only_gid: Vec<Account>,
}

/// There is no user or group of this name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no {kind} `{name}'")]
pub struct UnknownAccount {
    kind: &'static str,
    name: String,
}

impl AccessSettings {
    /// Whether everybody may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Adds the list behind the word `allow-uid`, `allow-gid`, `read-only-uid` or `read-only-gid`: numbers or names
    /// with commas between them.
    pub(crate) fn read(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), ConfigError> {
        let list = words.value("users or groups such as 1000,vpp", |text| {
            let accounts = text.split(',').map(|name| match name.parse() {
                Ok(id) => Account::Id(id),
                Err(_) => Account::Name(name.to_owned()),
            });
            let accounts: Vec<_> = accounts.collect();
            let empty =
                |account: &Account| matches!(account, Account::Name(name) if name.is_empty());
            (!accounts.iter().any(empty)).then_some(accounts)
        })?;
        let own = match word {
            "allow-uid" => &mut self.allow_uid,
            "allow-gid" => &mut self.allow_gid,
            "read-only-uid" => &mut self.read_only_uid,
            _ => &mut self.read_only_gid,
        };
        own.extend(list);
        Ok(())
    }

    /// The rules that the lists make, names looked up in the system's files.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub(crate) fn rules(&self) -> Result<AccessRules, UnknownAccount> {
        let users = |list: &[Account]| ids(list, "user", || fs::read_to_string("/etc/passwd"));
        let groups = |list: &[Account]| ids(list, "group", || fs::read_to_string("/etc/group"));
        Ok(AccessRules {
            allow_uid: users(&self.allow_uid)?,
            allow_gid: groups(&self.allow_gid)?,
            read_only_uid: users(&self.read_only_uid)?,
            read_only_gid: groups(&self.read_only_gid)?,
            own_uid: own_uid(),
        })
    }
}

/// The user this process runs as.
fn own_uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").map_or(0, |own| own.uid())
}

fn ids(
    list: &[Account],
    kind: &'static str,
    file: impl Fn() -> io::Result<String>,
) -> Result<BTreeSet<u32>, UnknownAccount> {
    let id = |account: &Account| match account {
        Account::Id(id) => Ok(*id),
        Account::Name(name) => {
            let found = find_id(&file().unwrap_or_default(), name);
            found.ok_or_else(|| UnknownAccount {
                kind,
                name: name.clone(),
            })
        }
    };
    list.iter().map(id).collect()
}

/// The number of a name, from the text of `/etc/passwd` or `/etc/group` (passwd(5), group(5)).
pub(crate) fn find_id(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// The lists of a socket, by number.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessRules {
    allow_uid: BTreeSet<u32>,
    allow_gid: BTreeSet<u32>,
    read_only_uid: BTreeSet<u32>,
    read_only_gid: BTreeSet<u32>,
    own_uid: u32,
}

impl AccessRules {
    /// What a peer may do; nothing for one that is refused.
    #[must_use]
    pub fn of(&self, peer: Credentials) -> Option<Access> {
        if peer.uid == 0 || peer.uid == self.own_uid {
            return Some(Access::Full);
        }
        if self.read_only_uid.contains(&peer.uid) || self.read_only_gid.contains(&peer.gid) {
            return Some(Access::ReadOnly);
        }
        let everybody = self.allow_uid.is_empty() && self.allow_gid.is_empty();
        let allowed =
            everybody || self.allow_uid.contains(&peer.uid) || self.allow_gid.contains(&peer.gid);
        allowed.then_some(Access::Full)
    }
}

/// Whether a message only looks, told by its name: VPP's messages are named by what they do.
pub(crate) fn message_reads(name: &str) -> bool {
    const OTHERS: [&str; 7] = [
        "api_versions",
        // What it runs is checked command by command.
        "cli_inband",
        "control_ping",
        "feature_is_enabled",
        "ip_route_lookup",
        "ip_route_lookup_v2",
        "trace_plugin_msg_ids",
    ];
    const BEGINNINGS: [&str; 5] = ["get_", "memclnt_", "show_", "sockclnt_", "want_"];
    OTHERS.contains(&name)
        || BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
        || name.ends_with("_dump")
        || name.ends_with("_get")
        || name.contains("_get_")
}

/// Whether a command only looks, told by its path.
pub(crate) fn command_reads(path: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "echo",
        "exit",
        "history",
        "q",
        "quit",
        "set terminal ansi",
        "set terminal history",
        "wait",
    ];
    /// It can write a file.
    const WRITES: &str = "show vlib graphviz";
    (path.starts_with("show ") && path != WRITES) || OTHERS.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings, Source};

    fn peer(uid: u32, gid: u32) -> Credentials {
        Credentials { pid: 1, uid, gid }
    }

    fn set(ids: &[u32]) -> BTreeSet<u32> {
        ids.iter().copied().collect()
    }

    #[test]
    fn without_lists_everybody_may_do_everything() {
        assert_eq!(
            AccessRules::default().of(peer(1000, 1000)),
            Some(Access::Full)
        );
    }

    #[test]
    fn an_allow_list_keeps_the_others_out_but_root_and_the_nodes_own_user() {
        let rules = AccessRules {
            allow_uid: set(&[1000]),
            allow_gid: set(&[50]),
            own_uid: 7,
            ..AccessRules::default()
        };
        for (uid, gid) in [(1000, 1), (1, 50), (0, 0), (7, 7)] {
            assert_eq!(rules.of(peer(uid, gid)), Some(Access::Full), "{uid}:{gid}");
        }
        assert_eq!(rules.of(peer(1001, 51)), None);
    }

    #[test]
    fn a_read_only_list_wins_and_leaves_the_others_as_they_were() {
        let rules = AccessRules {
            allow_gid: set(&[50]),
            read_only_uid: set(&[1000]),
            read_only_gid: set(&[60]),
            own_uid: 7,
            ..AccessRules::default()
        };
        assert_eq!(rules.of(peer(1000, 50)), Some(Access::ReadOnly));
        assert_eq!(rules.of(peer(1001, 60)), Some(Access::ReadOnly));
        assert_eq!(rules.of(peer(1001, 50)), Some(Access::Full));
        assert_eq!(rules.of(peer(1001, 51)), None);
        let only = AccessRules {
            allow_gid: BTreeSet::new(),
            ..rules
        };
        assert_eq!(only.of(peer(1001, 51)), Some(Access::Full));
    }

    #[test]
    fn names_are_looked_up() {
        let text = "root:x:0:\nvpp:x:123:a,b\nbroken\nodd:x:no:\n";
        assert_eq!(find_id(text, "vpp"), Some(123));
        assert_eq!(find_id(text, "root"), Some(0));
        for missing in ["vp", "broken", "odd", ""] {
            assert_eq!(find_id(text, missing), None, "{missing}");
        }
        let list = [Account::Id(5), Account::Name("vpp".into())];
        assert_eq!(ids(&list, "group", || Ok(text.into())), Ok(set(&[5, 123])));
        let unknown = ids(&[Account::Name("odd".into())], "group", || Ok(text.into()));
        assert_eq!(unknown.unwrap_err().to_string(), "there is no group `odd'");
    }

    #[test]
    fn the_configuration_has_lists_for_each_socket() {
        let text = "unix { cli-allow-gid 5,vpp cli-read-only-uid 7 } socksvr { allow-uid 1 allow-uid 2 \
                    read-only-gid audit } statseg { allow-gid 9 }";
        let config = Config::parse(Source::file("test", text)).unwrap();
        let settings = Settings::read(&config).unwrap();
        let cli = &settings.unix.cli_access;
        assert_eq!(cli.allow_gid, [Account::Id(5), Account::Name("vpp".into())]);
        assert_eq!(cli.read_only_uid, [Account::Id(7)]);
        assert_eq!(
            settings.socksvr.access.allow_uid,
            [Account::Id(1), Account::Id(2)]
        );
        assert_eq!(
            settings.socksvr.access.read_only_gid,
            [Account::Name("audit".into())]
        );
        assert_eq!(settings.statseg.access.allow_gid, [Account::Id(9)]);
        for bad in [
            "socksvr { allow-uid }",
            "socksvr { allow-gid 1,,2 }",
            "statseg { read-only-uid 1 }",
        ] {
            let config = Config::parse(Source::file("test", bad)).unwrap();
            assert!(Settings::read(&config).is_err(), "{bad}");
        }
    }

    #[test]
    fn looking_is_told_from_changing_by_name() {
        for name in [
            "show_version",
            "sw_interface_dump",
            "ip_neighbor_config_get",
            "sw_interface_get_table",
            "want_interface_events",
            "control_ping",
            "get_api_json",
            "sockclnt_create",
            "log_dump",
        ] {
            assert!(message_reads(name), "{name}");
        }
        for name in [
            "ip_route_add_del",
            "sw_interface_set_flags",
            "create_loopback",
            "add_node_next",
            "trace_clear_cache",
            "pg_capture",
            "ip_table_allocate",
            "feature_enable_disable",
        ] {
            assert!(!message_reads(name), "{name}");
        }
        assert!(command_reads("show interface") && command_reads("quit"));
        for path in [
            "clear trace",
            "exec",
            "set interface state",
            "show vlib graphviz",
            "api trace",
            "ping",
            "define",
        ] {
            assert!(!command_reads(path), "{path}");
        }
    }
}
