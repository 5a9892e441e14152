//! The queues of one device: which threads serve the receive queues and use the transmit queues.

use super::{DeviceInput, DeviceTx, FrameSink, FrameSource, QueueModes, RxQueue};
use crate::interface::{InterfaceError, RxMode, SwIfIndex};
use barrow_engine::log::Class;
use barrow_engine::{Control, NodeId, Watch};
use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

/// What the queues of all devices of a kind share.
#[derive(Clone)]
pub(crate) struct QueueContext {
    pub(crate) control: Control,
    /// The input node of the kind.
    pub(crate) input: NodeId,
    pub(crate) modes: QueueModes,
    pub(crate) log: Class,
}

impl QueueContext {
    pub(crate) fn new(control: Control, input: NodeId, log: Class) -> Self {
        let modes = QueueModes::new(control.clone(), input);
        Self {
            control,
            input,
            modes,
            log,
        }
    }

    /// Spreads `queues` over the workers, or gives them all to main where there is none; `others` devices
    /// have been spread before.
    pub(crate) fn spread(&self, queues: usize, others: usize) -> Vec<usize> {
        let workers = self.control.thread_count() - 1;
        let thread = |queue| match workers {
            0 => 0,
            workers => 1 + (others + queue) % workers,
        };
        (0..queues).map(thread).collect()
    }

    /// The threads that use each of so many transmit queues at the beginning.
    pub(crate) fn users(&self, queues: usize) -> Vec<Vec<usize>> {
        let all = 0..self.control.thread_count();
        let of = |queue| all.clone().filter(move |thread| thread % queues == queue);
        (0..queues).map(|queue| of(queue).collect()).collect()
    }
}

/// Where a receive queue is served, and the watch that wakes its node; none while the queue moves.
struct Served {
    thread: usize,
    watch: Option<Watch>,
}

struct State<S> {
    interface: SwIfIndex,
    tx_node: Option<NodeId>,
    served: Vec<Served>,
    /// The device's end of each transmit queue, and the threads that use it.
    sinks: Vec<(S, Vec<usize>)>,
    /// Counts the times that the device was opened anew: a queue of an earlier time is of no use.
    times: u32,
    closed: bool,
}

/// The queues of one device; a cheap handle, main thread only.
pub(crate) struct DeviceQueues<R, S> {
    context: QueueContext,
    state: Rc<RefCell<State<S>>>,
    source: std::marker::PhantomData<fn() -> R>,
}

impl<R, S> Clone for DeviceQueues<R, S> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            state: Rc::clone(&self.state),
            source: self.source,
        }
    }
}

impl<R: FrameSource + AsFd, S: FrameSink + Clone> DeviceQueues<R, S> {
    /// Queues that nothing is received by yet.
    pub(crate) fn new(context: &QueueContext, sinks: Vec<S>) -> Self {
        let users = context.users(sinks.len());
        let state = State {
            interface: SwIfIndex::NONE,
            tx_node: None,
            served: Vec::new(),
            sinks: sinks.into_iter().zip(users).collect(),
            times: 0,
            closed: false,
        };
        Self {
            context: context.clone(),
            state: Rc::new(RefCell::new(state)),
            source: std::marker::PhantomData,
        }
    }

    /// The interface, once it has its number.
    pub(crate) fn interface(&self) -> SwIfIndex {
        self.state.borrow().interface
    }

    /// Threads that serve the receive queues.
    pub(crate) fn threads(&self) -> Vec<usize> {
        let state = self.state.borrow();
        state.served.iter().map(|served| served.thread).collect()
    }

    /// Begins to receive, once the interface has its number; queue `n` on `threads[n]`.
    ///
    /// # Errors
    /// When a queue cannot be watched.
    pub(crate) fn serve(
        &self,
        interface: SwIfIndex,
        tx_node: NodeId,
        sources: Vec<R>,
        threads: &[usize],
        mode: RxMode,
    ) -> io::Result<()> {
        {
            let state = &mut *self.state.borrow_mut();
            state.interface = interface;
            state.tx_node = Some(tx_node);
        }
        for (number, (source, thread)) in (0..).zip(sources.into_iter().zip(threads)) {
            let watch = self.start(number, source, *thread)?;
            let served = Served {
                thread: *thread,
                watch: Some(watch),
            };
            self.state.borrow_mut().served.push(served);
            self.context.modes.note(interface, number, *thread, mode);
        }
        Ok(())
    }

    /// Goes on with other ends of the same queues, on the threads that they are on: the device was
    /// opened anew.
    ///
    /// # Errors
    /// When a queue cannot be watched.
    pub(crate) fn replace(&self, sources: Vec<R>, sinks: Vec<S>) -> io::Result<()> {
        self.stop();
        let threads = self.threads();
        for (number, (source, thread)) in (0..).zip(sources.into_iter().zip(threads)) {
            let watch = self.start(number, source, thread)?;
            self.state.borrow_mut().served[number as usize].watch = Some(watch);
        }
        {
            let state = &mut *self.state.borrow_mut();
            for (held, sink) in state.sinks.iter_mut().zip(sinks) {
                held.0 = sink;
            }
        }
        self.assign();
        Ok(())
    }

    /// Changes how a receive queue is served.
    pub(crate) fn set_mode(&self, queue: u32, mode: RxMode) -> Result<(), InterfaceError> {
        let state = self.state.borrow();
        let served = state.served.get(queue as usize);
        let thread = served.ok_or(InterfaceError::NoSuchQueue)?.thread;
        self.context
            .modes
            .note(state.interface, queue, thread, mode);
        Ok(())
    }

    /// Moves a receive queue. It leaves its thread, which then sends on what it has, before another gets it: no two
    /// threads read it, and nothing is reordered.
    pub(crate) fn place_rx(&self, queue: u32, thread: usize) -> Result<(), InterfaceError> {
        let context = &self.context;
        if thread >= context.control.thread_count() {
            return Err(InterfaceError::NoSuchWorker);
        }
        let (interface, from, times) = {
            let state = &mut *self.state.borrow_mut();
            let served = state.served.get_mut(queue as usize);
            let served = served.ok_or(InterfaceError::NoSuchQueue)?;
            drop(served.watch.take());
            let from = std::mem::replace(&mut served.thread, thread);
            (state.interface, from, state.times)
        };
        let mode = context.modes.of(interface, queue);
        context.modes.note(interface, queue, thread, mode);
        let input = context.input;
        let taken = context.control.call(from, move |packets| {
            packets
                .node::<DeviceInput<R>, _>(input)?
                .take(interface, queue)
        });
        let own = self.clone();
        context.control.spawner().spawn_task(async move {
            // Not there: an earlier move is under way, and ends at the thread noted above.
            if let Ok(Some(queue)) = taken.await {
                own.drained(from).await;
                own.resume(queue, times);
            }
        });
        Ok(())
    }

    /// Waits until a thread has sent on what it received before: the thread that gets the queue must not overtake it.
    /// One that is never found idle, because of its other queues, has long done so.
    async fn drained(&self, thread: usize) {
        const LOOKS: usize = 64;
        for _ in 0..LOOKS {
            let waiting = self
                .context
                .control
                .call(thread, |packets| packets.waiting());
            if !matches!(waiting.await, Ok(1..)) {
                return;
            }
        }
    }

    /// Lets these threads, and no others, send by a transmit queue. A thread without a queue drops what it
    /// is to send; one with several uses the first.
    pub(crate) fn place_tx(&self, queue: u32, threads: &[usize]) -> Result<(), InterfaceError> {
        {
            let state = &mut *self.state.borrow_mut();
            let held = state.sinks.get_mut(queue as usize);
            threads.clone_into(&mut held.ok_or(InterfaceError::NoSuchQueue)?.1);
        }
        self.assign();
        Ok(())
    }

    /// The transmit queue of a thread.
    pub(crate) fn sink_of(&self, thread: usize) -> Option<S> {
        let state = self.state.borrow();
        let mut sinks = state.sinks.iter();
        let held = sinks.find(|(_, threads)| threads.contains(&thread));
        held.map(|(sink, _)| sink.clone())
    }

    /// Receives nothing any more.
    pub(crate) fn close(&self) {
        self.stop();
        self.state.borrow_mut().closed = true;
        self.context.modes.forget(self.interface());
    }

    /// Gives every thread its transmit queue.
    fn assign(&self) {
        let Some(node) = self.state.borrow().tx_node else {
            return;
        };
        for thread in 0..self.context.control.thread_count() {
            let sink = self.sink_of(thread);
            self.context
                .control
                .with_node(thread, node, move |node: &mut DeviceTx<S>| {
                    node.set_sink(sink);
                });
        }
    }

    /// Takes the receive queues off their threads, to be closed there.
    fn stop(&self) {
        let state = &mut *self.state.borrow_mut();
        state.times += 1;
        let interface = state.interface;
        for (number, served) in (0..).zip(&mut state.served) {
            drop(served.watch.take());
            self.context.control.with_node(
                served.thread,
                self.context.input,
                move |node: &mut DeviceInput<R>| drop(node.take(interface, number)),
            );
        }
    }

    /// Gives a queue to a thread, then lets it look at the queue once, and at each arrival.
    fn start(&self, queue: u32, source: R, thread: usize) -> io::Result<Watch> {
        let descriptor = source.as_fd().try_clone_to_owned()?;
        let queue = RxQueue {
            interface: self.interface(),
            queue,
            source,
        };
        self.context.control.with_node(
            thread,
            self.context.input,
            move |node: &mut DeviceInput<R>| node.add(queue),
        );
        self.context
            .control
            .watch_fd(thread, descriptor, self.context.input)
    }

    /// Takes up a queue that has left its thread.
    fn resume(&self, queue: RxQueue<R>, times: u32) {
        let number = queue.queue;
        let thread = {
            let state = self.state.borrow();
            match state.served.get(number as usize) {
                Some(served) if !state.closed && state.times == times => served.thread,
                _ => return,
            }
        };
        match self.start(number, queue.source, thread) {
            Ok(watch) => {
                self.state.borrow_mut().served[number as usize].watch = Some(watch);
            }
            Err(error) => self
                .context
                .log
                .error(format_args!("queue {number}: {error}")),
        }
    }
}
