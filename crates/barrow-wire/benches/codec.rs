//! Encoding, decoding and framing of a message the size of a route update.

use barrow_wire::frame::{self, FrameDecoder};
use barrow_wire::{Decode, Encode, FixedString, Header, HeaderKind, Message, decode_message};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

#[derive(Encode, Decode, Clone, Debug, Default, PartialEq)]
struct Path {
    sw_if_index: u32,
    table_id: u32,
    weight: u8,
    preference: u8,
    address: [u8; 16],
    labels: [(u8, u32); 4],
}

#[derive(Encode, Decode, Clone, Debug, Default, PartialEq)]
struct RouteUpdate {
    is_add: bool,
    table_id: u32,
    prefix: ([u8; 16], u8),
    name: FixedString<32>,
    #[wire(count = u8)]
    paths: Vec<Path>,
}

impl Message for RouteUpdate {
    const NAME: &'static str = "route_update";
    const CRC: u32 = 0x0102_0304;
    const NAME_CRC: &'static str = "route_update_01020304";
    const MODULE: &'static str = "bench";
    const HEADER: HeaderKind = HeaderKind::Request;
}

fn codec(c: &mut Criterion) {
    let message = RouteUpdate {
        paths: vec![Path::default(); 2],
        ..RouteUpdate::default()
    };
    let header = Header {
        id: 300,
        client_index: 1,
        context: 2,
    };
    let mut frame = Vec::new();
    frame::encode(header, &message, &mut frame).expect("two paths can be counted");

    let mut group = c.benchmark_group("route_update");
    group.throughput(Throughput::Bytes(frame.len() as u64));
    let mut out = Vec::with_capacity(frame.len());
    group.bench_function("encode frame", |b| {
        b.iter(|| {
            out.clear();
            frame::encode(header, black_box(&message), &mut out)
        });
    });
    group.bench_function("decode message", |b| {
        b.iter(|| decode_message::<RouteUpdate>(black_box(&frame[frame::HEADER_LEN..])));
    });
    group.finish();
}

fn framing(c: &mut Criterion) {
    let mut stream = Vec::new();
    for _ in 0..1000 {
        frame::append(&[1; 10], &mut stream).expect("short");
    }
    let mut group = c.benchmark_group("framing");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 pings in reads of 4096", |b| {
        let mut decoder = FrameDecoder::default();
        b.iter(|| {
            let mut found = 0;
            for read in stream.chunks(4096) {
                decoder.push(read);
                while let Some(message) = decoder.next_message().expect("well-formed") {
                    found += black_box(message).len();
                }
            }
            found
        });
    });
    group.finish();
}

criterion_group!(benches, codec, framing);
criterion_main!(benches);
