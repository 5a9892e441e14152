//! What features register.

use super::{
    ApiContext, ApiError, ApiTable, Clients, CursorRun, Subscribers, TableHandle,
    handler::{self, Handler},
};
use barrow_wire::{
    CursorStream, Dump, Message, MessageInfo, ModuleInfo, OneWay, Request, Subscribe,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    rc::Rc,
};

/// The modules, and the handlers of their messages.
///
/// A module is served as soon as one of its messages has a handler; the message table then lists the messages with
/// handlers and what they are answered with. A message of a module that is not in the catalogue needs
/// [`ApiRegistry::module`] first.
pub struct ApiRegistry {
    clients: Clients,
    known: BTreeMap<&'static str, &'static ModuleInfo>,
    /// The modules with handlers, in the order of their first.
    order: Vec<&'static str>,
    handlers: BTreeMap<(&'static str, &'static str), Handler>,
    /// Messages that are listed though nothing answers with them.
    listed: BTreeSet<(&'static str, &'static str)>,
    table: TableHandle,
}

/// Why a handler was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiRegisterError {
    /// The message's module is in no catalogue and was not declared.
    #[error("`{message}' belongs to the module `{module}', which is not declared")]
    UnknownModule {
        /// The message.
        message: &'static str,
        /// Its module.
        module: &'static str,
    },
    /// The module does not hold the message, or holds another one of that name.
    #[error("the module `{module}' has no message `{message}' with this CRC")]
    UnknownMessage {
        /// The message.
        message: &'static str,
        /// Its module.
        module: &'static str,
    },
    /// There is a handler already.
    #[error("`{0}' has a handler already")]
    Duplicate(&'static str),
    /// A module of this name was declared already.
    #[error("there is a module `{0}' already")]
    DuplicateModule(&'static str),
}

impl ApiRegistry {
    /// A registry that knows the modules of `catalogue`.
    pub fn new(clients: Clients, catalogue: &[&'static ModuleInfo]) -> Self {
        Self {
            clients,
            known: catalogue
                .iter()
                .map(|module| (module.name, *module))
                .collect(),
            order: Vec::new(),
            handlers: BTreeMap::new(),
            listed: BTreeSet::new(),
            table: TableHandle::default(),
        }
    }

    /// Declares a module that is not in the catalogue.
    ///
    /// # Errors
    /// [`ApiRegisterError::DuplicateModule`].
    pub fn module(&mut self, module: &'static ModuleInfo) -> Result<(), ApiRegisterError> {
        match self.known.insert(module.name, module) {
            None => Ok(()),
            Some(known) => {
                self.known.insert(known.name, known);
                Err(ApiRegisterError::DuplicateModule(module.name))
            }
        }
    }

    /// Registers the handler of a request that is answered at once.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn request<M: Request>(
        &mut self,
        handle: impl Fn(&mut ApiContext<'_>, M) -> Result<M::Reply, ApiError> + 'static,
    ) -> Result<(), ApiRegisterError> {
        self.insert::<M>(handler::request(handle))
    }

    /// Registers the handler of a request that takes time. Its connection's next requests wait for it.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn request_async<M, F>(
        &mut self,
        handle: impl Fn(&mut ApiContext<'_>, M) -> F + 'static,
    ) -> Result<(), ApiRegisterError>
    where
        M: Request,
        F: Future<Output = Result<M::Reply, ApiError>> + 'static,
    {
        self.insert::<M>(handler::request_async(handle))
    }

    /// Registers the handler of a message without answer.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn one_way<M: OneWay>(
        &mut self,
        handle: impl Fn(&mut ApiContext<'_>, M) + 'static,
    ) -> Result<(), ApiRegisterError> {
        self.insert::<M>(handler::one_way(handle))
    }

    /// Registers the handler of a dump. The closure it gives is called whenever the socket has room for one more.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn dump<M, D>(
        &mut self,
        handle: impl Fn(&mut ApiContext<'_>, M) -> D + 'static,
    ) -> Result<(), ApiRegisterError>
    where
        M: Dump,
        D: FnMut() -> Option<M::Details> + 'static,
    {
        self.insert::<M>(handler::dump(handle))
    }

    /// Registers the handler of a cursor stream.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn cursor<M: CursorStream>(
        &mut self,
        handle: impl Fn(&mut ApiContext<'_>, M) -> Result<CursorRun<M>, ApiError> + 'static,
    ) -> Result<(), ApiRegisterError> {
        self.insert::<M>(handler::cursor(handle))
    }

    /// Registers a subscription and gives the handle to its subscribers. `wanted` tells from the request whether it
    /// subscribes or ends a subscription; doing either twice is answered with INVALID_REGISTRATION (-31).
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn subscribe<M: Subscribe>(
        &mut self,
        wanted: impl Fn(&M) -> bool + 'static,
    ) -> Result<Subscribers<M>, ApiRegisterError> {
        let subscribers = self.subscribers::<M>();
        let changed = subscribers.clone();
        self.request::<M>(move |cx, request| {
            if wanted(&request) {
                changed.add(cx, request, |_| true)?;
            } else {
                changed.remove(cx, |_| true)?;
            }
            Ok(M::Reply::default())
        })?;
        Ok(subscribers)
    }

    /// Subscribers of a request whose handler is registered by itself: for subscriptions that do more.
    pub fn subscribers<M: Subscribe>(&self) -> Subscribers<M> {
        Subscribers::new(&self.clients, self.table.clone())
    }

    /// Lists a message in the table though nothing served is answered with it.
    ///
    /// # Errors
    /// See [`ApiRegisterError`].
    pub fn list<M: Message>(&mut self) -> Result<(), ApiRegisterError> {
        let info = self.info_of::<M>()?;
        self.serve(M::MODULE);
        self.listed.insert((M::MODULE, info.name));
        Ok(())
    }

    /// The clients that will use it.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The table, for handlers and commands that need it when they run.
    pub fn table(&self) -> TableHandle {
        self.table.clone()
    }

    /// Fixes the ids: nothing can be registered any more.
    pub fn build(self) -> Rc<ApiTable> {
        let modules: Vec<_> = self.order.iter().map(|name| self.known[name]).collect();
        let table = ApiTable::new(&modules, &self.handlers, &self.listed);
        let table = Rc::new(table);
        self.table.set(&table);
        table
    }

    pub(super) fn insert<M: Message>(&mut self, handler: Handler) -> Result<(), ApiRegisterError> {
        self.info_of::<M>()?;
        if self.handlers.contains_key(&(M::MODULE, M::NAME)) {
            return Err(ApiRegisterError::Duplicate(M::NAME));
        }
        self.serve(M::MODULE);
        self.handlers.insert((M::MODULE, M::NAME), handler);
        Ok(())
    }

    fn serve(&mut self, module: &'static str) {
        if !self.order.contains(&module) {
            self.order.push(module);
        }
    }

    fn info_of<M: Message>(&self) -> Result<&'static MessageInfo, ApiRegisterError> {
        let (message, module) = (M::NAME, M::MODULE);
        let Some(info) = self.known.get(module) else {
            return Err(ApiRegisterError::UnknownModule { message, module });
        };
        let found = info
            .messages
            .iter()
            .find(|known| known.name_crc == M::NAME_CRC);
        found.ok_or(ApiRegisterError::UnknownMessage { message, module })
    }
}

impl fmt::Debug for ApiRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRegistry")
            .field("modules", &self.order)
            .finish_non_exhaustive()
    }
}
