//! Streams as `show packet-generator` lists them.

use super::StreamInfo;

/// The line above the streams.
pub(in crate::pg) fn heading() -> String {
    row("Name", "Enabled", "Count") + "Parameters"
}

/// One stream, and with `verbose` a line for each of its headers.
pub(in crate::pg) fn line(stream: &StreamInfo, buffer_size: usize, verbose: bool) -> String {
    let enabled = if stream.enabled { "Yes" } else { "No" };
    let head = row(&stream.name, enabled, &stream.sent.to_string());
    let sign = if stream.sizes.random { '+' } else { '-' };
    let (min, max) = (stream.sizes.min, stream.sizes.max);
    let mut text = format!(
        "{head}limit {}, rate {:.2e} pps, size {min}{sign}{max}, buffer-size {buffer_size}, worker {}, ",
        stream.limit, stream.rate, stream.worker
    );
    if verbose {
        let indent = head.chars().count();
        for layer in &stream.layers {
            let (len, offset) = (layer.len, layer.offset);
            text.push_str(&format!(
                "\n{:indent$}hdr-size {len}, offset {offset}, ",
                ""
            ));
            if let Some(name) = layer.edit_function {
                text.push_str(&format!("edit-function {name}, "));
            }
        }
    }
    text
}

/// Three columns: left, and twice centred with the odd blank in front.
fn row(name: &str, enabled: &str, count: &str) -> String {
    format!("{name:<16}{}{}", centred(enabled, 12), centred(count, 16))
}

fn centred(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.len());
    let before = blanks.div_ceil(2);
    format!("{:before$}{text}{:after$}", "", "", after = blanks - before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::definition::{Layer, Sizes};

    #[test]
    fn a_stream_is_listed_as_vpp_lists_it() {
        assert_eq!(
            heading(),
            "Name               Enabled        Count     Parameters"
        );
        let layer = |len, offset, edit_function| Layer {
            offset,
            len,
            edit_function,
        };
        let stream = StreamInfo {
            name: "s1".into(),
            enabled: false,
            sent: 0,
            limit: 3,
            rate: 0.0,
            sizes: Sizes {
                min: 100,
                max: 100,
                random: false,
            },
            worker: 0,
            layers: vec![
                layer(14, 0, None),
                layer(8, 34, Some("udp_pg_edit_function")),
            ],
        };
        assert_eq!(
            line(&stream, 2048, true),
            "s1                   No             0       limit 3, rate 0.00e0 pps, size 100-100, \
             buffer-size 2048, worker 0, \n\
             \x20                                           hdr-size 14, offset 0, \n\
             \x20                                           hdr-size 8, offset 34, edit-function \
             udp_pg_edit_function, "
        );
    }
}
