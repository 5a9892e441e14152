//! The commands that make again what was set on interfaces. Making the devices is their features' part.

use super::{HwInterface, Interfaces, SubInterface, SwIfIndex, SwInterface};
use barrow_engine::{ConfigStage as Stage, RunningConfig};
use std::collections::BTreeSet;

/// Writes all of it.
pub(super) fn write(interfaces: &Interfaces, config: &mut RunningConfig) {
    let default = interfaces.default_rx_mode();
    if default != Default::default() {
        let command = format_args!("set interface default rx-mode {default}");
        config.line(Stage::Settings, 0, command);
    }
    let mut renamed = Vec::new();
    for index in interfaces.iter_indexes().skip(1) {
        let (Some(sw), Some(hw)) = (interfaces.sw(index), interfaces.hw_of(index)) else {
            continue;
        };
        match &sw.sub {
            Some(sub) => write_sub(interfaces, index, sub, config),
            None => {
                if hw.device_name != hw.name {
                    renamed.push((hw.device_name.clone(), hw.name.clone()));
                }
                write_device(&hw, config);
            }
        }
        write_settings(&sw, &hw, config);
    }
    for (number, (old, new)) in (0..).zip(in_order(renamed)) {
        config.line(
            Stage::Names,
            number,
            format_args!("set interface name {old} {new}"),
        );
    }
}

/// What every interface has.
fn write_settings(sw: &SwInterface, hw: &HwInterface, config: &mut RunningConfig) {
    let (number, name) = (sw.index.0, &sw.name);
    let of_device = if sw.sub.is_none() || hw.mtu != hw.made.mtu {
        hw.mtu
    } else {
        0
    };
    let mtu = sw.mtu;
    if (mtu.l3, mtu.ip4, mtu.ip6, mtu.mpls) != (of_device, 0, 0, 0) {
        let set = [
            ("packet", mtu.l3),
            ("ip4", mtu.ip4),
            ("ip6", mtu.ip6),
            ("mpls", mtu.mpls),
        ];
        let set = set.into_iter().filter(|(_, size)| *size != 0);
        let words: String = set
            .map(|(protocol, size)| format!("{protocol} {size} "))
            .collect();
        let words = if words.is_empty() {
            "packet 0 "
        } else {
            &words
        };
        let command = format_args!("set interface mtu {words}{name}");
        config.line(Stage::Properties, number, command);
    }
    if !sw.tag.is_empty() {
        let tag = RunningConfig::argument(&sw.tag);
        config.line(
            Stage::Properties,
            number,
            format_args!("set interface tag {name} {tag}"),
        );
    }
    if sw.detailed_stats {
        let command = format_args!("set interface detailed-stats {name} enable");
        config.line(Stage::Properties, number, command);
    }
    if sw.punt {
        let command = format_args!("set interface state {name} punt");
        config.line(Stage::Admin, number, command);
    }
    if sw.admin_up {
        // A sub-interface goes up only above one that is up.
        let number = number | u32::from(sw.sub.is_some()) << 31;
        config.line(
            Stage::Admin,
            number,
            format_args!("set interface state {name} up"),
        );
    }
}

/// What was changed on a device since it was made.
fn write_device(hw: &HwInterface, config: &mut RunningConfig) {
    let (number, name, made) = (hw.sw.0, &hw.name, &hw.made);
    let mut line = |command: String| config.line(Stage::Devices, number, command);
    if hw.mtu != made.mtu {
        line(format!("set interface mtu {} {name}", hw.mtu));
    }
    if hw.promiscuous {
        line(format!("set interface promiscuous on {name}"));
    }
    for mac in &hw.secondary_macs {
        line(format!(
            "set interface secondary-mac-address {name} {mac} add"
        ));
    }
    for (queue, (now, was)) in hw.rx.iter().zip(&made.rx).enumerate() {
        if now.mode != was.mode {
            line(format!(
                "set interface rx-mode {name} queue {queue} {}",
                now.mode
            ));
        }
        if now.thread != was.thread {
            let thread = match now.thread.checked_sub(1) {
                None => "main".to_owned(),
                Some(worker) => format!("worker {worker}"),
            };
            line(format!(
                "set interface rx-placement {name} queue {queue} {thread}"
            ));
        }
    }
    for (queue, (now, _)) in hw
        .tx
        .iter()
        .zip(&made.tx)
        .enumerate()
        .filter(|(_, (now, was))| now != was)
    {
        let threads: Vec<_> = now.iter().map(ToString::to_string).collect();
        let threads = threads.join(",");
        let threads = if threads.is_empty() {
            String::new()
        } else {
            format!(" threads {threads}")
        };
        line(format!(
            "set interface tx-queue {name} queue {queue}{threads}"
        ));
    }
}

/// Makes a sub-interface, under the name that its parent was made with.
fn write_sub(
    interfaces: &Interfaces,
    index: SwIfIndex,
    sub: &SubInterface,
    config: &mut RunningConfig,
) {
    let Some(parent) = interfaces.hw_of(sub.parent) else {
        return;
    };
    let (parent, id) = (&parent.device_name, sub.id);
    let command = format_args!("create sub-interfaces {parent} {id} {}", sub.vlan);
    // Its index may be one that was free before its parent was made.
    let number = if index > sub.parent {
        index.0
    } else {
        u32::MAX
    };
    config.line(Stage::Interfaces, number, command);
}

/// Renamings in an order in which no new name is in use; where they go round in a circle, by way of another name.
fn in_order(mut renamed: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut ordered = Vec::new();
    while !renamed.is_empty() {
        let taken: BTreeSet<_> = renamed.iter().map(|(old, _)| old.clone()).collect();
        let (free, blocked): (Vec<_>, Vec<_>) = renamed
            .into_iter()
            .partition(|(_, new)| !taken.contains(new));
        renamed = blocked;
        if free.is_empty()
            && let Some((old, _)) = renamed.first_mut()
        {
            let between = format!("{old}-between");
            ordered.push((std::mem::replace(old, between.clone()), between));
        }
        ordered.extend(free);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn names_that_change_places_go_by_way_of_another() {
        let pairs = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "e")];
        let renamed = pairs.map(|(old, new)| (old.to_owned(), new.to_owned()));
        let mut names: BTreeMap<String, &str> = pairs
            .iter()
            .map(|(old, _)| (old.to_string(), *old))
            .collect();
        for (old, new) in in_order(renamed.to_vec()) {
            assert!(!names.contains_key(&new), "{new} is in use");
            let who = names.remove(&old).expect("it has this name");
            names.insert(new, who);
        }
        for (old, new) in pairs {
            assert_eq!(names[new], old);
        }
    }
}
