//! What fuzzers call: each function takes any bytes from outside and must neither panic nor grow without bound.
//!
//! Make the node once ([`Engine::builder`](crate::Engine::builder) with the features that are to be reached), and call
//! these with its [`Servers`].

use super::Servers;
use crate::{
    api,
    cli::{self, CliSession, SessionInput, SessionKind, SessionOutput, run_request},
    config::{Config, Settings, Source},
};
use barrow_core::{Instant, Machine};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

/// Items that one call handles at most.
const BUDGET: usize = 10_000;

/// A start-up configuration, as a file and as a command line.
pub fn startup_config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for source in [
        Source::file("fuzz", &text),
        Source::arguments(text.split('\n')),
    ] {
        if let Ok(config) = Config::parse(source) {
            Settings::read(&config).ok();
        }
    }
}

/// The stream of one API connection, in two pieces; what is answered is read.
pub fn api_connection(servers: &Servers, bytes: &[u8]) {
    let server = servers.api();
    let Some(client) = server.clients.connect(-1) else {
        return;
    };
    let (table, clients) = (server.table.clone(), &server.clients);
    let mut session = api::Session::new(
        table,
        clients,
        client,
        server.trace.clone(),
        server.log.clone(),
    );
    let mut cx = Context::from_waker(Waker::noop());
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    for piece in [first, rest] {
        session.space(piece.len())[..piece.len()].copy_from_slice(piece);
        session.filled(piece.len());
        for _ in 0..BUDGET {
            let progress = session.work(Instant::ZERO, &mut cx, &mut 64);
            let waiting = session.output().len();
            session.sent(Instant::ZERO, waiting);
            if waiting == 0 && progress == api::Progress::Idle {
                break;
            }
        }
    }
}

/// One API message with any id that is served: `bytes` are the id, then what stands behind the header.
pub fn api_message(servers: &Servers, bytes: &[u8]) {
    let Some((id, body)) = bytes.split_first_chunk() else {
        return;
    };
    let served: Vec<u16> = servers.api().table.messages().map(|(id, _)| id).collect();
    let id = served[usize::from(u16::from_be_bytes(*id)) % served.len()];
    // Index 0 is tolerated, so that the message is not dropped for it.
    let message = [&id.to_be_bytes()[..], &[0; 8], body].concat();
    let mut frame = Vec::new();
    if barrow_wire::frame::append(&message, &mut frame).is_ok() {
        api_connection(servers, &frame);
    }
}

/// A request, as the API's `cli_inband` and the lines of scripts bring it. It is polled once.
pub fn command(servers: &Servers, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let session = servers.program_session("fuzz");
    let run = pin!(run_request(&servers.cli().registry, &session, &text));
    let _ = run.poll(&mut Context::from_waker(Waker::noop()));
}

/// The stream of one CLI session: telnet, keys and requests. Requests are answered with themselves.
pub fn cli_session(servers: &Servers, bytes: &[u8]) {
    let server = servers.cli();
    let (settings, macros) = (server.settings.clone(), server.macros.clone());
    let handle = CliSession::terminal_session(SessionKind::Socket, -1, settings, macros);
    let mut now = Instant::ZERO;
    let mut session = cli::Session::new(handle, server.registry.clone(), now);
    for piece in bytes.chunks(7) {
        session.handle_input(now, SessionInput::Bytes(piece));
        for _ in 0..BUDGET {
            match session.poll_output(now) {
                None => break,
                Some(SessionOutput::Execute(request)) => {
                    session.handle_input(now, SessionInput::Text(&request));
                    session.handle_input(now, SessionInput::Finished);
                }
                Some(SessionOutput::Transmit(_) | SessionOutput::Close) => {}
            }
        }
        now += Duration::from_millis(300);
        if session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
        }
    }
}
