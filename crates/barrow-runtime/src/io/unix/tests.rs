//! What UNIX sockets promise, on real ones.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Barrier;
use std::task::Poll;

use super::*;
use crate::io::{ByteStream, Reactor};
use crate::sys::Clock;

fn reactor() -> Reactor {
    Reactor::new(Clock::new()).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn at(folder: &tempfile::TempDir, name: &str) -> Address {
    Address::Path(folder.path().join(name))
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_path_has_its_mode_and_group_and_goes_with_the_listener() {
    let (reactor, folder) = (reactor(), folder());
    let gid = fs::metadata(folder.path()).unwrap().gid();
    let address = at(&folder, "api.sock");
    let options = Options {
        mode: 0o621,
        gid: Some(gid),
        ..Options::default()
    };
    let listener = Listener::bind(&reactor, address.clone(), options).unwrap();
    let file = fs::symlink_metadata(address.path().unwrap()).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(
        (file.permissions().mode() & 0o777, file.gid()),
        (0o621, gid)
    );
    assert_eq!(names(&folder), ["api.sock"], "no temporary name is left");
    drop(listener);
    assert!(names(&folder).is_empty());
}

#[test]
fn a_second_listener_is_refused_and_leaves_no_trace() {
    let (reactor, folder) = (reactor(), folder());
    let address = at(&folder, "s");
    let first = Listener::bind(&reactor, address.clone(), Options::default()).unwrap();
    let second = Listener::bind(&reactor, address.clone(), Options::default());
    assert!(matches!(second, Err(BindError::Active(_))));
    let third = PacketListener::bind(&reactor, address.clone(), Options::default());
    assert!(
        matches!(third, Err(BindError::Active(_))),
        "of the other kind too"
    );
    assert_eq!(names(&folder), ["s"]);
    assert!(
        first.try_accept().is_ready(),
        "the probe was accepted as a connection"
    );
    assert!(Stream::connect(&reactor, &address).is_ok());
}

#[test]
fn a_listener_with_a_full_queue_counts_as_active() {
    let (reactor, folder) = (reactor(), folder());
    let address = at(&folder, "s");
    let options = Options {
        backlog: 1,
        ..Options::default()
    };
    let _listener = Listener::bind(&reactor, address.clone(), options).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = Stream::connect(&reactor, &address) {
        waiting.push(stream);
    }
    assert!(matches!(
        Listener::bind(&reactor, address, options),
        Err(BindError::Active(_))
    ));
}

#[test]
fn a_dead_socket_is_replaced() {
    let (reactor, folder) = (reactor(), folder());
    let address = at(&folder, "s");
    drop(UnixListener::bind(address.path().unwrap()).unwrap());
    assert_eq!(
        names(&folder),
        ["s"],
        "the standard listener leaves its file"
    );
    let listener = Listener::bind(&reactor, address.clone(), Options::default()).unwrap();
    assert!(Stream::connect(&reactor, &address).is_ok());
    assert!(listener.try_accept().is_ready());
    assert_eq!(names(&folder), ["s"]);
}

#[test]
fn what_is_not_a_socket_stays() {
    let (reactor, folder) = (reactor(), folder());
    let address = at(&folder, "file");
    fs::write(address.path().unwrap(), "precious").unwrap();
    let result = Listener::bind(&reactor, address.clone(), Options::default());
    assert!(matches!(result, Err(BindError::NotASocket(_))));
    assert_eq!(fs::read(address.path().unwrap()).unwrap(), b"precious");
}

#[test]
fn a_socket_that_took_the_path_is_not_removed() {
    let (reactor, folder) = (reactor(), folder());
    let address = at(&folder, "s");
    let listener = Listener::bind(&reactor, address.clone(), Options::default()).unwrap();
    fs::remove_file(address.path().unwrap()).unwrap();
    let _other = UnixListener::bind(address.path().unwrap()).unwrap();
    drop(listener);
    assert_eq!(names(&folder), ["s"]);
}

#[test]
fn a_folder_that_is_not_there_is_a_system_error_with_the_address() {
    let (reactor, folder) = (reactor(), folder());
    let error = Listener::bind(&reactor, at(&folder, "no/s"), Options::default()).unwrap_err();
    let BindError::System { source, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("no/s"));
}

#[test]
fn a_path_that_just_fits_is_bound_though_its_temporary_name_does_not() {
    let (reactor, folder) = (reactor(), folder());
    let free = 107 - folder.path().as_os_str().len() - 1;
    let nested = folder.path().join("d".repeat(free - 2));
    fs::create_dir(&nested).unwrap();
    let address = Address::Path(nested.join("s"));
    assert_eq!(address.path().unwrap().as_os_str().len(), 107);
    let _listener = Listener::bind(&reactor, address.clone(), Options::default()).unwrap();
    assert!(Stream::connect(&reactor, &address).is_ok());
}

#[test]
fn of_many_starters_on_a_dead_socket_one_wins() {
    let folder = folder();
    for round in 0..20 {
        let address = at(&folder, &format!("s{round}"));
        let path = address.path().unwrap();
        drop(UnixListener::bind(path).unwrap());
        let all_have_tried = Barrier::new(4);
        let won: usize = std::thread::scope(|scope| {
            let start = || {
                let reactor = reactor();
                let bound = Listener::bind(&reactor, address.clone(), Options::default());
                // Until then nobody may find the winner's socket dead.
                all_have_tried.wait();
                usize::from(bound.is_ok_and(|_listener| UnixStream::connect(path).is_ok()))
            };
            let starters: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
            starters
                .into_iter()
                .map(|starter| starter.join().unwrap())
                .sum()
        });
        assert_eq!(won, 1, "round {round}");
    }
}

#[test]
fn abstract_names_work_and_exclude_each_other() {
    let reactor = reactor();
    let address = Address::parse(&format!("@barrow-test-{}", std::process::id())).unwrap();
    let listener = Listener::bind(&reactor, address.clone(), Options::default()).unwrap();
    let again = Listener::bind(&reactor, address.clone(), Options::default());
    assert!(matches!(again, Err(BindError::Active(_))));
    assert!(Stream::connect(&reactor, &address).is_ok());
    drop(listener);
    assert!(Listener::bind(&reactor, address, Options::default()).is_ok());
}

#[test]
fn a_stream_tells_who_is_there() {
    let (reactor, folder) = (reactor(), folder());
    let listener = Listener::bind(&reactor, at(&folder, "s"), Options::default()).unwrap();
    let _client = Stream::connect(&reactor, listener.address()).unwrap();
    let server = reactor.block_on(listener.accept()).unwrap().unwrap();
    let peer = server.peer_credentials().unwrap();
    assert_eq!(peer.pid, i32::try_from(std::process::id()).unwrap());
    assert_eq!(peer.uid, fs::metadata("/proc/self").unwrap().uid());
}

#[test]
fn more_than_the_socket_holds_goes_through() {
    let (reactor, folder) = (reactor(), folder());
    let listener = Listener::bind(&reactor, at(&folder, "s"), Options::default()).unwrap();
    let client = Stream::connect(&reactor, listener.address()).unwrap();
    let sent: Vec<u8> = (0..2_000_000u32).map(|i| i as u8).collect();
    let exchange = async {
        let server = listener.accept().await?;
        let write = async {
            client.write_all(&sent).await?;
            client.shutdown_write()
        };
        let read = async {
            let mut got = Vec::new();
            let mut part = [0; 5000];
            loop {
                match server.read(&mut part).await? {
                    0 => return std::io::Result::Ok(got),
                    n => got.extend_from_slice(&part[..n]),
                }
            }
        };
        let (written, got) = futures::join!(write, read);
        written?;
        got
    };
    assert!(reactor.block_on(exchange).unwrap().unwrap() == sent);
}

#[test]
fn descriptors_travel_over_streams_and_packets() {
    let (reactor, folder) = (reactor(), folder());
    let listener = Listener::bind(&reactor, at(&folder, "stream"), Options::default()).unwrap();
    let packets =
        PacketListener::bind(&reactor, at(&folder, "packets"), Options::default()).unwrap();
    let (mut near, far) = UnixStream::pair().unwrap();
    let run = async {
        let client = Stream::connect(&reactor, listener.address())?;
        let server = listener.accept().await?;
        server.send(b"one", &[far.as_fd()]).await?;
        let mut buf = [0; 64];
        let first = client.receive(&mut buf).await?;
        assert_eq!(
            (first.len, first.descriptors.len(), first.truncated),
            (3, 1, false)
        );

        let client = SeqPacket::connect(&reactor, packets.address())?;
        let server = packets.accept().await?;
        server.send(b"packet", &[far.as_fd(), far.as_fd()]).await?;
        server.send(b"a longer one", &[]).await?;
        let second = client.receive(&mut buf).await?;
        assert_eq!((second.len, second.descriptors.len()), (6, 2));
        let third = client.receive(&mut buf[..4]).await?;
        assert_eq!((third.len, third.truncated), (4, true));
        drop(server);
        assert_eq!(client.receive(&mut buf).await?.len, 0);
        std::io::Result::Ok(first.descriptors)
    };
    let mut passed = reactor.block_on(run).unwrap().unwrap();
    let mut passed = UnixStream::from(passed.remove(0));
    passed.write_all(b"!").unwrap();
    near.read_exact(&mut [0]).unwrap();
}

#[test]
fn too_many_descriptors_are_refused() {
    let (reactor, folder) = (reactor(), folder());
    let listener = Listener::bind(&reactor, at(&folder, "s"), Options::default()).unwrap();
    let client = Stream::connect(&reactor, listener.address()).unwrap();
    let file = fs::File::open("/proc/self/status").unwrap();
    let many = vec![file.as_fd(); MAX_DESCRIPTORS + 1];
    let Poll::Ready(Err(error)) = client.try_send(b"x", &many) else {
        panic!("sent")
    };
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
