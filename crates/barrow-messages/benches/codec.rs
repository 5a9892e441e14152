//! A route of two paths: through its generated type, and through the dynamic codec.

use std::hint::black_box;
use std::net::Ipv4Addr;

use barrow_messages::dynamic::{Codec, JsonRules};
use barrow_messages::fib_types::FibPath;
use barrow_messages::ip::IpRouteAddDel;
use barrow_messages::ip_types::Prefix;
use barrow_wire::{Header, decode_message, encode_message};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NAME: &str = "ip_route_add_del";

fn route() -> IpRouteAddDel {
    let mut message = IpRouteAddDel::default();
    message.route.prefix = Prefix::new(Ipv4Addr::new(198, 51, 100, 0), 24).expect("24 is short");
    for last in 1..=2 {
        let mut path = FibPath {
            weight: 1,
            ..FibPath::default()
        };
        path.nh.address = Ipv4Addr::new(10, 0, 0, last).into();
        message.route.paths.push(path);
    }
    message
}

fn codec(c: &mut Criterion) {
    let message = route();
    let header = Header {
        id: 1000,
        client_index: 1,
        context: 2,
    };
    let mut bytes = Vec::new();
    encode_message(header, &message, &mut bytes).expect("two paths can be counted");
    let codec = Codec::of_this_crate();
    let dynamic = codec.decode(NAME, &bytes).expect("just encoded");
    let json = codec.to_json(&dynamic).expect("just decoded");

    let mut group = c.benchmark_group("route");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    let mut out = Vec::with_capacity(bytes.len());
    group.bench_function("generated/encode", |b| {
        b.iter(|| {
            out.clear();
            encode_message(header, black_box(&message), &mut out)
        });
    });
    group.bench_function("generated/decode", |b| {
        b.iter(|| decode_message::<IpRouteAddDel>(black_box(&bytes)));
    });
    group.bench_function("dynamic/encode", |b| {
        b.iter(|| codec.encode(black_box(&dynamic)))
    });
    group.bench_function("dynamic/decode", |b| {
        b.iter(|| codec.decode(NAME, black_box(&bytes)))
    });
    group.bench_function("dynamic/to_json", |b| {
        b.iter(|| codec.to_json(black_box(&dynamic)))
    });
    group.bench_function("dynamic/from_json", |b| {
        b.iter(|| codec.from_json(black_box(&json), JsonRules::REPLAY));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
