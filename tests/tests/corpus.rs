//! The fuzz targets' corpora, replayed as they are and in disguise.

#[path = "../../fuzz/src/entries.rs"]
#[expect(
    unreachable_pub,
    reason = "they are public in the crate of the fuzz targets"
)]
mod entries;

use std::path::PathBuf;

/// Disguises in which each seed is tried too; `BARROW_MUTATIONS` sets another number, where there is time but no fuzzer.
const MUTATIONS: u64 = 50;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let files = std::fs::read_dir(&folder).expect("the corpus is committed");
    let mut paths: Vec<PathBuf> = files
        .map(|file| file.expect("the folder can be read").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).expect("the file can be read"))
        .collect();
    let mutations = std::env::var("BARROW_MUTATIONS").map_or(MUTATIONS, |number| {
        number.parse().expect("BARROW_MUTATIONS is a number")
    });
    for (index, seed) in seeds.iter().enumerate() {
        entry(seed);
        for number in 0..mutations {
            let mut dice = Dice::new(number * 1000 + index as u64);
            let mutant = mutate(seed, &seeds[dice.below(seeds.len())], &mut dice);
            // Shown when the test fails.
            println!("{} in disguise {number}", paths[index].display());
            entry(&mutant);
        }
    }
}

/// Numbers that look random and are the same in each run (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        dice.below(2);
        dice
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit.max(1)
    }
}

/// A seed with a few of its bytes changed, cut out, doubled, or taken from another seed.
fn mutate(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        let length = dice.below(16).min(bytes.len() - at);
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5)],
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let doubled = bytes[at..at + length].to_vec();
                bytes.splice(at..at, doubled);
            }
            4 => bytes.truncate(at),
            _ => {
                let from = dice.below(other.len() + 1);
                bytes.splice(at..at + length, other[from..].iter().take(64).copied());
            }
        }
    }
    bytes
}

macro_rules! corpora {
    ($($name:ident),*) => { $(#[test] fn $name() { replay(stringify!($name), entries::$name); })* };
}

corpora!(
    api_frame,
    any_message,
    api_language,
    startup_grammar,
    cli_line,
    packet_input,
    client_session,
    rpc_session,
    dhcp_message
);
