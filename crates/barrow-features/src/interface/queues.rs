//! Queues: how receive queues are served, and which threads serve and use them.

use super::{HwIfIndex, InterfaceError, Interfaces, RxMode};

impl Interfaces {
    /// How queues are served that nobody gave a mode.
    #[must_use]
    pub fn default_rx_mode(&self) -> RxMode {
        self.default_rx_mode.get()
    }

    /// Changes how the queues of later interfaces are served.
    pub fn set_default_rx_mode(&self, mode: RxMode) {
        self.default_rx_mode.set(mode);
    }

    /// Changes how one receive queue of a device is served, or all of them; a device without queues has
    /// nothing to change.
    ///
    /// # Errors
    /// [`NoSuchQueue`](InterfaceError::NoSuchQueue), or what the device refused; queues before the refused
    /// one are changed.
    pub fn set_rx_mode(
        &self,
        hw: HwIfIndex,
        queue: Option<u32>,
        mode: RxMode,
    ) -> Result<(), InterfaceError> {
        let queues = match queue {
            Some(queue) => {
                self.rx_queue(hw, queue)?;
                queue..queue + 1
            }
            None => 0..self.table.borrow().hw(hw)?.rx.len() as u32,
        };
        for queue in queues {
            if self.rx_queue(hw, queue)?.mode != mode {
                self.with_device(hw, |device| device.set_rx_mode(hw, queue, mode))?;
                self.change_hw(hw, |hw| hw.rx[queue as usize].mode = mode)?;
            }
        }
        Ok(())
    }

    /// Lets another thread serve a receive queue.
    ///
    /// # Errors
    /// [`NoSuchWorker`](InterfaceError::NoSuchWorker), [`NoSuchQueue`](InterfaceError::NoSuchQueue), or what
    /// the device refused.
    pub fn place_rx(&self, hw: HwIfIndex, queue: u32, thread: usize) -> Result<(), InterfaceError> {
        if thread >= self.nodes.threads() {
            return Err(InterfaceError::NoSuchWorker);
        }
        if self.rx_queue(hw, queue)?.thread == thread {
            return Ok(());
        }
        self.with_device(hw, |device| device.place_rx(hw, queue, thread))?;
        self.change_hw(hw, |hw| hw.rx[queue as usize].thread = thread)
    }

    /// Lets these threads, and no others, send by a transmit queue.
    ///
    /// # Errors
    /// [`InvalidValue`](InterfaceError::InvalidValue) for a thread that does not exist,
    /// [`NoSuchQueue`](InterfaceError::NoSuchQueue), or what the device refused.
    pub fn place_tx(
        &self,
        hw: HwIfIndex,
        queue: u32,
        threads: &[usize],
    ) -> Result<(), InterfaceError> {
        let mut threads = threads.to_vec();
        threads.sort_unstable();
        threads.dedup();
        if threads
            .last()
            .is_some_and(|last| *last >= self.nodes.threads())
        {
            return Err(InterfaceError::InvalidValue("thread"));
        }
        let known = {
            let table = self.table.borrow();
            let queue = table.hw(hw)?.tx.get(queue as usize);
            queue.ok_or(InterfaceError::NoSuchQueue)? == &threads
        };
        if known {
            return Ok(());
        }
        self.with_device(hw, |device| device.place_tx(hw, queue, &threads))?;
        self.change_hw(hw, |hw| hw.tx[queue as usize] = threads)
    }

    fn rx_queue(&self, hw: HwIfIndex, queue: u32) -> Result<super::RxPlacement, InterfaceError> {
        let table = self.table.borrow();
        let placement = table.hw(hw)?.rx.get(queue as usize).copied();
        placement.ok_or(InterfaceError::NoSuchQueue)
    }
}
