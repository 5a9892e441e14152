//! The command `ping`.

use super::request::EchoRequest;
use super::route::{Failure, source_towards};
use super::waiting::{Echo, Place, Waiting};
use crate::fib::{AddressFamily, Fib, FibIndex};
use crate::icmp::SourceAddresses;
use crate::interface::cli::take_interface;
use crate::interface::{Interfaces, SwIfIndex};
use crate::ip::Addresses;
use crate::ip::cli::format::decimals;
use barrow_engine::cli::{
    Args, CliError, CliRegistry, CliResult, CliTask, DuplicateCommand, Interrupted, Sleep,
};
use barrow_engine::{Control, Instant};
use std::fmt;
use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

const HELP: &str = "ping {<ip-addr> | ipv4 <ip4-addr>} [source <interface>] [size <pktsize:60>] \
                    [interval <sec:1>] [repeat <cnt:5>] [table-id <id:0>] [burst <count:1>] [verbose]";

/// Bytes of payload at most.
const MOST_BYTES: u16 = 32768;
/// Requests at once at most.
const MOST_AT_ONCE: u32 = 256;
/// The longest time between two requests, in seconds.
const LONGEST_INTERVAL: f64 = 86_400.0;

/// What the command works on.
#[derive(Clone)]
pub(super) struct Ping {
    pub(super) waiting: Waiting,
    pub(super) interfaces: Interfaces,
    pub(super) fib: Fib,
    pub(super) addresses: Addresses,
    pub(super) sources: SourceAddresses,
    pub(super) sleep: Sleep,
    pub(super) control: Control,
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ping")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Options {
    host: Ipv4Addr,
    source: Option<SwIfIndex>,
    size: u16,
    interval: Duration,
    repeat: u32,
    table_id: u32,
    burst: u32,
    verbose: bool,
}

impl Ping {
    /// Registers the command.
    pub(super) fn register(self, cli: &mut CliRegistry) -> Result<(), DuplicateCommand> {
        cli.command_async("ping", HELP, move |task, line| {
            let own = self.clone();
            async move {
                let interface = |args: &mut Args<'_>| take_interface(args, &own.interfaces);
                let options = read(&mut Args::new(&line), interface)?;
                own.run(&task, &options).await
            }
        })
    }

    async fn run(&self, task: &CliTask, options: &Options) -> CliResult {
        let wanted = self.control.clock().now().as_nanos() as u16;
        let place = self.waiting.enter(wanted);
        let mut place = place.ok_or_else(|| CliError::new("too many pings at once"))?;
        let mut sent = Vec::new();
        let (mut requests, mut replies) = (0, 0);
        let mut interrupted = task.interrupted();
        for round in 1..=options.repeat {
            let sequence = round as u16;
            match self.ask(task, options, place.identifier, sequence) {
                Ok(()) => requests += u64::from(options.burst),
                Err(failure) => task.print(format_args!("Failed: {failure}")),
            }
            sent.push((sequence, self.control.clock().now()));
            if sent.len() > MOST_AT_ONCE as usize {
                sent.remove(0);
            }
            let mut pause = (self.sleep)(options.interval);
            loop {
                if round == options.repeat && replies >= requests {
                    break;
                }
                match next(&mut place, &mut interrupted, &mut pause).await {
                    Event::Answer(echo) => {
                        replies += 1;
                        task.print(line(&echo, &sent));
                    }
                    Event::Time => break,
                    Event::Key => {
                        task.print("Aborted due to a keypress.");
                        finish(task, requests, replies);
                        return Ok(());
                    }
                }
            }
        }
        finish(task, requests, replies);
        Ok(())
    }

    /// Sends the requests of one round.
    fn ask(
        &self,
        task: &CliTask,
        options: &Options,
        identifier: u16,
        sequence: u16,
    ) -> Result<(), Failure> {
        let (table, from) = self.origin(options)?;
        if options.verbose {
            task.print(format_args!("Source address: {from} "));
        }
        let request = EchoRequest {
            from,
            to: options.host,
            table,
            identifier,
            sequence,
            size: options.size,
        };
        request.send(&self.control, options.burst);
        Ok(())
    }

    /// The table that the host is looked up in, and the address to ask from.
    fn origin(&self, options: &Options) -> Result<(FibIndex, Ipv4Addr), Failure> {
        if let Some(index) = options.source {
            let table = self.addresses.table_of(index).map_err(|_| Failure::Table)?;
            let own = self.sources.towards(index, options.host);
            return own.map(|own| (table, own)).ok_or(Failure::Source);
        }
        let table = self.fib.find_table(AddressFamily::Ip4, options.table_id);
        let table = table.ok_or(Failure::Table)?;
        let own = source_towards(&self.fib, &self.sources, table, options.host)?;
        Ok((table, own))
    }
}

enum Event {
    Answer(Echo),
    Time,
    Key,
}

/// Waits for an answer, a key, or the end of the pause.
async fn next(
    place: &mut Place,
    interrupted: &mut Interrupted,
    pause: &mut Pin<Box<dyn Future<Output = ()>>>,
) -> Event {
    poll_fn(|cx: &mut Context<'_>| {
        if let Poll::Ready(Some(echo)) = place.answers.poll_recv(cx) {
            return Poll::Ready(Event::Answer(echo));
        }
        if Pin::new(&mut *interrupted).poll(cx).is_ready() {
            return Poll::Ready(Event::Key);
        }
        pause.as_mut().poll(cx).map(|()| Event::Time)
    })
    .await
}

/// The line of an answer. The number of bytes is VPP's: that of the packet, its header counted twice
/// (`vpp:src/plugins/ping/ping.c`).
fn line(echo: &Echo, sent: &[(u16, Instant)]) -> String {
    let Echo {
        from,
        sequence,
        ttl,
        bytes,
        at,
    } = *echo;
    let asked = sent.iter().rfind(|(known, _)| *known == sequence);
    let took = asked.map_or(Duration::ZERO, |(_, asked)| at.saturating_since(*asked));
    let time = decimals(took.as_secs_f64() * 1000.0);
    format!("{bytes} bytes from {from}: icmp_seq={sequence} ttl={ttl} time={time} ms")
}

fn finish(task: &CliTask, requests: u64, replies: u64) {
    let lost = requests.saturating_sub(replies);
    let loss = if requests == 0 {
        0.0
    } else {
        100.0 * lost as f64 / requests as f64
    };
    task.print("\n");
    task.print(format_args!(
        "Statistics: {requests} sent, {replies} received, {loss:.0}% packet loss"
    ));
}

/// Reads the arguments; `interface` takes an interface.
fn read(
    args: &mut Args<'_>,
    interface: impl Fn(&mut Args<'_>) -> Option<SwIfIndex>,
) -> Result<Options, CliError> {
    let _optional = args.keyword("ipv4");
    let Some(host) = args.ip4() else {
        return Err(expecting(
            "IP4/IP6 address",
            args,
            ". Usage: ping <addr> [source <intf>] [size <datasz>] [repeat <count>] [verbose]",
        ));
    };
    let mut options = Options {
        host,
        source: None,
        size: 60,
        interval: Duration::from_secs(1),
        repeat: 5,
        table_id: 0,
        burst: 1,
        verbose: false,
    };
    while !args.is_empty() {
        if args.keyword("source") {
            let unknown = || {
                let rest: String = args.rest().chars().take(64).collect();
                CliError::new(format!("unknown interface `{rest}'"))
            };
            options.source = Some(interface(&mut args.clone()).ok_or_else(unknown)?);
            let _taken = interface(args);
        } else if args.keyword("size") {
            options.size = number(args, "size")?;
            if options.size > MOST_BYTES {
                let size = options.size;
                return Err(CliError::new(format!(
                    "{size} is bigger than maximum allowed payload size {MOST_BYTES}"
                )));
            }
        } else if args.keyword("table-id") {
            options.table_id = number(args, "table-id")?;
        } else if args.keyword("repeat") {
            options.repeat = number(args, "repeat count")?;
        } else if args.keyword("burst") {
            options.burst = number(args, "burst count")?;
        } else if args.keyword("interval") {
            let what = "interval (floating point number)";
            let seconds = args.float().ok_or_else(|| expecting(what, args, ""))?;
            options.interval = Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_INTERVAL));
        } else if args.keyword("verbose") {
            options.verbose = true;
        } else {
            return Err(args.unknown_input());
        }
    }
    if !(1..=MOST_AT_ONCE).contains(&options.burst) {
        return Err(CliError::new(format!(
            "burst size must be between 1 and {MOST_AT_ONCE}"
        )));
    }
    Ok(options)
}

fn number<T: TryFrom<u64>>(args: &mut Args<'_>, what: &str) -> Result<T, CliError> {
    args.number().ok_or_else(|| expecting(what, args, ""))
}

fn expecting(what: &str, args: &Args<'_>, more: &str) -> CliError {
    let rest: String = args.rest().chars().take(64).collect();
    CliError::new(format!("expecting {what} but got `{rest}'{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_line(line: &str) -> Result<Options, CliError> {
        read(&mut Args::new(line), |args| {
            args.parsed(|word| Some(SwIfIndex(word.strip_prefix("pg")?.parse().ok()?)))
        })
    }

    #[test]
    fn arguments_come_in_any_order() {
        let options =
            read_line("10.0.0.2 repeat 2 size 100 interval 0.5 source pg1 burst 3 verbose");
        let options = options.unwrap();
        assert_eq!((options.repeat, options.size, options.burst), (2, 100, 3));
        assert_eq!(options.interval, Duration::from_millis(500));
        assert_eq!(
            (options.source, options.verbose),
            (Some(SwIfIndex(1)), true)
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (line, error) in [
            (
                "ipv4 host",
                "expecting IP4/IP6 address but got `host'. Usage: ping <addr> [source <intf>] [size <datasz>] [repeat <count>] [verbose]",
            ),
            ("1.1.1.1 source nowhere", "unknown interface `nowhere'"),
            (
                "1.1.1.1 size 40000",
                "40000 is bigger than maximum allowed payload size 32768",
            ),
            ("1.1.1.1 size big", "expecting size but got `big'"),
            ("1.1.1.1 burst 0", "burst size must be between 1 and 256"),
            ("1.1.1.1 quickly", "unknown input `quickly'"),
        ] {
            assert_eq!(read_line(line).unwrap_err().text(), error);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(1\\.1\\.1\\.1 )?(size |repeat |burst |interval )?\\PC{0,12}") {
            let _any = read_line(&text);
        }
    }
}
