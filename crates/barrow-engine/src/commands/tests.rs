use crate::cli::{CliSession, Macros, SessionSettings, execute};
use crate::testing::{TestPacket, Testbed};
use crate::{ErrorCounters, NextNodes, PacketContext, PacketNode, Vector};
use std::rc::Rc;

#[derive(Clone, Copy, NextNodes)]
enum Next {
    #[next_node = "error-drop"]
    Drop,
}

#[derive(Clone, Copy, ErrorCounters)]
enum Errors {
    #[error_counter(name = "too_dull", description = "packet is too dull", severity = WARN)]
    Dull,
}

struct Drops;

impl PacketNode for Drops {
    type NextNodes = Next;
    type Errors = Errors;
    fn dispatch(&mut self, cx: &mut PacketContext<'_, Self>, mut vector: Vector<'_>) {
        vector
            .packets()
            .for_each(|mut packet| cx.error(&mut packet, Errors::Dull));
        cx.enqueue_all(vector, cx.next(Next::Drop));
    }
}

fn bed() -> Testbed {
    let mut bed = Testbed::with(|engine| {
        engine.node("drops", |_| Drops)?;
        Ok(())
    });
    bed.inject_all("drops", (0..3).map(|i| TestPacket::new([i])));
    bed.run();
    bed
}

/// What a command prints, or its error.
fn run(bed: &mut Testbed, command: &str) -> Result<String, String> {
    let settings = Rc::<SessionSettings>::default();
    let session = CliSession::program_session("test", settings, Rc::<Macros>::default());
    let (cli, line) = (bed.cli().clone(), command.to_owned());
    let result = Rc::new(std::cell::RefCell::new(None));
    let (answer, ran) = (result.clone(), session.clone());
    bed.control().spawner().spawn_task(async move {
        let outcome = execute(&cli, &ran, &line).await;
        *answer.borrow_mut() = Some(outcome);
    });
    bed.run();
    let outcome = result.take().expect("the command has ended");
    outcome.map_err(|error| error.to_string())?;
    Ok(session.output().take().to_string())
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split_ascii_whitespace().collect())
        .collect()
}

#[test]
fn errors_are_listed_by_node_and_reason_and_cleared() {
    let mut bed = bed();
    let text = run(&mut bed, "show errors").unwrap();
    let lines = words(&text);
    assert_eq!(lines[0], ["Count", "Node", "Reason", "Severity"]);
    assert_eq!(
        lines[1],
        ["3", "drops", "packet", "is", "too", "dull", "warn"]
    );
    assert_eq!(run(&mut bed, "show node counters").unwrap(), text);
    let verbose = run(&mut bed, "sh err verbose").unwrap();
    assert!(
        verbose.contains("Thread 0 (vpp_main ):") && verbose.contains("Total:"),
        "{verbose}"
    );
    run(&mut bed, "clear errors").unwrap();
    assert_eq!(words(&run(&mut bed, "show errors").unwrap()).len(), 1);
}

#[test]
fn runtime_lists_what_ran_with_its_means_and_is_cleared() {
    let mut bed = bed();
    let text = run(&mut bed, "show runtime").unwrap();
    let lines = words(&text);
    assert_eq!(lines[0][0], "Time");
    assert_eq!(lines[1][..3], ["vector", "rates", "in"]);
    let heading = [
        "Name",
        "State",
        "Calls",
        "Vectors",
        "Suspends",
        "Vectors/Call",
    ];
    assert!(heading.iter().all(|word| lines[2].contains(word)), "{text}");
    let drops = lines.iter().find(|line| line[0] == "drops").unwrap();
    assert_eq!(drops[1..5], ["active", "1", "3", "0"]);
    assert_eq!(drops[6], "3.00");
    assert!(
        !text.contains("\npunt "),
        "nodes that did nothing are left out: {text}"
    );
    assert!(
        run(&mut bed, "show runtime verbose")
            .unwrap()
            .contains("\npunt ")
    );
    let one = run(&mut bed, "show runtime drops max").unwrap();
    assert_eq!(one.lines().count(), 2, "{one}");
    assert_eq!(
        run(&mut bed, "show runtime summary")
            .unwrap()
            .lines()
            .count(),
        2
    );
    assert!(run(&mut bed, "show runtime nobody").is_err());
    run(&mut bed, "clear runtime").unwrap();
    assert!(!run(&mut bed, "show runtime").unwrap().contains("\ndrops "));
}

#[test]
fn a_node_is_shown_with_its_neighbours_and_what_it_sent_them() {
    let mut bed = bed();
    let text = run(&mut bed, "show node drops").unwrap();
    let index = bed.node("drops").index();
    let first = format!("node drops, type internal, state active, index {index}");
    assert_eq!(text.lines().next(), Some(&*first));
    assert!(
        words(&text).contains(&vec!["0", "1", "error-drop", "3"]),
        "{text}"
    );
    assert_eq!(
        run(&mut bed, &format!("show node index {index}")).unwrap(),
        text
    );
    let drop = run(&mut bed, "show node error-drop").unwrap();
    assert!(drop.contains(&format!("drops ({index})")), "{drop}");
    assert!(run(&mut bed, "show node nobody").is_err());
    let graph = run(&mut bed, "show vlib graph drops").unwrap();
    assert_eq!(words(&graph)[1], ["drops", "error-drop", "[0]"]);
    let picture = run(&mut bed, "show vlib graphviz").unwrap();
    assert!(
        picture.contains(&format!("n{index} -> n1 [label=\"3\"];")),
        "{picture}"
    );
}

#[test]
fn buffers_are_counted() {
    let mut bed = bed();
    let lines = run(&mut bed, "show buffers").unwrap();
    let lines = words(&lines);
    assert_eq!(lines[0][..2], ["Pool", "Name"]);
    assert_eq!(lines[1][0], "default-numa-0");
    assert_eq!(lines[1].last(), Some(&"0"), "none is in use");
}

#[test]
fn processes_are_listed_with_what_they_do_and_where_they_come_from() {
    let mut bed = bed();
    let text = run(&mut bed, "show processes node-supervisor verbose").unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("Name "), "{text}");
    let row: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(row[..3], ["node-supervisor", "waiting", "1"], "{text}");
    assert_eq!(row.last(), Some(&"event"), "{text}");
    assert!(
        lines[2].contains("registered at ") && lines[2].contains("assembly.rs:"),
        "{text}"
    );
    assert_eq!(lines.len(), 3, "{text}");
    let all = run(&mut bed, "show processes").unwrap();
    assert!(all.contains("statseg-collector-process"), "{all}");
    let node = run(&mut bed, "show node node-supervisor").unwrap();
    assert!(node.contains("  waits for event"), "{node}");
    assert!(node.contains("state event wait"), "{node}");
    let runtime = run(&mut bed, "show runtime verbose").unwrap();
    assert!(runtime.contains("\"event wait\""), "{runtime}");
    assert!(run(&mut bed, "show processes a b").is_err());
}
