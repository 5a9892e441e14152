//! Connections frame by frame: what binary-api.md says of sections 1 to 3, and hostile clients.

mod frames;
mod hostile;
mod own;
mod streams;

use super::{Closed, Progress, Session};
use crate::{
    api::{
        ApiCounters, ApiError, ApiLimits, ApiRegisterError, ApiRegistry, ApiTable, ApiTrace,
        Clients, CursorRun, Subscribers, register_cli, register_log_dump, register_memclnt,
    },
    cli::{CliHandle, CliRegistry, Macros, SessionSettings},
    log::Logger,
};
use barrow_core::Instant;
use barrow_messages::{
    graph::{GraphNodeDetails, GraphNodeGet, GraphNodeGetReply},
    interface::{SwInterfaceEvent, WantInterfaceEvents},
    memclnt::{
        ControlPing, ControlPingReply, GetApiJson, GetApiJsonReply, GetFirstMsgId,
        GetFirstMsgIdReply, SockclntCreate, SockclntCreateReply, SockclntDelete,
    },
    vlib::{CliInband, CliInbandReply, GetF64EndianValue, GetF64EndianValueReply},
    vpe::{LogDetails, LogDump, ShowVpeSystemTime, ShowVpeSystemTimeReply},
};
use barrow_wire::{FixedString, Header, Message, VarString, decode_message, frame};
use proptest::prelude::*;
use std::{
    cell::Cell,
    collections::VecDeque,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

const START: Instant = Instant::from_secs(10);

/// A server with a few messages, and the handles to what its handlers do.
struct Server {
    table: Rc<ApiTable>,
    clients: Clients,
    trace: ApiTrace,
    log: Logger,
    events: Subscribers<WantInterfaceEvents>,
    /// `show_vpe_system_time` is answered once this is set.
    answer: Rc<Cell<bool>>,
    /// Details of `log_dump` made so far, and how many there are.
    made: Rc<Cell<usize>>,
    details: Rc<Cell<usize>>,
    _cli: Rc<CliRegistry>,
}

impl Server {
    fn new() -> Self {
        Self::with_limits(ApiLimits::default())
    }

    fn with_limits(limits: ApiLimits) -> Self {
        Self::build(limits).unwrap()
    }

    fn build(limits: ApiLimits) -> Result<Self, ApiRegisterError> {
        let clients = Clients::new(Rc::new(limits), Rc::new(ApiCounters::default()));
        let mut api = ApiRegistry::new(clients.clone(), barrow_messages::catalogue());
        let log = Logger::quiet();
        register_memclnt(&mut api, 4242)?;
        let handle = CliHandle::default();
        let (settings, macros) = (
            Rc::new(SessionSettings::default()),
            Rc::new(Macros::default()),
        );
        register_cli(&mut api, handle.clone(), settings, macros, log.class("api"))?;
        let mut cli = CliRegistry::default();
        cli.command("show version", "", |cx, _| {
            cx.print("probe v1");
            Ok(())
        })
        .unwrap();
        let cli = Rc::new(cli);
        handle.set(&cli);
        let answer = Rc::new(Cell::new(false));
        let answered = answer.clone();
        api.request_async(move |_, _: ShowVpeSystemTime| {
            let answered = answered.clone();
            std::future::poll_fn(move |_| {
                let reply = ShowVpeSystemTimeReply::default();
                if answered.get() {
                    Poll::Ready(Ok(reply))
                } else {
                    Poll::Pending
                }
            })
        })?;
        let (made, details) = (
            Rc::new(Cell::new(0_usize)),
            Rc::new(Cell::new(100_000_usize)),
        );
        let (counted, all) = (made.clone(), details.clone());
        api.dump(move |_, _: LogDump| {
            let (counted, left) = (counted.clone(), Cell::new(all.get()));
            move || {
                left.set(left.get().checked_sub(1)?);
                counted.set(counted.get() + 1);
                let message = FixedString::truncated(&counted.get().to_string());
                Some(LogDetails {
                    message,
                    ..LogDetails::default()
                })
            }
        })?;
        api.cursor(|_, request: GraphNodeGet| {
            if request.cursor > 1000 {
                return Err(ApiError::NO_SUCH_ENTRY);
            }
            let cursor = Rc::new(Cell::new(request.cursor));
            let end = cursor.clone();
            let details = move || {
                let index = cursor.get();
                cursor.set(index + 1);
                (index < 1000).then(|| GraphNodeDetails {
                    index,
                    ..GraphNodeDetails::default()
                })
            };
            let reply = move || GraphNodeGetReply {
                cursor: end.get(),
                ..Default::default()
            };
            Ok(CursorRun::new(details, reply))
        })?;
        let events = api.subscribe(|request: &WantInterfaceEvents| request.enable_disable != 0)?;
        let table = api.build();
        let trace = ApiTrace::default();
        Ok(Self {
            table,
            clients,
            trace,
            log,
            events,
            answer,
            made,
            details,
            _cli: cli,
        })
    }

    fn connect(&self) -> Peer {
        let client = self.clients.connect(7).unwrap();
        let index = client.index().get();
        let (table, trace) = (self.table.clone(), self.trace.clone());
        let log = self.log.class("api");
        let session = Session::new(table.clone(), &self.clients, client, trace, log);
        Peer {
            session,
            table,
            index,
            now: START,
            received: VecDeque::new(),
            unread: Vec::new(),
        }
    }

    fn counters(&self) -> &ApiCounters {
        self.clients.counters()
    }

    fn logged(&self) -> String {
        self.log
            .entries()
            .iter()
            .map(|entry| format!("{}\n", entry.text))
            .collect()
    }
}

/// A client and the host of its connection in one.
struct Peer {
    session: Session,
    table: Rc<ApiTable>,
    index: u32,
    now: Instant,
    received: VecDeque<Vec<u8>>,
    /// Bytes received that are no whole frame yet.
    unread: Vec<u8>,
}

impl Peer {
    fn id<M: Message>(&self) -> u16 {
        self.table.id_of::<M>().unwrap()
    }

    fn frame<M: Message>(&self, context: u32, message: &M) -> Vec<u8> {
        let header = Header {
            id: self.id::<M>(),
            client_index: self.index,
            context,
        };
        let mut out = Vec::new();
        frame::encode(header, message, &mut out).unwrap();
        out
    }

    /// The bytes arrive; nothing is handled yet.
    fn arrive(&mut self, bytes: &[u8]) {
        self.session.space(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.session.filled(bytes.len());
    }

    fn work(&mut self) -> Progress {
        let mut cx = Context::from_waker(Waker::noop());
        self.session.work(self.now, &mut cx, &mut 64)
    }

    /// Works until there is nothing to do without reading.
    fn settle(&mut self) {
        while self.work() == Progress::More {}
    }

    /// Reads everything, as far as there is.
    fn drain(&mut self) {
        loop {
            self.settle();
            let output = self.session.output().to_vec();
            if output.is_empty() {
                return;
            }
            self.session.sent(self.now, output.len());
            self.read(&output);
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        let mut decoder = frame::FrameDecoder::new(64 << 20);
        decoder.push(&self.unread);
        while let Some(message) = decoder.next_message().unwrap() {
            self.received.push_back(message.to_vec());
        }
        let left = decoder.pending();
        self.unread.drain(..self.unread.len() - left);
    }

    fn send<M: Message>(&mut self, context: u32, message: &M) {
        let frame = self.frame(context, message);
        self.arrive(&frame);
        self.drain();
    }

    fn receive<M: Message>(&mut self) -> (u32, M) {
        let message = self
            .received
            .pop_front()
            .expect("a message should have come");
        assert_eq!(
            barrow_wire::message_id(&message),
            self.table.id_of::<M>(),
            "{}",
            M::NAME
        );
        let (header, message) = decode_message::<M>(&message).unwrap();
        (header.context, message)
    }

    fn pings(&mut self) {
        self.send(77, &ControlPing {});
        let (context, reply) = self.receive::<ControlPingReply>();
        assert_eq!((context, reply.vpe_pid, self.received.len()), (77, 4242, 0));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|b| char::from(b).to_digit(16))
        .map(|d| d.to_le_bytes()[0])
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
