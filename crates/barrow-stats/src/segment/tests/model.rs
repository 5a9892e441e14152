//! Random changes against a model, read back by the reader.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What can be done to a segment from outside.
#[derive(Clone, Debug)]
enum Step {
    Gauge(u8, u64),
    Simple(u8, u32),
    Combined(u8, u32, u64),
    Names(u8, u32, String),
    ClearName(u8, u32),
    Link(u8, u8, u32),
    Rename(u8, u8),
    Remove(u8),
    Clear(u8),
    Beat,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let slot = 0..12_u8;
    let step = prop_oneof![
        (slot.clone(), any::<u64>()).prop_map(|(s, v)| Step::Gauge(s, v)),
        (slot.clone(), 0..2000_u32).prop_map(|(s, i)| Step::Simple(s, i)),
        (slot.clone(), 0..700_u32, any::<u64>()).prop_map(|(s, i, v)| Step::Combined(s, i, v)),
        (slot.clone(), 0..40_u32, "[ -~]{0,80}").prop_map(|(s, i, t)| Step::Names(s, i, t)),
        (slot.clone(), 0..40_u32).prop_map(|(s, i)| Step::ClearName(s, i)),
        (slot.clone(), slot.clone(), 0..50_u32).prop_map(|(s, t, c)| Step::Link(s, t, c)),
        (slot.clone(), slot.clone()).prop_map(|(s, t)| Step::Rename(s, t)),
        slot.clone().prop_map(Step::Remove),
        slot.prop_map(Step::Clear),
        Just(Step::Beat),
    ];
    prop::collection::vec(step, 0..80)
}

/// What is expected at one name, and the handle to change it.
enum Model {
    Gauge(Gauge, u64),
    Simple(SimpleCounters, Vec<u64>),
    Combined(CombinedCounters, Vec<Combined>),
    Names(NameVector, Vec<Option<String>>),
    Link(EntryKey, String, u32),
}

impl Model {
    fn key(&self) -> EntryKey {
        match self {
            Self::Gauge(gauge, _) => gauge.key(),
            Self::Simple(counters, _) => counters.key(),
            Self::Combined(counters, _) => counters.key(),
            Self::Names(names, _) => names.key(),
            Self::Link(key, ..) => *key,
        }
    }
}

fn name_of(slot: u8) -> String {
    format!("/slot/{slot}")
}

/// Does `step` to the segment and to the model, both with two rows of which the second counts.
fn apply(segment: &Segment, model: &mut BTreeMap<String, Model>, step: Step) {
    let reach = |row: &mut Vec<u64>, index: u32| {
        row.resize(row.len().max(index as usize + 1), 0);
    };
    match step {
        Step::Gauge(slot, value) => {
            let entry = model
                .entry(name_of(slot))
                .or_insert_with_key(|name| Model::Gauge(segment.gauge(name).unwrap(), 0));
            if let Model::Gauge(gauge, held) = entry {
                gauge.set_integer(value);
                *held = value;
            }
        }
        Step::Simple(slot, index) => {
            let entry = model
                .entry(name_of(slot))
                .or_insert_with_key(|name| Model::Simple(segment.simple(name, 2).unwrap(), vec![]));
            if let Model::Simple(counters, row) = entry {
                counters.ensure(index).unwrap();
                counters.row(1).unwrap().increment(index);
                reach(row, index);
                row[index as usize] += 1;
            }
        }
        Step::Combined(slot, index, bytes) => {
            let entry = model.entry(name_of(slot)).or_insert_with_key(|name| {
                Model::Combined(segment.combined(name, 2).unwrap(), vec![])
            });
            if let Model::Combined(counters, row) = entry {
                counters.ensure(index).unwrap();
                counters.row(1).unwrap().add2(index, 1, bytes);
                row.resize(row.len().max(index as usize + 1), Combined::default());
                row[index as usize] = row[index as usize] + Combined { packets: 1, bytes };
            }
        }
        Step::Names(slot, index, text) => {
            let entry = model
                .entry(name_of(slot))
                .or_insert_with_key(|name| Model::Names(segment.names(name).unwrap(), vec![]));
            if let Model::Names(names, strings) = entry {
                names.set(index, &text).unwrap();
                strings.resize(strings.len().max(index as usize + 1), None);
                strings[index as usize] = Some(text);
            }
        }
        Step::ClearName(slot, index) => {
            if let Some(Model::Names(names, strings)) = model.get_mut(&name_of(slot)) {
                names.clear(index);
                if let Some(string) = strings.get_mut(index as usize) {
                    *string = None;
                }
            }
        }
        Step::Link(slot, target, column) => {
            let (name, target) = (name_of(slot), name_of(target));
            if model.contains_key(&name) {
                return;
            }
            let key = match model.get_mut(&target) {
                Some(Model::Simple(counters, row)) => {
                    reach(row, column);
                    counters.key()
                }
                Some(Model::Combined(counters, row)) => {
                    row.resize(row.len().max(column as usize + 1), Combined::default());
                    counters.key()
                }
                _ => return,
            };
            let key = segment.symlink(&name, key, column).unwrap();
            model.insert(name, Model::Link(key, target, column));
        }
        Step::Rename(slot, to) => {
            let (from, to) = (name_of(slot), name_of(to));
            if model.contains_key(&to) {
                return;
            }
            let Some(entry) = model.remove(&from) else {
                return;
            };
            segment.rename(entry.key(), &to).unwrap();
            for other in model.values_mut() {
                if let Model::Link(_, target, _) = other
                    && *target == from
                {
                    target.clone_from(&to);
                }
            }
            model.insert(to, entry);
        }
        Step::Remove(slot) => {
            let name = name_of(slot);
            let Some(entry) = model.remove(&name) else {
                return;
            };
            segment.remove(entry.key()).unwrap();
            model.retain(|_, other| !matches!(other, Model::Link(_, target, _) if *target == name));
        }
        Step::Clear(slot) => match model.get_mut(&name_of(slot)) {
            Some(Model::Simple(counters, row)) => {
                counters.clear_all();
                row.fill(0);
            }
            Some(Model::Combined(counters, row)) => {
                counters.clear_all();
                row.fill(Combined::default());
            }
            _ => {}
        },
        Step::Beat => segment.beat(),
    }
}

fn expected(model: &BTreeMap<String, Model>, name: &str) -> Value {
    match &model[name] {
        Model::Gauge(_, value) => Value::Gauge(*value),
        Model::Simple(_, row) => Value::Simple(vec![vec![0; row.len()], row.clone()]),
        Model::Combined(_, row) => {
            Value::Combined(vec![vec![Combined::default(); row.len()], row.clone()])
        }
        Model::Names(_, strings) => Value::Names(strings.clone()),
        Model::Link(_, target, column) => {
            let column = *column as usize;
            match expected(model, target) {
                Value::Simple(rows) => {
                    Value::Simple(rows.into_iter().map(|row| vec![row[column]]).collect())
                }
                Value::Combined(rows) => {
                    Value::Combined(rows.into_iter().map(|row| vec![row[column]]).collect())
                }
                other => panic!("a link to {other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_done_the_reader_sees_it(steps in steps()) {
        let (segment, mut reader) = pair();
        let mut model = BTreeMap::new();
        for step in steps {
            apply(&segment, &mut model, step);
            segment.core.state.borrow().directory.check(&segment.core.memory);
        }
        let mut names = names_of(&reader);
        names.retain(|name| !name.starts_with("/sys/"));
        names.sort();
        let mut wanted: Vec<_> = model.keys().cloned().collect();
        wanted.sort();
        prop_assert_eq!(names, wanted);
        for name in model.keys() {
            prop_assert_eq!(reader.get(name).unwrap(), Some(expected(&model, name)), "{}", name);
        }
    }
}
