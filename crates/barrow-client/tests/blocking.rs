//! The client on plain threads, against a server that does what it is told.

use barrow_client::session::CallFailure;
use barrow_client::testing::FakeServer;
use barrow_client::{Config, Error, Health, blocking};
use barrow_messages::interface::{
    self, SwInterfaceDetails, SwInterfaceDump, SwInterfaceEvent, WantInterfaceEvents,
    WantInterfaceEventsReply,
};
use barrow_messages::memclnt::ControlPing;
use std::thread;
use std::time::Duration;

#[test]
fn many_threads_share_one_connection() {
    let server = FakeServer::start(&[&interface::MODULE], |request, answer| {
        if request.is::<SwInterfaceDump>() {
            (0..300).for_each(|_| answer.reply(&SwInterfaceDetails::default()));
        }
    })
    .unwrap();
    let client = blocking::connect(server.path(), Config::default()).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || {
                for _ in 0..50 {
                    client.wait(client.call(ControlPing {})).unwrap();
                }
                let list = client.dump(SwInterfaceDump::default());
                client.wait(list.collect()).unwrap().len()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 300);
    }
    assert_eq!(server.accepted(), 1);
    assert_eq!(client.status().contexts, 0);
}

#[test]
fn events_come_to_a_thread_that_waits_and_probes_are_answered_when_none_does() {
    let server = FakeServer::start(&[&interface::MODULE], |request, answer| {
        if request.is::<WantInterfaceEvents>() {
            answer.reply(&WantInterfaceEventsReply { retval: 0 });
        } else if request.is::<SwInterfaceDump>() {
            answer.event(&SwInterfaceEvent::default());
        }
    })
    .unwrap();
    let config = Config {
        health: Health {
            interval: Duration::from_millis(5),
            ..Health::default()
        },
        ..Config::default()
    };
    let client = blocking::connect(server.path(), config).unwrap();
    let mut events = client
        .wait(client.subscribe(WantInterfaceEvents::default()))
        .unwrap();
    let waiting = thread::spawn({
        let client = client.clone();
        move || client.wait(events.next()).is_some()
    });
    thread::sleep(Duration::from_millis(20));
    client
        .wait(client.dump(SwInterfaceDump::default()).collect())
        .unwrap();
    assert!(waiting.join().unwrap());
    let before = client.status().session.answered;
    while client.status().session.answered < before + 3 {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_thread_that_waits_learns_of_the_loss() {
    let server = FakeServer::start(&[&interface::MODULE], |request, answer| {
        if request.is::<SwInterfaceDump>() {
            answer.die();
        }
    })
    .unwrap();
    let client = blocking::connect(server.path(), Config::default()).unwrap();
    let lost = client.wait(client.dump(SwInterfaceDump::default()).collect());
    assert!(matches!(lost, Err(Error::Call(CallFailure::Lost(_)))));
    client.wait(client.connected()).unwrap();
    client.wait(client.call(ControlPing {})).unwrap();
}
