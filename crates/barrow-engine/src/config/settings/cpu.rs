//! `cpu { … }` and `node { … }`: threads, and which variant of a node's code they run.

use crate::config::{Config, ConfigError, Words, value::core_list};
use std::collections::BTreeSet;

/// A set of CPU numbers, ascending.
pub type CoreList = BTreeSet<u32>;

/// How many worker threads there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WorkerCount {
    /// None: the main thread forwards.
    #[default]
    None,
    /// So many, on the first CPUs that are left.
    Count(u32),
    /// One on each of these.
    OnCores(CoreList),
}

impl WorkerCount {
    /// The number of workers.
    pub fn count(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Count(n) => *n as usize,
            Self::OnCores(cores) => cores.len(),
        }
    }
}

/// The section `cpu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuSettings {
    /// `main-core N`: the main thread is pinned there.
    pub main_core: Option<u32>,
    /// `workers N` or `corelist-workers L`
    pub workers: WorkerCount,
    /// `skip-cores N`: the first N CPUs are not used for automatic placement.
    pub skip_cores: u32,
    /// `thread-prefix P`: the names of threads start with it.
    pub thread_prefix: String,
}

impl Default for CpuSettings {
    fn default() -> Self {
        Self {
            main_core: None,
            workers: WorkerCount::None,
            skip_cores: 0,
            thread_prefix: "vpp".into(),
        }
    }
}

impl CpuSettings {
    /// The most workers a node has.
    pub const MAX_WORKERS: usize = 255;

    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        const KNOWN: [&str; 5] = [
            "main-core",
            "workers",
            "corelist-workers",
            "skip-cores",
            "thread-prefix",
        ];
        while let Some(word) = words.keyword(&KNOWN)? {
            let at = words.clone();
            let workers = match word {
                "main-core" => {
                    self.main_core = Some(words.number()?);
                    continue;
                }
                "skip-cores" => {
                    self.skip_cores = words.number()?;
                    continue;
                }
                "thread-prefix" => {
                    self.thread_prefix = words.text("a name")?.into();
                    continue;
                }
                "workers" => match words.number()? {
                    0 => WorkerCount::None,
                    count => WorkerCount::Count(count),
                },
                "corelist-workers" => WorkerCount::OnCores(core_list(&mut words)?),
                other => unreachable!("`{other}' is in the table without being read"),
            };
            if self.workers != WorkerCount::None && self.workers != workers {
                return Err(at.conflict("`workers' and `corelist-workers' say different things"));
            }
            if workers.count() > Self::MAX_WORKERS {
                let most = Self::MAX_WORKERS;
                return Err(at.conflict(format!("there can be {most} workers at most")));
            }
            self.workers = workers;
        }
        Ok(())
    }

    /// What only all `cpu` sections together can say.
    pub(super) fn check(&self, config: &Config) -> Result<(), ConfigError> {
        let WorkerCount::OnCores(cores) = &self.workers else {
            return Ok(());
        };
        let Some(main) = self.main_core.filter(|main| cores.contains(main)) else {
            return Ok(());
        };
        let section = config
            .sections()
            .filter(|section| section.name() == "cpu")
            .last()
            .expect("workers come from a `cpu' section");
        Err(section
            .words()
            .conflict(format!("CPU {main} is the main thread's and a worker's")))
    }
}

/// One `variant V N`: a code variant and its priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVariant {
    /// The node's name; `None` for all.
    pub node: Option<String>,
    /// The variant's name, such as `hsw`.
    pub variant: String,
    /// Its priority, where given.
    pub priority: Option<u32>,
}

/// The section `node`. Barrow compiles each node once, so that the preferences are kept for listings only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeSettings {
    /// In the order in which they were written.
    pub variants: Vec<NodeVariant>,
}

impl NodeSettings {
    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        while let Some(name) = words.optional_text() {
            let node = (name != "default").then(|| name.to_owned());
            let mut inside = words.required_block()?;
            while inside.keyword(&["variant"])?.is_some() {
                let variant = inside.text("a variant's name")?.to_owned();
                let priority = match inside.clone().number::<u32>() {
                    Ok(_) => Some(inside.number()?),
                    Err(_) => None,
                };
                self.variants.push(NodeVariant {
                    node: node.clone(),
                    variant,
                    priority,
                });
            }
        }
        words.keyword(&[])?;
        Ok(())
    }
}
