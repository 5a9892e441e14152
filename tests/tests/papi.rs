//! `vpp_papi`, unmodified, against the built node.

use barrow_tests::{Node, Skip, definitions, script, skip};

/// Runs a test that may have to skip itself.
fn with_node(test: impl FnOnce(&Node) -> Result<(), Skip>) {
    let outcome = Node::builder().start().and_then(|node| test(&node));
    if let Err(Skip(why)) = outcome {
        skip(why);
    }
}

fn text(path: &std::path::Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn packets_pass_a_node_that_papi_has_configured() {
    with_node(|node| {
        let (socket, api) = (text(&node.api_socket()), text(&definitions(node)?));
        let ran = script("forwarding.py", &[&socket, &api, &text(node.folder())])?;
        assert!(ran.expect_success().contains("ok"));
        Ok(())
    });
}

#[test]
fn a_client_needs_no_file_and_gets_vpps_error_numbers() {
    with_node(|node| {
        let ran = script("bootstrap.py", &[&text(&node.api_socket())])?;
        assert!(ran.expect_success().contains("ok"));
        Ok(())
    });
}

#[test]
fn papis_statistics_client_reads_the_segment() {
    with_node(|node| {
        let (stats, api) = (text(&node.stats_socket()), text(&node.api_socket()));
        let ran = script("stats.py", &[&stats, &api])?;
        assert!(ran.expect_success().contains("ok"));
        Ok(())
    });
}

#[test]
fn the_asyncio_client_has_many_requests_in_flight() {
    with_node(|node| {
        let ran = script("asynchronous.py", &[&text(&node.api_socket())])?;
        assert!(ran.expect_success().contains("ok"));
        Ok(())
    });
}
