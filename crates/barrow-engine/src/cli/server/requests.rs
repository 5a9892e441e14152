//! Writing down what is asked.

use crate::log::log_date;
use std::{
    cell::RefCell,
    fs::File,
    io::{self, Write},
    path::Path,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The file of `unix { log FILE }`: each request with its time and session.
#[derive(Debug, Clone)]
pub struct RequestLog {
    file: Rc<RefCell<File>>,
}

impl RequestLog {
    /// Appends to the file of this name.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self {
            file: Rc::new(RefCell::new(file)),
        })
    }

    pub(super) fn write(&self, session: &str, request: &str) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let line = format!("{}[{session}]: {}\n", log_date(now), request.trim_end());
        // A full disk must not end a session.
        self.file.borrow_mut().write_all(line.as_bytes()).ok();
    }
}
