//! What the feature registers: node, messages, commands.

use crate::node::PortBlockNode;
use crate::portblock::{PortblockAddDel, PortblockAddDelReply, PortblockDetails, PortblockDump};
use crate::table::Blocked;
use barrow_engine::cli::CliError;
use barrow_engine::{About, Constraint, Control, EngineBuilder, Feature, RegisterError};
use barrow_features::interface::{Interfaces, SwIfIndex};
use barrow_messages::errors::Retval;
use barrow_messages::interface_types::InterfaceIndex;

/// The example feature.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortBlock;

impl Feature for PortBlock {
    fn about(&self) -> About {
        About::new("portblock", "Drops packets to blocked ports (an example)")
    }

    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let interfaces: Interfaces = engine.table()?;
        let blocked = Blocked::default();
        let of_node = blocked.clone();
        engine.node("portblock", move |_| PortBlockNode::new(of_node.clone()))?;
        let first = [Constraint::before("ip4-not-enabled")];
        engine.feature_on_arc("ip4-unicast", "portblock", first);
        let switch = Switch {
            interfaces,
            blocked,
            control: engine.control().clone(),
        };
        switch
            .clone()
            .register_messages(engine)
            .map_err(RegisterError::other)?;
        switch.register_commands(engine)
    }
}

/// The one way in which messages and commands change the table.
#[derive(Clone)]
struct Switch {
    interfaces: Interfaces,
    blocked: Blocked,
    control: Control,
}

impl Switch {
    fn set(&self, index: SwIfIndex, port: u16, on: bool) -> Result<(), Retval> {
        if self.interfaces.sw(index).is_none() {
            return Err(Retval::INVALID_SW_IF_INDEX);
        }
        if !self.blocked.set((index.0, port), on) {
            return Err(if on {
                Retval::VALUE_EXIST
            } else {
                Retval::NO_SUCH_ENTRY
            });
        }
        let needed = self.blocked.any_on(index.0);
        let switched = self
            .control
            .arcs()
            .enable("ip4-unicast", "portblock", index.0, needed, &[]);
        switched.map_err(|_| Retval::CANNOT_ENABLE_DISABLE_FEATURE)
    }

    fn register_messages(
        self,
        engine: &mut EngineBuilder,
    ) -> Result<(), barrow_engine::api::ApiRegisterError> {
        let api = engine.api();
        for module in crate::messages::MODULES {
            api.module(module)?;
        }
        let blocked = self.blocked.clone();
        api.request::<PortblockAddDel>(move |_, message| {
            let index = SwIfIndex(message.sw_if_index.0);
            self.set(index, message.port, message.is_add)?;
            Ok(PortblockAddDelReply::default())
        })?;
        api.dump::<PortblockDump, _>(move |_, _| {
            let (blocked, mut last) = (blocked.clone(), None);
            move || {
                let ((index, port), packets) = blocked.next(last)?;
                last = Some((index, port));
                Some(PortblockDetails {
                    sw_if_index: InterfaceIndex(index),
                    port,
                    packets,
                })
            }
        })
    }

    fn register_commands(self, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        let shown = self.clone();
        engine
            .cli()
            .command("portblock", "portblock IF PORT [del]", move |_, args| {
                let name = args
                    .word()
                    .ok_or_else(|| CliError::new("an interface is missing"))?;
                let index = self.interfaces.by_name(name);
                let index =
                    index.ok_or_else(|| CliError::new(format!("unknown interface {name}")))?;
                let port = args
                    .number()
                    .ok_or_else(|| CliError::new("a port is missing"))?;
                let on = !args.keyword("del");
                args.finish()?;
                self.set(index, port, on)
                    .map_err(|refused| CliError::new(refused.to_string()))
            })?;
        engine
            .cli()
            .command("show portblock", "show portblock", move |cx, _| {
                let mut last = None;
                while let Some(((index, port), packets)) = shown.blocked.next(last) {
                    let name = shown.interfaces.name(SwIfIndex(index)).unwrap_or_default();
                    cx.print(format_args!(
                        "{name} port {port}: {packets} packets dropped\n"
                    ));
                    last = Some((index, port));
                }
                Ok(())
            })?;
        Ok(())
    }
}
