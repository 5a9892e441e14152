//! Receive modes, and which threads serve and use the queues of a device.

use super::{Refusal, Served, existing, numbered, serve};
use crate::interface::{HwIfIndex, InterfaceError, Interfaces, RxMode, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry, CursorRun};
use barrow_messages::interface::{
    SwInterfaceGetDefaultRxMode, SwInterfaceGetDefaultRxModeReply, SwInterfaceRxPlacementDetails,
    SwInterfaceRxPlacementDump, SwInterfaceSetDefaultRxMode, SwInterfaceSetDefaultRxModeReply,
    SwInterfaceSetRxMode, SwInterfaceSetRxModeReply, SwInterfaceSetRxPlacement,
    SwInterfaceSetRxPlacementReply, SwInterfaceSetTxPlacement, SwInterfaceSetTxPlacementReply,
    SwInterfaceTxPlacementDetails, SwInterfaceTxPlacementGet, SwInterfaceTxPlacementGetReply,
};
use barrow_messages::interface_types::RxMode as WireMode;
use std::cell::Cell;
use std::rc::Rc;

pub(super) fn register(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetDefaultRxMode| {
            let mode = RxMode::from_wire(request.mode.0).ok_or(ApiError::INVALID_VALUE)?;
            interfaces.set_default_rx_mode(mode);
            Ok(SwInterfaceSetDefaultRxModeReply::default())
        },
    )?;
    serve(
        api,
        served,
        |interfaces, _: &SwInterfaceGetDefaultRxMode| {
            Ok(SwInterfaceGetDefaultRxModeReply {
                retval: 0,
                mode: WireMode(interfaces.default_rx_mode().to_wire()),
            })
        },
    )?;
    serve(api, served, |interfaces, request: &SwInterfaceSetRxMode| {
        set_rx_mode(interfaces, request)?;
        Ok(SwInterfaceSetRxModeReply::default())
    })?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetRxPlacement| {
            let hw = interfaces
                .device_of(request.sw_if_index.into())
                .map_err(numbered(ApiError::INVALID_VALUE))?;
            let worker = if request.is_main {
                Some(0)
            } else {
                usize::try_from(request.worker_id)
                    .ok()
                    .and_then(|worker| worker.checked_add(1))
            };
            let thread = worker.ok_or(InterfaceError::NoSuchWorker);
            thread
                .and_then(|thread| interfaces.place_rx(hw, request.queue_id, thread))
                .map_err(numbered(ApiError::UNIMPLEMENTED))?;
            Ok(SwInterfaceSetRxPlacementReply::default())
        },
    )?;
    serve(
        api,
        served,
        |interfaces, request: &SwInterfaceSetTxPlacement| {
            let hw = interfaces
                .device_of(request.sw_if_index.into())
                .map_err(numbered(ApiError::INVALID_VALUE))?;
            let threads: Vec<usize> = request.threads.iter().map(|id| *id as usize).collect();
            interfaces.place_tx(hw, request.queue_id, &threads)?;
            Ok(SwInterfaceSetTxPlacementReply::default())
        },
    )?;
    register_rx_dump(api, served)?;
    register_tx_get(api, served)
}

/// VPP answers 0 to any mode where there is no queue to change, and UNIMPLEMENTED (-9) to what fails.
fn set_rx_mode(interfaces: &Interfaces, request: &SwInterfaceSetRxMode) -> Result<(), Refusal> {
    let hw = interfaces
        .device_of(request.sw_if_index.into())
        .map_err(numbered(ApiError::INVALID_VALUE))?;
    let queue = request.queue_id_valid.then_some(request.queue_id);
    let mode = match request.mode {
        WireMode::RX_MODE_API_DEFAULT => Some(interfaces.default_rx_mode()),
        mode => RxMode::from_wire(mode.0),
    };
    let queueless = interfaces.hw(hw).is_none_or(|hw| hw.rx.is_empty());
    let mode = match mode {
        Some(mode) => mode,
        None if queueless && queue.is_none() => return Ok(()),
        None => return Err(ApiError::INVALID_VALUE.into()),
    };
    let set = interfaces.set_rx_mode(hw, queue, mode);
    set.map_err(numbered(ApiError::UNIMPLEMENTED))
}

/// A queue as a number that stays the same while the queue exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct QueueKey {
    hw: HwIfIndex,
    queue: u32,
}

impl QueueKey {
    const FIRST: Self = Self::of_device(HwIfIndex(0));
    /// More queues than any device has; devices are fewer than 2^20.
    const QUEUES: u32 = 1 << 12;

    const fn of_device(hw: HwIfIndex) -> Self {
        Self { hw, queue: 0 }
    }

    const fn next(self) -> Self {
        Self {
            hw: self.hw,
            queue: self.queue + 1,
        }
    }

    const fn from_cursor(cursor: u32) -> Self {
        Self {
            hw: HwIfIndex(cursor / Self::QUEUES),
            queue: cursor % Self::QUEUES,
        }
    }

    const fn cursor(self) -> u32 {
        self.hw.0 * Self::QUEUES + self.queue
    }

    /// The first queue at or behind this one, of all devices or one.
    fn find(
        self,
        interfaces: &Interfaces,
        only: Option<HwIfIndex>,
        queues: impl Fn(&crate::interface::HwInterface) -> usize,
    ) -> Option<Self> {
        let mut at = self;
        loop {
            if only.is_some_and(|only| only != at.hw) {
                return None;
            }
            let hw = interfaces.hw(at.hw);
            if hw.is_some_and(|hw| (at.queue as usize) < queues(&hw)) {
                return Some(at);
            }
            at = Self::of_device(interfaces.next_hw(HwIfIndex(at.hw.0 + 1))?);
        }
    }
}

fn register_rx_dump(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    let interfaces = served.interfaces.clone();
    api.dump(move |_, request: SwInterfaceRxPlacementDump| {
        let interfaces = interfaces.clone();
        let index = SwIfIndex::from(request.sw_if_index);
        let (mut from, only) = match interfaces.device_of(index) {
            _ if index.is_none() => (Some(QueueKey::FIRST), None),
            Ok(hw) => (Some(QueueKey::of_device(hw)), Some(hw)),
            Err(_) => (None, None),
        };
        move || {
            let key = from?.find(&interfaces, only, |hw| hw.rx.len());
            from = key.map(QueueKey::next);
            let QueueKey { hw, queue } = key?;
            let hw = interfaces.hw(hw)?;
            let placement = hw.rx.get(queue as usize)?;
            Some(SwInterfaceRxPlacementDetails {
                sw_if_index: hw.sw.into(),
                queue_id: queue,
                worker_id: placement.thread as u32,
                mode: WireMode(placement.mode.to_wire()),
            })
        }
    })
}

fn register_tx_get(api: &mut ApiRegistry, served: &Served) -> Result<(), ApiRegisterError> {
    let interfaces = served.interfaces.clone();
    api.cursor(move |_, request: SwInterfaceTxPlacementGet| {
        let interfaces = interfaces.clone();
        let only = tx_of(&interfaces, SwIfIndex::from(request.sw_if_index))?;
        let first = QueueKey::of_device(only.unwrap_or(HwIfIndex(0)));
        let from = first.max(QueueKey::from_cursor(request.cursor));
        let at = Rc::new(Cell::new(Some(from)));
        let (end, table) = (at.clone(), interfaces.clone());
        let queues = |hw: &crate::interface::HwInterface| hw.tx.len();
        let details = move || {
            let key = at.get()?.find(&interfaces, only, queues);
            at.set(key.map(QueueKey::next));
            let QueueKey { hw, queue } = key?;
            let hw = interfaces.hw(hw)?;
            let threads = hw.tx.get(queue as usize)?;
            Some(SwInterfaceTxPlacementDetails {
                sw_if_index: hw.sw.into(),
                queue_id: queue,
                shared: u8::from(threads.len() > 1),
                threads: threads.iter().map(|thread| *thread as u32).collect(),
            })
        };
        let reply = move || {
            let next = end.get().and_then(|key| key.find(&table, only, queues));
            SwInterfaceTxPlacementGetReply {
                retval: 0,
                cursor: next.map_or(u32::MAX, QueueKey::cursor),
            }
        };
        Ok(CursorRun::new(details, reply))
    })
}

/// The device whose transmit queues are asked for; nothing for all devices. Numbers as VPP's handler.
fn tx_of(interfaces: &Interfaces, index: SwIfIndex) -> Result<Option<HwIfIndex>, ApiError> {
    if QueueKey::FIRST
        .find(interfaces, None, |hw| hw.tx.len())
        .is_none()
    {
        return Err(ApiError::NO_SUCH_ENTRY);
    }
    if index.is_none() {
        return Ok(None);
    }
    existing(interfaces, index.into())?;
    let hw = interfaces.device_of(index);
    hw.map(Some).map_err(|_| ApiError::INVALID_INTERFACE)
}
