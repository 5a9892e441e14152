//! The client on plain threads, against a server that does what it is told.

use barrow_client::session::CallFailure;
use barrow_client::testing::FakeServer;
use barrow_client::{Config, Error, blocking};
use barrow_messages::interface::{self, SwInterfaceDetails, SwInterfaceDump};
use barrow_messages::memclnt::ControlPing;
use std::thread;

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
                    blocking::wait(client.call(ControlPing {})).unwrap();
                }
                let list = client.dump(SwInterfaceDump::default());
                blocking::wait(list.collect()).unwrap().len()
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
fn a_thread_that_waits_learns_of_the_loss() {
    let server = FakeServer::start(&[&interface::MODULE], |request, answer| {
        if request.is::<SwInterfaceDump>() {
            answer.die();
        }
    })
    .unwrap();
    let client = blocking::connect(server.path(), Config::default()).unwrap();
    let lost = blocking::wait(client.dump(SwInterfaceDump::default()).collect());
    assert!(matches!(lost, Err(Error::Call(CallFailure::Lost(_)))));
    blocking::wait(client.connected()).unwrap();
    blocking::wait(client.call(ControlPing {})).unwrap();
}
