//! The node's control servers, put together: the commands and messages that are the engine's own, and the sockets on
//! which both are served.
//!
//! Features register first, the engine adds its own, and [`Servers`] is what comes of it. [`Engine::serve`] opens the
//! sockets, or [`Servers::open`] where a program turns the main thread itself. The API's socket appears last: clients
//! take it for the sign that the node is ready.
//!
//! [`Engine::serve`]: crate::Engine::serve

mod console;
pub mod fuzz;
mod listen;
mod serve;
mod stats;
mod threads;

#[cfg(test)]
mod tests;

pub use listen::ListenError;
pub use serve::ServeError;

use crate::{
    About, Control, EngineBuilder, RegisterError,
    api::{self, ApiCommands, ApiRegistry, ApiServer, ApiTrace, Clients},
    cli::{
        self, CliHandle, CliRegistry, CliResult, CliServer, CliSession, CliSessions, FileInfo,
        Identity, Macros, PluginInfo, SessionSettings, ShellHost, run_script, sleep_on,
    },
    config::Settings,
    log, running_config,
};
use barrow_runtime::io::Reactor;
use std::{cell::RefCell, collections::BTreeMap, fmt, path::PathBuf, rc::Rc};
use threads::ThreadTable;

/// What the engine's own commands and messages work with.
pub(crate) struct Own {
    identity: Rc<Identity>,
    cli: CliHandle,
    sessions: CliSessions,
    session_settings: Rc<SessionSettings>,
    macros: Rc<Macros>,
    trace: ApiTrace,
    features: Rc<RefCell<Vec<About>>>,
    files: FileNames,
}

/// What the listening sockets are for, by descriptor.
type FileNames = Rc<RefCell<BTreeMap<i32, String>>>;

impl Own {
    /// For a node with these settings.
    pub(crate) fn new(settings: &Settings, identity: Identity) -> Self {
        Self {
            identity: Rc::new(identity),
            cli: CliHandle::default(),
            sessions: CliSessions::default(),
            session_settings: Rc::new(SessionSettings::from(&settings.unix)),
            macros: Rc::default(),
            trace: ApiTrace::default(),
            features: Rc::default(),
            files: Rc::default(),
        }
    }

    /// Registers the engine's own commands and messages, beside those of features.
    pub(crate) fn register(&self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        *self.features.borrow_mut() = engine.features().to_vec();
        let control = engine.control().clone();
        let threads = ThreadTable::new(&control, &engine.settings().cpu.thread_prefix);
        let collected = threads.clone();
        engine.on_start(move |control| collected.collect(control));
        self.register_commands(engine, &control, &threads)?;
        self.register_messages(engine, &control, &threads)
    }

    fn register_commands(
        &self,
        engine: &mut EngineBuilder,
        control: &Control,
        threads: &ThreadTable,
    ) -> Result<(), RegisterError> {
        let clients = engine.clients().clone();
        let table = engine.api().table();
        let writers = engine.config_writers.clone();
        let commands = engine.cli();
        let shell = ShellHost {
            sleep: sleep_on(control.spawner()),
            sessions: self.sessions.clone(),
            registry: self.cli.clone(),
        };
        cli::register_shell(commands, &shell)?;
        cli::register_clock(commands, control)?;
        cli::register_identity(commands, self.identity.clone())?;
        let threads = threads.clone();
        cli::register_threads(commands, move || threads.list())?;
        let features = self.features.clone();
        cli::register_process(commands, move || {
            features
                .borrow()
                .iter()
                .cloned()
                .map(PluginInfo::from)
                .collect()
        })?;
        let (own, names) = (control.clone(), self.files.clone());
        let (sessions, connected) = (self.sessions.clone(), clients.clone());
        cli::register_files(commands, move || {
            known_files(&own, &names, &sessions, &connected)
        })?;
        log::register_commands(commands, control.log())?;
        running_config::register(commands, &writers)?;
        let logger = control.log().clone();
        writers.add(move |config| log::write_config(&logger, config));
        let trace_directory = PathBuf::from("/tmp");
        let trace = self.trace.clone();
        api::register_api_commands(
            commands,
            &ApiCommands {
                clients,
                table,
                trace,
                trace_directory,
            },
        )?;
        Ok(())
    }

    fn register_messages(
        &self,
        engine: &mut EngineBuilder,
        control: &Control,
        threads: &ThreadTable,
    ) -> Result<(), RegisterError> {
        let messages = engine.api();
        let process_id = self.identity.process_id;
        api::register_memclnt(messages, process_id)?;
        let (settings, macros) = (self.session_settings.clone(), self.macros.clone());
        let class = control.log().class("api");
        api::register_cli(messages, self.cli.clone(), settings, macros, class)?;
        api::register_graph(messages, control)?;
        let threads = threads.clone();
        api::register_threads(messages, move || threads.list())?;
        api::register_vpe(messages, self.identity.clone(), control.clock().clone())?;
        api::register_log_dump(messages, control.log().clone())?;
        Ok(())
    }

    /// The servers of what has been registered.
    pub(crate) fn build(
        self,
        commands: CliRegistry,
        messages: ApiRegistry,
        clients: Clients,
        settings: Rc<Settings>,
        control: Control,
    ) -> Servers {
        let registry = Rc::new(commands);
        self.cli.set(&registry);
        let api_trace = &settings.api_trace;
        if api_trace.enabled {
            self.trace.enable(Some(api_trace.items));
        }
        let table = messages.build();
        let cli = CliServer {
            registry,
            settings: self.session_settings,
            macros: self.macros,
            sessions: self.sessions,
            log: control.log().class("cli"),
            requests: None,
        };
        let api = ApiServer {
            table,
            clients,
            trace: self.trace,
            log: control.log().class("api"),
        };
        Servers {
            cli,
            api,
            settings,
            control,
            files: self.files,
        }
    }
}

/// What is known of the process's descriptors: those that the main thread watches, and who is at the other end.
fn known_files(
    control: &Control,
    names: &FileNames,
    sessions: &CliSessions,
    clients: &Clients,
) -> BTreeMap<i32, FileInfo> {
    let mut known = BTreeMap::<i32, FileInfo>::new();
    let reactor = control.spawner().extensions().get::<Reactor>();
    for watched in reactor.iter().flat_map(|reactor| reactor.watched()) {
        known.entry(watched.descriptor).or_default().watched = Some(watched);
    }
    for (descriptor, name) in &*names.borrow() {
        known.entry(*descriptor).or_default().description = name.clone();
    }
    for session in sessions.list() {
        if let Some(descriptor) = session.descriptor() {
            known.entry(descriptor).or_default().description = session.name().to_owned();
        }
    }
    for client in clients.list() {
        let name = format!("socksrv {}", client.name());
        known.entry(client.descriptor()).or_default().description = name;
    }
    known
}

/// The node's command line and binary API, ready to be served.
#[derive(Clone)]
pub struct Servers {
    cli: CliServer,
    api: ApiServer,
    settings: Rc<Settings>,
    control: Control,
    files: FileNames,
}

impl Servers {
    /// What serves the command line.
    #[must_use]
    pub fn cli(&self) -> &CliServer {
        &self.cli
    }

    /// What serves the binary API.
    #[must_use]
    pub fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Runs commands as a program does and gives what they print.
    ///
    /// # Errors
    /// What they printed, the error text at its end.
    pub async fn run(&self, commands: &str) -> Result<String, String> {
        let session = self.program_session("program");
        let result = cli::execute(&self.cli.registry, &session, commands).await;
        let text = session.output().take();
        result.map(|()| text.clone()).map_err(|_| text)
    }

    /// Runs the script of `unix { exec FILE }`, if there is one. What it prints is logged; it stops at its first error.
    ///
    /// # Errors
    /// Which line failed, or that the file cannot be read.
    pub async fn run_startup_script(&self) -> CliResult {
        let Some(path) = &self.settings.unix.startup_config else {
            return Ok(());
        };
        let name = path.display().to_string();
        let session = self.program_session("startup-config");
        let result = match cli::read_script(&name) {
            Ok(script) => run_script(&self.cli.registry, &session, &name, &script).await,
            Err(error) => Err(error),
        };
        let log = self.control.log().class("startup-config");
        for line in session.output().take().lines() {
            log.notice(format_args!("{line}"));
        }
        result.inspect_err(|error| log.error(format_args!("{error}")))
    }

    fn program_session(&self, name: &str) -> CliSession {
        CliSession::program_session(name, self.cli.settings.clone(), self.cli.macros.clone())
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers")
            .field("cli", &self.cli)
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl From<About> for PluginInfo {
    fn from(about: About) -> Self {
        let About {
            name,
            version,
            description,
        } = about;
        Self {
            name,
            version,
            description,
        }
    }
}
