//! An RPC service over TCP or a UNIX socket: a reply, a stream, a cancelled call, an expired deadline.
//!
//! ```sh
//! cargo run --example rpc -- serve 127.0.0.1:7000
//! cargo run --example rpc -- call 127.0.0.1:7000            # in another terminal
//! cargo run --example rpc -- call 127.0.0.1:7000 --version 2   # a peer of another version
//! ```
//!
//! An address with a `/` in it is a UNIX socket.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use barrow_core::timer::Sleep;
use barrow_runtime::controller::{Controller, Placement, TaskContext};
use barrow_runtime::io::{tcp, unix};
use barrow_runtime::rpc::{
    Client, CloseReason, Code, Connection, Limits, Method, Service, Sink, StreamMethod, Versions,
    Wire,
};

/// Adds two numbers.
struct Add;
impl Method for Add {
    const NAME: &'static str = "example.add";
    type Request = (u32, u32);
    type Reply = u32;
}

/// Answers after so many milliseconds.
struct Nap;
impl Method for Nap {
    const NAME: &'static str = "example.nap";
    type Request = u32;
    type Reply = u32;
}

/// How many naps ended before their time, because nobody waited for them any more.
struct Interrupted;
impl Method for Interrupted {
    const NAME: &'static str = "example.interrupted";
    type Request = ();
    type Reply = u32;
}

/// Counts up to a number.
struct Count;
impl StreamMethod for Count {
    const NAME: &'static str = "example.count";
    type Request = u32;
    type Item = u32;
}

/// Notes a nap that is dropped before its end.
struct Sleeper {
    interrupted: Rc<Cell<u32>>,
    ended: bool,
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let count = self.interrupted.get() + u32::from(!self.ended);
        self.interrupted.set(count);
    }
}

fn service() -> Service {
    let interrupted = Rc::new(Cell::new(0));
    let count = interrupted.clone();
    Service::new()
        .method(Add, |_, (a, b): (u32, u32)| async move {
            let sum = a.checked_add(b);
            sum.ok_or_else(|| Code::APPLICATION.because("the sum is too large"))
        })
        .method(Nap, move |cx, millis| {
            let interrupted = interrupted.clone();
            async move {
                let mut sleeper = Sleeper {
                    interrupted,
                    ended: false,
                };
                let until = cx.now() + Duration::from_millis(millis.into());
                Sleep::new(cx.timers(), until).await;
                sleeper.ended = true;
                Ok(millis)
            }
        })
        .method(Interrupted, move |_, ()| {
            let count = count.get();
            async move { Ok(count) }
        })
        .stream(Count, |_, to, mut sink: Sink<u32>| async move {
            for n in 1..=to {
                sink.send(&n).await?;
            }
            Ok(())
        })
}

/// Where the service is.
#[derive(Clone)]
enum Place {
    Tcp(SocketAddr),
    Unix(unix::Address),
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            let address = unix::Address::parse(text).map_err(|error| error.to_string())?;
            return Ok(Self::Unix(address));
        }
        text.parse()
            .map(Self::Tcp)
            .map_err(|_| format!("{text} is no address"))
    }
}

async fn serve(cx: TaskContext<String>, place: Place) -> io::Result<()> {
    let service = service();
    let open = |wire: Box<dyn Wire>| {
        Connection::open(cx.spawner(), wire, service.clone(), Limits::default());
    };
    match place {
        Place::Tcp(address) => {
            let listener = tcp::Listener::bind(cx.reactor(), address)?;
            cx.emit(format!("listening on {}", listener.local_addr()?))
                .await;
            loop {
                open(Box::new(listener.accept().await?));
            }
        }
        Place::Unix(address) => {
            let listener = unix::Listener::bind(cx.reactor(), address, unix::Options::default())
                .map_err(io::Error::other)?;
            cx.emit(format!("listening on {}", listener.address()))
                .await;
            loop {
                open(Box::new(listener.accept().await?));
            }
        }
    }
}

async fn call(cx: TaskContext<String>, place: Place, version: u16) -> Result<(), String> {
    let wire: Box<dyn Wire> = match place {
        Place::Tcp(address) => {
            let stream = tcp::Stream::connect(cx.reactor(), address).await;
            Box::new(stream.map_err(|error| error.to_string())?)
        }
        Place::Unix(address) => {
            let stream = unix::Stream::connect(cx.reactor(), &address);
            Box::new(stream.map_err(|error| error.to_string())?)
        }
    };
    let limits = Limits {
        versions: Versions {
            lowest: version,
            highest: version,
        },
        ..Limits::default()
    };
    let connection = Connection::open(cx.spawner(), wire, Service::new(), limits);
    let said = converse(&cx, connection.client()).await;
    connection.leave();
    match connection.closed().await.0 {
        CloseReason::Finished => said,
        reason => Err(reason.to_string()),
    }
}

async fn converse(cx: &TaskContext<String>, client: Client) -> Result<(), String> {
    let failed = |error| format!("a call failed: {error}");
    let sum = client.call::<Add>(&(2, 3)).await.map_err(failed)?;
    cx.emit(format!("2 + 3 = {sum}")).await;
    let refused = client.call::<Add>(&(u32::MAX, 1)).await;
    cx.emit(format!(
        "refused: {}",
        refused.map_or_else(|e| e.to_string(), |n| n.to_string())
    ))
    .await;

    let mut items = client
        .stream::<Count>(16, None, &1_000)
        .await
        .map_err(failed)?;
    let mut total = 0;
    while let Some(item) = items.next().await {
        total += item.map_err(failed)?;
    }
    cx.emit(format!("1 + .. + 1000 = {total}")).await;

    let given_up = cx.timeout(Duration::from_millis(50), client.call::<Nap>(&60_000));
    cx.emit(format!("given up: {}", given_up.await.is_err()))
        .await;
    let late = client
        .call_within::<Nap>(Duration::from_millis(50), &60_000)
        .await;
    let late = late.is_err_and(|error| error.is_deadline());
    cx.emit(format!("deadline: {late}")).await;

    // Both naps end at the service as well, though not within any time that a caller may count on.
    loop {
        let count = client.call::<Interrupted>(&()).await.map_err(failed)?;
        if count >= 2 {
            cx.emit(format!("interrupted: {count}")).await;
            return Ok(());
        }
        cx.sleep(Duration::from_millis(5)).await;
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut controller = Controller::<String>::builder()
        .name("rpc")
        .start()
        .map_err(|error| error.to_string())?;
    let place = |text: &str| Place::parse(text);
    let version = |text: &str| text.parse().map_err(|_| format!("{text} is no version"));
    let result = std::sync::Arc::new(std::sync::Mutex::new(Ok(())));
    let noted = result.clone();
    let started = match words[..] {
        ["serve", address] => {
            let place = place(address)?;
            controller.spawn(Placement::LeastLoaded, "serve", move |cx, _| async move {
                let served = serve(cx, place).await.map_err(|error| error.to_string());
                *noted.lock().expect("nobody panics here") = served;
            })
        }
        ["call", address, ref rest @ ..] => {
            let (place, version) = match rest {
                [] => (place(address)?, 1),
                ["--version", number] => (place(address)?, version(number)?),
                _ => return Err("call ADDRESS [--version NUMBER]".into()),
            };
            controller.spawn(Placement::LeastLoaded, "call", move |cx, _| async move {
                let called = call(cx, place, version).await;
                *noted.lock().expect("nobody panics here") = called;
            })
        }
        _ => return Err("serve ADDRESS, or call ADDRESS [--version NUMBER]".into()),
    };
    let task = started.map_err(|error| error.to_string())?;
    drop(task);
    // The one task of this program; its end is the first report.
    while controller.report(Duration::ZERO).is_none() {
        if let Some(line) = controller.output(Duration::from_millis(20)) {
            println!("{line}");
        }
    }
    while let Some(line) = controller.output(Duration::ZERO) {
        println!("{line}");
    }
    let result = result.lock().expect("nobody panics here");
    result.clone()
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rpc: {error}");
            ExitCode::FAILURE
        }
    }
}
