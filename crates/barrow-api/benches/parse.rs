//! Reading a large interface file, as text and as JSON.

use barrow_api::{NoImports, json, parse, resolve};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;

/// As large as VPP's largest: 200 requests over 50 types.
fn text() -> String {
    let mut text = String::from("option version = \"1.0.0\";\n");
    for i in 0..50 {
        let _ = write!(
            text,
            "enum kind_{i} : u8 {{ KIND_{i}_A, KIND_{i}_B = 7, }};
             typedef item_{i} {{ u32 id; vl_api_kind_{i}_t kind; u8 key[16]; }};\n"
        );
    }
    for i in 0..200 {
        let ty = i % 50;
        let _ = write!(
            text,
            "/** \\brief Sets item {i}. @param is_add - whether to add it */
             autoreply define item_{i}_set {{
                u32 client_index; u32 context; bool is_add [default=true];
                string tag[64]; u8 count; vl_api_item_{ty}_t items[count];
             }};\n"
        );
    }
    text
}

fn reading(c: &mut Criterion) {
    let text = text();
    let schema = resolve(&parse(&text).expect("generated text"), &NoImports).expect("resolves");
    let json = json::to_string(&schema);

    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| parse(black_box(&text))));
    group.bench_function("parse and resolve", |b| {
        b.iter(|| {
            resolve(
                &parse(black_box(&text)).expect("generated text"),
                &NoImports,
            )
        });
    });
    group.finish();

    let mut group = c.benchmark_group("json");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read", |b| b.iter(|| json::read(black_box(&json))));
    group.bench_function("write", |b| b.iter(|| json::to_string(black_box(&schema))));
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
