//! A node without servers, threads or a running clock: for tests of nodes and features.
//!
//! A [`Testbed`] is the real engine (the same assembly, graph, arcs, rings, counters) whose threads are
//! schedulers that the test turns one after the other, on a clock that the test moves. Packets are put
//! into any node; what reaches a [sink](Testbed::take) is there to look at. Next nodes that no feature has
//! registered become sinks by themselves.
//!
//! ```
//! use barrow_engine::testing::{TestPacket, Testbed};
//! use barrow_engine::{NextNodes, NoErrors, PacketContext, PacketNode, Vector};
//!
//! #[derive(Clone, Copy, NextNodes)]
//! enum Next {
//!     #[next_node = "out"]
//!     Out,
//! }
//!
//! /// Takes the first byte off.
//! struct Behead;
//! impl PacketNode for Behead {
//!     type NextNodes = Next;
//!     type Errors = NoErrors;
//!     fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
//!         vector.packets().for_each(|mut packet| packet.advance(1));
//!         cx.enqueue_all(vector, cx.next(Next::Out));
//!     }
//! }
//!
//! let mut bed = Testbed::with(|engine| {
//!     engine.node("behead", |_| Behead)?;
//!     Ok(())
//! });
//! bed.inject("behead", TestPacket::new(b"abc"));
//! bed.run();
//! assert_eq!(bed.take("out")[0].bytes, b"bc");
//! bed.assert_conserved();
//! ```

mod bed;
mod client;
mod packet;
mod sink;

pub use bed::{Testbed, TestbedBuilder};
pub use client::{Ran, TestClient};
pub use packet::TestPacket;
pub use sink::Captured;
