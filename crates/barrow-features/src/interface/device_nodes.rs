//! The graph's side of an interface: its two nodes, its counters, its place on the arcs.

use super::output::InterfaceOutput;
use super::{Capabilities, InterfaceCounters, InterfaceError, InterfaceWords, SwIfIndex};
use barrow_engine::{
    ArcHandle, Control, NodeError, NodeId, NodeOptions, NodeThread, PacketNode, Role,
};

/// Makes and removes what the graph holds of an interface.
pub(super) struct DeviceNodes {
    control: Control,
    arc: ArcHandle,
    words: InterfaceWords,
    counters: InterfaceCounters,
}

impl DeviceNodes {
    /// `arc` is `interface-output`.
    pub(super) fn new(
        control: Control,
        arc: ArcHandle,
        words: InterfaceWords,
        counters: InterfaceCounters,
    ) -> Self {
        Self {
            control,
            arc,
            words,
            counters,
        }
    }

    /// Threads that carry packets; the main thread is the first.
    pub(super) fn threads(&self) -> usize {
        self.control.thread_count()
    }

    /// Adds `NAME-tx` and `NAME-output` and gives them in this order.
    pub(super) fn create<N: PacketNode>(
        &self,
        name: &str,
        index: SwIfIndex,
        capabilities: Capabilities,
        make_tx: impl Fn(NodeThread, SwIfIndex) -> N + 'static,
    ) -> Result<(NodeId, NodeId), InterfaceError> {
        self.count(index)?;
        let options = NodeOptions::new(format!("{name}-tx")).role(Role::Output);
        let tx = self
            .control
            .add_node(options, move |thread| make_tx(thread, index))
            .map_err(refused)?;
        let (arc, words, counters) = (self.arc, self.words.clone(), self.counters.clone());
        let output = self
            .control
            .add_node(format!("{name}-output"), move |thread: NodeThread| {
                let rows = counters
                    .rows(thread.thread)
                    .expect("every thread has its rows");
                InterfaceOutput::new(index, tx, capabilities, arc, words.clone(), rows)
            });
        let output = output.map_err(refused);
        output
            .and_then(|output| self.join(index, output, tx).map(|()| (tx, output)))
            .inspect_err(|_| {
                // Whatever the graph says of a node that it has just made, the first error is reported.
                drop(self.control.remove_node(tx));
            })
    }

    /// Leads from the output node, over the arc, to the device.
    fn join(&self, index: SwIfIndex, output: NodeId, tx: NodeId) -> Result<(), InterfaceError> {
        self.control.connect(output, tx).map_err(refused)?;
        let end = self
            .control
            .arcs()
            .set_end("interface-output", index.0, Some(tx));
        end.map_err(|_| InterfaceError::TooMany)
    }

    /// Makes room for the counters of an interface, at 0.
    pub(super) fn count(&self, index: SwIfIndex) -> Result<(), InterfaceError> {
        self.counters
            .ensure(index)
            .map_err(|_| InterfaceError::TooMany)
    }

    /// Gives the two nodes of a device the names that go with another name of it.
    pub(super) fn rename(
        &self,
        output: NodeId,
        tx: NodeId,
        name: &str,
    ) -> Result<(), InterfaceError> {
        let former = self.control.node_name(output);
        self.control
            .rename_node(output, &format!("{name}-output"))
            .map_err(refused)?;
        let renamed = self.control.rename_node(tx, &format!("{name}-tx"));
        renamed.map_err(refused).inspect_err(|_| {
            // The former name is free, so that this cannot fail.
            drop(self.control.rename_node(output, &former));
        })
    }

    /// Removes the two nodes of a device.
    pub(super) fn remove(&self, output: NodeId, tx: NodeId) {
        for node in [output, tx] {
            if let Err(error) = self.control.remove_node(node) {
                debug_assert!(
                    false,
                    "a device's node is there until the device goes: {error}"
                );
            }
        }
    }

    /// Takes an interface off all arcs.
    pub(super) fn forget(&self, index: SwIfIndex) {
        self.control.arcs().forget_interface(index.0);
    }
}

fn refused(error: NodeError) -> InterfaceError {
    match error {
        NodeError::Duplicate(_) => InterfaceError::AlreadyExists,
        _ => InterfaceError::TooMany,
    }
}
