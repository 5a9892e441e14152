//! The client under tokio, against a server that does what it is told.
#![cfg(feature = "tokio")]

use barrow_client::session::{CallFailure, Delivery, StartError};
use barrow_client::testing::{Answer, FakeServer, Request};
use barrow_client::{
    Client, Closed, Config, ConnectionState, Error, Event, Health, Lost, Overflow, Ready,
    Reconnect, Resync,
};
use barrow_messages::errors::Retval;
use barrow_messages::interface::{
    self, SwInterfaceDetails, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags,
    SwInterfaceSetFlagsReply, WantInterfaceEvents, WantInterfaceEventsReply,
};
use barrow_messages::interface_types::InterfaceIndex;
use barrow_messages::memclnt::{ControlPing, GetApiJson};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn server(script: impl FnMut(&Request<'_>, &mut Answer<'_>) + Send + 'static) -> FakeServer {
    FakeServer::start(&[&interface::MODULE], script).expect("a socket can be had")
}

async fn connect(server: &FakeServer) -> Client {
    connect_with(server, Config::default()).await
}

async fn connect_with(server: &FakeServer, config: Config) -> Client {
    let connected = Client::connect_with(server.path(), config).await;
    connected.expect("the server listens")
}

fn flags(index: u32) -> SwInterfaceSetFlags {
    SwInterfaceSetFlags {
        sw_if_index: InterfaceIndex(index),
        ..Default::default()
    }
}

/// Answers `sw_interface_set_flags` with its index for `retval`, negative.
fn echo(request: &Request<'_>, answer: &mut Answer<'_>) {
    if let (true, Ok(flags)) = (
        request.is::<SwInterfaceSetFlags>(),
        request.decode::<SwInterfaceSetFlags>(),
    ) {
        let retval = -(flags.sw_if_index.0 as i32);
        answer.reply(&SwInterfaceSetFlagsReply { retval });
    }
}

/// Lists as many interfaces as the request's index says.
fn list(request: &Request<'_>, answer: &mut Answer<'_>) {
    if let (true, Ok(dump)) = (
        request.is::<SwInterfaceDump>(),
        request.decode::<SwInterfaceDump>(),
    ) {
        for index in 0..dump.sw_if_index.0 {
            answer.reply(&SwInterfaceDetails {
                sw_if_index: InterfaceIndex(index),
                ..Default::default()
            });
        }
    }
}

fn dump(count: u32) -> SwInterfaceDump {
    SwInterfaceDump {
        sw_if_index: InterfaceIndex(count),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_thousand_calls_get_each_their_own_reply() {
    let server = server(echo);
    let client = connect(&server).await;
    let calls = (0..1000).map(|index| {
        let channel = client.channel();
        tokio::spawn(async move { (index, channel.call(flags(index)).await) })
    });
    for call in calls {
        match call.await.unwrap() {
            (0, result) => assert_eq!(result.unwrap().retval, 0),
            (index, Err(Error::Api(error))) => {
                assert_eq!(error.retval, Retval(-(index as i32)));
                let reply = error.reply::<SwInterfaceSetFlags>().unwrap();
                assert_eq!(reply.retval, -(index as i32));
            }
            (index, other) => panic!("{index}: {other:?}"),
        }
    }
    let status = client.status();
    assert_eq!(
        (status.in_flight, status.waiting, status.contexts),
        (0, 0, 0)
    );
    assert_eq!(status.channels, 1, "dropping a channel is enough");
}

#[tokio::test]
async fn calls_beyond_the_window_wait_and_are_all_made() {
    let server = server(echo);
    let config = Config {
        window: 3,
        channel_requests: 2,
        unsent: 1,
        ..Config::default()
    };
    let client = connect_with(&server, config).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(flags(0)).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(client.status().in_flight, 0);
}

#[tokio::test]
async fn a_dump_gives_every_item_and_ends() {
    let server = server(list);
    let client = connect(&server).await;
    let all = client.dump(dump(5000)).collect().await.unwrap();
    assert_eq!(all.len(), 5000);
    assert!(
        all.iter()
            .zip(0..)
            .all(|(item, at)| item.sw_if_index.0 == at)
    );
    assert!(client.dump(dump(0)).collect().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_dump_left_early_disturbs_nobody() {
    let server = server(list);
    let client = connect(&server).await;
    let mut early = client.dump(dump(1000));
    early.next().await.unwrap().unwrap();
    drop(early);
    client.call(ControlPing {}).await.unwrap();
    assert_eq!(client.status().contexts, 0);
}

#[tokio::test]
async fn a_dump_nobody_reads_is_cut_while_others_are_served() {
    let server = server(|request, answer| {
        list(request, answer);
        echo(request, answer);
    });
    let config = Config {
        dump_buffer: 100 << 10,
        ..Config::default()
    };
    let client = connect_with(&server, config).await;
    let mut lazy = client.dump(dump(5000));
    lazy.next().await.unwrap().unwrap();
    for _ in 0..100 {
        client.call(flags(0)).await.unwrap();
    }
    let mut count = 1;
    let failure = loop {
        match lazy.next().await.unwrap() {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    match failure {
        Error::Call(CallFailure::Overrun { delivered }) => assert_eq!(delivered, count),
        other => panic!("{other}"),
    }
    assert!(lazy.next().await.is_none());
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_by_its_deadline() {
    let server = server(|_, _| ());
    let client = connect(&server).await;
    let hurried = client.channel().with_timeout(Duration::from_millis(20));
    match hurried.call(flags(0)).await {
        Err(Error::Call(CallFailure::TimedOut(Delivery::Sent))) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(client.status().contexts, 1, "its answer is still owed");
}

#[tokio::test]
async fn waiting_for_a_place_ends_by_the_deadline_too() {
    let server = server(|_, _| ());
    let client = connect(&server).await;
    let narrow = client.channel_with(1, 1);
    let stuck = tokio::spawn({
        let narrow = narrow.clone();
        async move { narrow.call(flags(0)).await }
    });
    tokio::task::yield_now().await;
    let hurried = narrow.with_timeout(Duration::from_millis(20));
    let error = hurried.call(flags(0)).await.unwrap_err();
    assert!(matches!(error, Error::NoPlace) && error.is_unsent());
    stuck.abort();
}

#[tokio::test]
async fn a_lost_connection_ends_calls_at_once_and_is_made_again() {
    let server = server(|request, answer| {
        if request.is::<SwInterfaceSetFlags>() {
            answer.die();
        }
    });
    let client = connect(&server).await;
    let endless = client.channel().with_timeout(None);
    match endless.call(flags(0)).await {
        Err(Error::Call(CallFailure::Lost(Delivery::Sent))) => {}
        other => panic!("{other:?}"),
    }
    match client.call(ControlPing {}).await {
        Err(error @ Error::Start(StartError::NotOpen)) => assert!(error.is_unsent()),
        other => panic!("{other:?}"),
    }
    client.connected().await.unwrap();
    client.call(ControlPing {}).await.unwrap();
    assert_eq!(client.status().generation, 2);
}

#[tokio::test]
async fn a_dump_cut_by_death_says_that_part_has_come() {
    let server = server(|request, answer| {
        if request.is::<SwInterfaceDump>() {
            answer.reply(&SwInterfaceDetails::default());
            answer.reply(&SwInterfaceDetails::default());
            answer.die_after(250);
        }
    });
    let client = connect(&server).await;
    let mut items = client.dump(dump(0));
    let mut last = None;
    while let Some(item) = items.next().await {
        last = Some(item);
    }
    match last {
        Some(Err(Error::Call(CallFailure::Lost(Delivery::PartlyAnswered)))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_process_is_told_from_a_hiccup() {
    let server = server(|_, _| ());
    let client = connect(&server).await;
    let mut states = client.states();
    let mut next_connected = async || loop {
        if let Some(ConnectionState::Connected { restarted, .. }) = states.next().await {
            break restarted;
        }
    };
    assert_eq!(next_connected().await, None);
    server.disconnect_all();
    assert_eq!(next_connected().await, Some(false));
    server.set_pid(1);
    server.disconnect_all();
    assert_eq!(next_connected().await, Some(true));
}

#[tokio::test]
async fn a_hook_runs_on_every_connection_and_none_holds_up_the_next() {
    let server = server(|_, _| ());
    let client = connect(&server).await;
    let (told, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let resync = tokio::spawn({
        let client = client.clone();
        async move {
            let hook = async |ready: Ready| match ready.generation {
                1 => client
                    .call(ControlPing {})
                    .await
                    .map(|_| ())
                    .unwrap_or_default(),
                2 => std::future::pending().await,
                _ => tokio::time::sleep(Duration::from_secs(60)).await,
            };
            let ended = |how| told.send(how).expect("somebody listens");
            client.resync(Duration::from_millis(50), hook, ended).await
        }
    });
    let ready = |generation, restarted| Ready {
        generation,
        restarted,
    };
    assert_eq!(ends.recv().await, Some(Resync::Done(ready(1, None))));
    server.set_pid(1);
    server.disconnect_all();
    assert_eq!(ends.recv().await, Some(Resync::Late(ready(2, Some(true)))));
    server.disconnect_all();
    loop {
        if client.status().generation == 3 && client.status().state.is_connected() {
            break;
        }
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    server.disconnect_all();
    let lost = ready(3, Some(false));
    let end = ends.recv().await;
    assert!(
        end == Some(Resync::Lost(lost)) || end == Some(Resync::Late(lost)),
        "{end:?}"
    );
    client.close();
    assert_eq!(resync.await.unwrap(), Closed::ByUser);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let server = server(|_, _| ());
    let config = Config {
        health: Health {
            interval: Duration::from_millis(20),
            reply_timeout: Duration::from_millis(20),
            threshold: 2,
        },
        reconnect: Reconnect {
            timeout: Duration::from_millis(50),
            ..Reconnect::never()
        },
        ..Config::default()
    };
    let client = connect_with(&server, config).await;
    let mut states = client.states();
    server.set_silent(true);
    let mut seen = Vec::new();
    while let Some(state) = states.next().await {
        seen.push(state);
    }
    assert!(seen.contains(&ConnectionState::NotResponding { failures: 1 }));
    let why = Closed::GaveUp(Lost::NotResponding(2));
    assert_eq!(seen.last(), Some(&ConnectionState::Closed(why)));
    assert!(matches!(
        client.call(ControlPing {}).await,
        Err(Error::Closed(_))
    ));
}

#[tokio::test]
async fn a_client_may_start_before_its_server() {
    let path = std::env::temp_dir().join(format!("barrow-late-{}.sock", std::process::id()));
    let config = Config {
        reconnect: Reconnect {
            first: Duration::from_millis(5),
            ..Reconnect::default()
        },
        ..Config::default()
    };
    let client = Client::start(&path, config);
    let mut states = client.states();
    assert_eq!(states.next().await, Some(ConnectionState::Connecting));
    let state = states.next().await;
    assert!(
        matches!(state, Some(ConnectionState::Disconnected(Lost::Connect(_)))),
        "{state:?}"
    );
    let _server = FakeServer::start_at(&path, &[], |_, _| ()).unwrap();
    client.connected().await.unwrap();
    client.call(ControlPing {}).await.unwrap();
}

#[tokio::test]
async fn a_policy_that_gives_up_says_why() {
    let config = Config {
        reconnect: Reconnect::never(),
        ..Config::default()
    };
    let error = Client::connect_with("/nonexistent/api.sock", config)
        .await
        .unwrap_err();
    assert!(matches!(
        &error,
        Error::Closed(Closed::GaveUp(Lost::Connect(_)))
    ));
    assert!(error.to_string().contains("/nonexistent/api.sock"));
}

#[tokio::test]
async fn a_message_the_server_lacks_is_an_error_of_its_own() {
    let server = FakeServer::start(&[], |_, _| ()).unwrap();
    let client = connect(&server).await;
    match client.call(flags(0)).await {
        Err(Error::Start(StartError::Missing { name })) => {
            assert_eq!(name, "sw_interface_set_flags")
        }
        other => panic!("{other:?}"),
    }
    let report = client.compatibility(&[&interface::MODULE]);
    assert_eq!(report.not_loaded, ["interface"]);
}

/// Counts how often events were switched on and off, and sends one event for each ping.
fn eventful(on: &Arc<AtomicU32>, off: &Arc<AtomicU32>) -> FakeServer {
    let (on, off) = (Arc::clone(on), Arc::clone(off));
    let mut sent = 0;
    server(move |request, answer| {
        if request.is::<WantInterfaceEvents>() {
            let want: WantInterfaceEvents = request.decode().expect("it is whole");
            let count = if want.enable_disable == 1 { &on } else { &off };
            count.fetch_add(1, Ordering::AcqRel);
            answer.reply(&WantInterfaceEventsReply { retval: 0 });
        } else if request.is::<GetApiJson>() {
            for _ in 0..5 {
                answer.event(&SwInterfaceEvent {
                    pid: sent,
                    ..Default::default()
                });
                sent += 1;
            }
            answer.reply(&barrow_messages::memclnt::GetApiJsonReply::default());
        }
    })
}

#[tokio::test]
async fn one_call_enables_and_gives_a_typed_stream_and_the_last_drop_disables() {
    let (on, off) = (Arc::default(), Arc::default());
    let server = eventful(&on, &off);
    let client = connect(&server).await;
    let mut one = client
        .subscribe(WantInterfaceEvents::default())
        .await
        .unwrap();
    let two = client
        .subscribe(WantInterfaceEvents::default())
        .await
        .unwrap();
    assert_eq!(
        on.load(Ordering::Acquire),
        1,
        "equal requests share one subscription"
    );
    client.call(GetApiJson {}).await.unwrap();
    for pid in 0..5 {
        match one.next().await.unwrap().unwrap() {
            Event::Event(event) => assert_eq!(event.pid, pid),
            other => panic!("{other:?}"),
        }
    }
    drop(one);
    client.call(ControlPing {}).await.unwrap();
    assert_eq!(off.load(Ordering::Acquire), 0);
    drop(two);
    client.call(ControlPing {}).await.unwrap();
    assert_eq!(off.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn a_slow_stream_is_told_exactly_what_it_lost() {
    let (on, off) = (Arc::default(), Arc::default());
    let server = eventful(&on, &off);
    let client = connect(&server).await;
    let narrow = client
        .channel_with(10, 2)
        .with_overflow(Overflow::DropOldest);
    let mut slow = narrow
        .subscribe(WantInterfaceEvents::default())
        .await
        .unwrap();
    client.call(GetApiJson {}).await.unwrap();
    assert_eq!(slow.next().await.unwrap().unwrap(), Event::Lagged(3));
    assert_eq!(client.status().events_lost, 3);
    for pid in 3..5 {
        assert!(matches!(slow.next().await, Some(Ok(Event::Event(event))) if event.pid == pid));
    }
}

#[tokio::test]
async fn subscriptions_survive_a_reconnect_with_a_mark() {
    let (on, off) = (Arc::default(), Arc::default());
    let server = eventful(&on, &off);
    let client = connect(&server).await;
    let mut events = client
        .subscribe(WantInterfaceEvents::default())
        .await
        .unwrap();
    server.disconnect_all();
    assert_eq!(
        events.next().await.unwrap().unwrap(),
        Event::Gap { generation: 2 }
    );
    client.connected().await.unwrap();
    client.call(GetApiJson {}).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(Event::Event(_)))));
    assert_eq!(on.load(Ordering::Acquire), 2);
}

#[tokio::test]
async fn a_refused_subscription_is_an_error() {
    let server = server(|request, answer| {
        if request.is::<WantInterfaceEvents>() {
            answer.reply(&WantInterfaceEventsReply { retval: -31 });
        }
    });
    let client = connect(&server).await;
    let error = client
        .subscribe(WantInterfaceEvents::default())
        .await
        .unwrap_err();
    assert_eq!(error.retval(), Some(Retval(-31)));
}

#[tokio::test]
async fn garbage_ends_the_connection_and_nothing_else() {
    let server = server(|request, answer| {
        if request.is::<SwInterfaceSetFlags>() {
            answer.raw(&[0xff; 64]);
        }
    });
    let client = connect(&server).await;
    let mut states = client.states();
    let lost = client.call(flags(0)).await;
    assert!(matches!(lost, Err(Error::Call(CallFailure::Lost(_)))));
    let mut why = None;
    while why.is_none() {
        if let Some(ConnectionState::Disconnected(lost)) = states.next().await {
            why = Some(lost);
        }
    }
    assert!(matches!(why, Some(Lost::Session(_))));
    client.connected().await.unwrap();
}

#[tokio::test]
async fn the_last_handle_says_goodbye() {
    let server = server(|_, _| ());
    let client = connect(&server).await;
    let mut states = client.states();
    client.close();
    let mut last = None;
    while let Some(state) = states.next().await {
        last = Some(state);
    }
    assert_eq!(last, Some(ConnectionState::Closed(Closed::ByUser)));
}
