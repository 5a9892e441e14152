//! What the feature `ping` registers.

use super::cli::Ping;
use super::node::Ip4EchoReply;
use super::waiting::Waiting;
use crate::icmp::header::kind;
use crate::icmp::input::IcmpTypes;
use barrow_engine::cli::sleep_on;
use barrow_engine::{About, EngineBuilder, Feature, RegisterError};

/// The command `ping` and the node that takes the answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct PingFeature;

impl Feature for PingFeature {
    fn about(&self) -> About {
        About::new("ping", "Ping (ICMP echo)")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let waiting = Waiting::default();
        let of_node = waiting.clone();
        let replies = engine.node("ip4-icmp-echo-reply", move |_| {
            Ip4EchoReply::new(of_node.clone())
        })?;
        let types: IcmpTypes = engine.table()?;
        types.register(kind::ECHO_REPLY, replies);
        let control = engine.control().clone();
        let ping = Ping {
            waiting,
            interfaces: engine.table()?,
            fib: engine.table()?,
            addresses: engine.table()?,
            sources: engine.table()?,
            sleep: sleep_on(control.spawner()),
            control,
        };
        Ok(ping.register(engine.cli())?)
    }
}
