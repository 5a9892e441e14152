//! Nodes that the tests of the kernel are made of.
#![allow(dead_code, reason = "each test file uses some of them")]

use barrow_engine::{
    BufferExt, ErrorCounters, NextNodes, NoErrors, NoNext, PacketContext, PacketNode, Vector,
};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum Next {
    #[next_node = "a"]
    A,
    #[next_node = "forth"]
    Forth,
    #[next_node = "late"]
    Late,
}

/// Hands everything to one next node.
pub(crate) struct Choice(pub(crate) Next);

impl PacketNode for Choice {
    type NextNodes = Next;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        cx.trace_each(&mut vector, |packet| format!("{} bytes", packet.len()));
        cx.enqueue_all(vector, cx.next(self.0));
    }
}

#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum Nexts3 {
    #[next_node = "m0"]
    M0,
    #[next_node = "m1"]
    M1,
    #[next_node = "m2"]
    M2,
    #[next_node = "m3"]
    M3,
    #[next_node = "m4"]
    M4,
    #[next_node = "m5"]
    M5,
    #[next_node = "m6"]
    M6,
}

impl Nexts3 {
    pub(crate) const COUNT: usize = 7;
    const ALL: [Self; 7] = [
        Self::M0,
        Self::M1,
        Self::M2,
        Self::M3,
        Self::M4,
        Self::M5,
        Self::M6,
    ];
}

/// Hands packet number n to next node n modulo `classes`.
pub(crate) struct Alternate {
    pub(crate) classes: usize,
}

impl PacketNode for Alternate {
    type NextNodes = Nexts3;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        let nexts: Vec<_> = vector
            .packets()
            .map(|packet| {
                let number = u32::from_be_bytes(packet.read(0).expect("four bytes")) as usize;
                cx.next(Nexts3::ALL[number % self.classes])
            })
            .collect();
        cx.enqueue(vector, &nexts);
    }
}

#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum Again {
    #[next_node = "loop"]
    Loop,
    #[next_node = "back"]
    Back,
    #[next_node = "a"]
    Out,
}

/// Hands packets round until they came `rounds` times.
pub(crate) struct Counting {
    pub(crate) rounds: u32,
    pub(crate) via: &'static str,
}

impl PacketNode for Counting {
    type NextNodes = Again;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        let again = cx.next(if self.via == "loop" {
            Again::Loop
        } else {
            Again::Back
        });
        let out = cx.next(Again::Out);
        for mut buffer in vector.drain() {
            let mut packet = buffer.packet();
            packet.opaque[0] += 1;
            let next = if packet.opaque[0] < self.rounds {
                again
            } else {
                out
            };
            cx.push(buffer, next);
        }
    }
}

/// Does nothing with its packets.
pub(crate) struct Lazy;

impl PacketNode for Lazy {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, _: &mut PacketContext<'_, Self>, _: Vector<'_>) {}
}

pub(crate) struct Panics;

impl PacketNode for Panics {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, _: &mut PacketContext<'_, Self>, _: Vector<'_>) {
        std::panic::resume_unwind(Box::new("as the test asked"));
    }
}

/// Counts and frees.
pub(crate) struct Tally(pub(crate) Arc<Mutex<usize>>);

impl PacketNode for Tally {
    type NextNodes = NoNext;
    type Errors = NoErrors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, vector: Vector<'_>) {
        *self.0.lock().expect("nobody panicked") += vector.len();
        cx.free(vector);
    }
}

#[derive(Clone, Copy, Debug, ErrorCounters)]
pub(crate) enum Why {
    #[error_counter(name = "first_reason", description = "the first reason", severity = ERROR)]
    First,
    #[error_counter(name = "second_reason", description = "the second reason", severity = ERROR)]
    Second,
}

#[derive(Clone, Copy, Debug, NextNodes)]
pub(crate) enum DropNext {
    #[next_node = "error-drop"]
    Drop,
}

/// Drops everything, for a reason.
pub(crate) struct Drops(pub(crate) Why);

impl PacketNode for Drops {
    type NextNodes = DropNext;
    type Errors = Why;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        for mut packet in vector.packets() {
            cx.error(&mut packet, self.0);
        }
        cx.enqueue_all(vector, cx.next(DropNext::Drop));
    }
}
