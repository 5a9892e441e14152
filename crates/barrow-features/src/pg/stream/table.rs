//! The streams there are: the packet generator as the main thread has it.

use super::new::{Changes, NewStream, read_new};
use super::offload::Marker;
use super::pace::period;
use super::record::Stream;
use super::run::{Run, RunState};
use super::{PgError, PgInput, Source, StreamInfo};
use crate::interface::{Framing, InterfaceError, InterfaceEvent, Interfaces, SwIfIndex};
use crate::pg::definition;
use crate::pg::port::{Offloads, Port, PortMode, PortOptions, Ports};
use barrow_core::timer::Interval;
use barrow_engine::cli::Args;
use barrow_engine::{Control, NodeId, UNSET};
use std::cell::{Ref, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// The interface of streams that name none. VPP shows this number as -1.
const SHARED_PORT: u32 = u32::MAX;

struct Inner {
    control: Control,
    interfaces: Interfaces,
    ports: Ports,
    input: NodeId,
    /// The lowest free place is taken first.
    streams: RefCell<Vec<Option<Stream>>>,
}

/// The packet generator; a cheap handle, main thread only.
#[derive(Clone)]
pub struct PacketGenerator(Rc<Inner>);

impl PacketGenerator {
    pub(in crate::pg) fn new(
        control: Control,
        interfaces: Interfaces,
        ports: Ports,
        input: NodeId,
    ) -> Self {
        let streams = RefCell::default();
        Self(Rc::new(Inner {
            control,
            interfaces,
            ports,
            input,
            streams,
        }))
    }

    pub(in crate::pg) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    pub(in crate::pg) fn interfaces(&self) -> &Interfaces {
        &self.0.interfaces
    }

    pub(in crate::pg) fn control(&self) -> &Control {
        &self.0.control
    }

    /// Makes the interface `pgN`, or gives the one there is.
    ///
    /// # Errors
    /// What the table of interfaces refused.
    pub fn create_interface(
        &self,
        id: u32,
        options: &PortOptions,
    ) -> Result<SwIfIndex, InterfaceError> {
        self.0
            .ports
            .get_or_create(id, options)
            .map(|port| port.index)
    }

    /// Removes an interface, and the streams that use it.
    ///
    /// # Errors
    /// [`NoSuchInterface`](InterfaceError::NoSuchInterface), also for one of another kind.
    pub fn delete_interface(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        self.0.ports.delete(index)
    }

    /// Writes what an interface sends to a new file from now on, until so many packets are written or the
    /// capture is ended. A capture that runs is ended first.
    ///
    /// # Errors
    /// [`NotAPort`](PgError::NotAPort), [`Capture`](PgError::Capture); the running capture goes on then.
    pub fn capture(
        &self,
        index: SwIfIndex,
        path: &Path,
        count: Option<u64>,
    ) -> Result<(), PgError> {
        let port = self.port(index)?;
        Ok(self.0.ports.capture(&port, path, count)?)
    }

    /// Ends the capture of an interface; fine if there is none.
    ///
    /// # Errors
    /// [`NotAPort`](PgError::NotAPort).
    pub fn end_capture(&self, index: SwIfIndex) -> Result<(), PgError> {
        let port = self.port(index)?;
        self.0.ports.end_capture(&port);
        Ok(())
    }

    fn port(&self, index: SwIfIndex) -> Result<Port, PgError> {
        self.0.ports.by_index(index).ok_or(PgError::NotAPort)
    }

    /// Makes the stream that these words of `packet-generator new` describe. Lines may end with a backslash,
    /// as they do in scripts.
    ///
    /// # Errors
    /// See [`PgError`].
    pub fn define(&self, words: &str) -> Result<(), PgError> {
        // The last line's end may have been trimmed, but not its backslash.
        let words = words.trim_ascii_end();
        let words = words.strip_suffix('\\').unwrap_or(words);
        let words = words.replace("\\\r\n", "\n").replace("\\\n", "\n");
        let new = read_new(self, &mut Args::new(&words))?;
        self.add(new)
    }

    /// Makes a stream, off. One of the same name is stopped and goes.
    ///
    /// # Errors
    /// See [`PgError`].
    pub fn add(&self, new: NewStream) -> Result<(), PgError> {
        let inner = &self.0;
        let options = PortOptions {
            mode: PortMode::Ethernet,
            checksum_offload: new.marks.checksums != barrow_engine::PacketFlags::NONE,
            gso_size: new.marks.gso_size.map(u32::from),
            ..PortOptions::default()
        };
        let port = inner
            .ports
            .get_or_create(new.port.unwrap_or(SHARED_PORT), &options)?;
        inner.control.connect(inner.input, new.target.node)?;
        if let Some(name) = &new.name {
            // There may be none.
            self.remove(name).ok();
        }
        let workers = inner.control.thread_count() - 1;
        let worker = if (new.worker as usize) < workers {
            new.worker
        } else {
            0
        };
        let mut streams = inner.streams.borrow_mut();
        let slot = match streams.iter().position(Option::is_none) {
            Some(slot) => slot,
            None => {
                streams.push(None);
                streams.len() - 1
            }
        };
        let name = new.name.unwrap_or_else(|| format!("stream{slot}"));
        streams[slot] = Some(Stream {
            name: name.into(),
            source: new.source,
            definition: new.definition,
            limit: new.limit,
            rate: new.rate,
            maxframe: new.maxframe,
            worker,
            thread: if workers == 0 { 0 } else { 1 + worker as usize },
            port: port.id,
            rx: new.rx.unwrap_or(port.index),
            tx: new.tx,
            target: new.target,
            marks: new.marks,
            run: None,
            pacer: None,
        });
        Ok(())
    }

    /// Stops a stream and removes it.
    ///
    /// # Errors
    /// [`NoSuchStream`](PgError::NoSuchStream).
    pub fn remove(&self, name: &str) -> Result<(), PgError> {
        let slot = self.find(name)?;
        self.stop(slot);
        self.0.streams.borrow_mut()[slot] = None;
        Ok(())
    }

    /// Starts a stream from its first packet, and takes its interface up; fine if it is on.
    ///
    /// # Errors
    /// [`NoSuchStream`](PgError::NoSuchStream), or what the interface refused.
    pub fn enable(&self, name: &str) -> Result<(), PgError> {
        self.start(self.find(name)?)
    }

    /// Starts all streams that are off.
    ///
    /// # Errors
    /// What an interface refused; the other streams are started.
    pub fn enable_all(&self) -> Result<(), PgError> {
        let slots = self.slots();
        slots
            .into_iter()
            .map(|slot| self.start(slot))
            .fold(Ok(()), Result::and)
    }

    /// Stops a stream; fine if it is off.
    ///
    /// # Errors
    /// [`NoSuchStream`](PgError::NoSuchStream).
    pub fn disable(&self, name: &str) -> Result<(), PgError> {
        self.stop(self.find(name)?);
        Ok(())
    }

    /// Stops all streams.
    pub fn disable_all(&self) {
        self.slots().into_iter().for_each(|slot| self.stop(slot));
    }

    /// All streams, in the order of their places.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamInfo> {
        self.0
            .streams
            .borrow()
            .iter()
            .flatten()
            .map(Stream::info)
            .collect()
    }

    /// Waits until packets that streams had sent before are through the graphs of all threads they may
    /// have been handed to.
    pub async fn settle(&self) {
        if self.0.control.thread_count() > 1 {
            // In the turn that begins here a packet that was handed over is taken in and dispatched; that
            // turn is over when the next one begins.
            self.0.control.synchronize().await;
            self.0.control.synchronize().await;
        }
    }

    /// Changes a stream, also while it is on.
    ///
    /// # Errors
    /// See [`PgError`]; the stream is then unchanged.
    pub(in crate::pg) fn configure(&self, name: &str, changes: Changes) -> Result<(), PgError> {
        let slot = self.find(name)?;
        let flow = {
            let mut streams = self.0.streams.borrow_mut();
            let stream = streams[slot].as_mut().expect("found above");
            if let Some(sizes) = changes.sizes {
                let Some((text, start)) = &stream.definition else {
                    return Err(PgError::SizeOfReplay);
                };
                let program = definition::parse(text, *start, Some(sizes))?;
                stream.source = Source::Program(Arc::new(program));
            }
            stream.limit = changes.limit.unwrap_or(stream.limit);
            stream.rate = changes.rate.unwrap_or(stream.rate);
            stream.is_on().then(|| (stream.thread, stream.flow()))
        };
        if let Some((thread, flow)) = flow {
            let input = self.0.input;
            self.0.control.on_thread(thread, move |thread| {
                if let Some(node) = thread.node::<PgInput, _>(input) {
                    node.change(slot, flow);
                }
                thread.wake(input);
            });
            self.set_pacer(slot);
        }
        Ok(())
    }

    /// Removes streams whose interfaces are about to go.
    pub(in crate::pg) fn follow(&self, event: InterfaceEvent) {
        let InterfaceEvent::Deleting(gone) = event else {
            return;
        };
        for slot in self.slots() {
            let uses = self.stream(slot).is_some_and(|stream| {
                stream.rx == gone
                    || stream.tx == Some(gone)
                    || self
                        .0
                        .ports
                        .by_id(stream.port)
                        .is_some_and(|port| port.index == gone)
            });
            if uses {
                self.stop(slot);
                self.0.streams.borrow_mut()[slot] = None;
            }
        }
    }

    fn start(&self, slot: usize) -> Result<(), PgError> {
        let inner = &self.0;
        let port = match self.stream(slot) {
            Some(stream) if !stream.is_on() => inner.ports.by_id(stream.port),
            _ => return Ok(()),
        };
        if let Some(port) = port {
            inner.interfaces.set_admin(port.index, true)?;
        }
        // Looked at anew: what follows an interface may have changed the streams.
        let (thread, run) = {
            let mut streams = inner.streams.borrow_mut();
            let Some(stream) = streams.get_mut(slot).and_then(Option::as_mut) else {
                return Ok(());
            };
            let state = RunState::new();
            stream.run = Some(state.clone());
            let offloads = inner.ports.by_index(stream.rx).map(|port| port.offloads);
            let marker = Marker::new(
                stream.marks,
                offloads.unwrap_or(Offloads::None),
                &stream.target.name,
            );
            let run = Run {
                slot,
                state,
                flow: stream.flow(),
                maxframe: stream.maxframe,
                rx: stream.rx.0,
                tx: stream.tx.map_or(UNSET, |index| index.0),
                target: stream.target.node,
                arc: self.input_arc(stream),
                marker: marker.is_needed().then_some(marker),
                name: stream.name.clone(),
                target_name: stream.target.name.clone(),
                waited: None,
            };
            (stream.thread, run)
        };
        let input = inner.input;
        inner.control.on_thread(thread, move |thread| {
            if let Some(node) = thread.node::<PgInput, _>(input) {
                node.start(run);
            }
            thread.wake(input);
        });
        self.set_pacer(slot);
        Ok(())
    }

    fn stop(&self, slot: usize) {
        let inner = &self.0;
        let (thread, pacer) = {
            let mut streams = inner.streams.borrow_mut();
            let Some(stream) = streams.get_mut(slot).and_then(Option::as_mut) else {
                return;
            };
            if let Some(run) = &stream.run {
                run.stop();
            }
            (stream.thread, stream.pacer.take())
        };
        if let Some(pacer) = pacer {
            inner.control.spawner().remove(pacer);
        }
        // The node puts the run away.
        if let Some(interrupt) = inner.control.interrupt(thread, inner.input) {
            interrupt.raise();
        }
    }

    /// Has the node looked at as often as the stream's rate asks for.
    fn set_pacer(&self, slot: usize) {
        let spawner = self.0.control.spawner();
        let mut streams = self.0.streams.borrow_mut();
        let Some(stream) = streams.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        if let Some(former) = stream.pacer.take() {
            spawner.remove(former);
        }
        let interrupt = self.0.control.interrupt(stream.thread, self.0.input);
        let period = period(stream.rate, stream.maxframe);
        if let (Some(interrupt), Some(period), Some(run)) = (interrupt, period, stream.run.clone())
        {
            let mut ticks = Interval::new(spawner.timers(), period);
            stream.pacer = Some(spawner.spawn_named_task("pg-pace", async move {
                while run.is_running() {
                    ticks.tick().await;
                    interrupt.raise();
                }
            }));
        }
    }

    /// The arc that packets start when their target is what their interface's packets go to anyway.
    fn input_arc(&self, stream: &Stream) -> Option<barrow_engine::ArcHandle> {
        let framing = self.0.interfaces.hw_of(stream.rx)?.framing;
        let mode = match framing {
            Framing::Ethernet => PortMode::Ethernet,
            Framing::Ip4 => PortMode::Ip4,
            Framing::Ip6 => PortMode::Ip6,
        };
        let arc = self.0.control.arcs().handle("device-input").ok()?;
        (*stream.target.name == *mode.input_node()).then_some(arc)
    }

    fn find(&self, name: &str) -> Result<usize, PgError> {
        let streams = self.0.streams.borrow();
        let is_it = |stream: &Option<Stream>| stream.as_ref().is_some_and(|s| *s.name == *name);
        let slot = streams.iter().position(is_it);
        slot.ok_or_else(|| PgError::NoSuchStream(definition::quote(name)))
    }

    fn stream(&self, slot: usize) -> Option<Ref<'_, Stream>> {
        Ref::filter_map(self.0.streams.borrow(), |streams| {
            streams.get(slot)?.as_ref()
        })
        .ok()
    }

    fn slots(&self) -> Vec<usize> {
        let streams = self.0.streams.borrow();
        (0..streams.len())
            .filter(|slot| streams[*slot].is_some())
            .collect()
    }
}

impl std::fmt::Debug for PacketGenerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacketGenerator")
            .field("ports", &self.0.ports)
            .field("streams", &self.0.streams.borrow().len())
            .finish_non_exhaustive()
    }
}
