//! A packet generator interface as the table of interfaces sees it.

use super::tx::PortShared;
use crate::interface::{Device, HwIfIndex, InterfaceError};
use barrow_messages::ethernet_types::MacAddress;
use std::sync::Arc;

/// The device of one interface: takes every setting, for there is no hardware that could refuse.
#[derive(Debug)]
pub(super) struct PgDevice {
    pub(super) shared: Arc<PortShared>,
}

impl Device for PgDevice {
    fn class(&self) -> &'static str {
        "pg"
    }

    fn set_admin(&mut self, _hw: HwIfIndex, _up: bool) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn set_mac(&mut self, _hw: HwIfIndex, _mac: MacAddress) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn add_del_mac(
        &mut self,
        _hw: HwIfIndex,
        _mac: MacAddress,
        _add: bool,
    ) -> Result<(), InterfaceError> {
        Ok(())
    }

    fn remove(&mut self, _hw: HwIfIndex) {
        self.shared.capture.stop();
    }
}
