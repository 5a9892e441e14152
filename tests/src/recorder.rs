//! A socket that passes a client's bytes on to the node and keeps a copy: what a client really says.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Stands between one client and a socket of the node.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Listens at `path` for one client, on behalf of `target`.
    ///
    /// # Errors
    /// When `path` cannot be listened on.
    pub fn start(path: PathBuf, target: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let (kept, target) = (said.clone(), target.to_path_buf());
        std::thread::spawn(move || -> io::Result<()> {
            let (client, _) = listener.accept()?;
            let node = UnixStream::connect(target)?;
            let (from_node, to_client) = (node.try_clone()?, client.try_clone()?);
            std::thread::spawn(move || pass(from_node, to_client, |_| ()));
            pass(client, node, |bytes| {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(bytes);
            });
            Ok(())
        });
        Ok(Self { path, said })
    }

    /// Where the client is to connect.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the client has said so far.
    #[must_use]
    pub fn said(&self) -> Vec<u8> {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Copies bytes until one side is gone; the end of one direction is passed on too.
fn pass(mut from: UnixStream, mut to: UnixStream, mut see: impl FnMut(&[u8])) {
    let mut chunk = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        see(&chunk[..length]);
        if to.write_all(&chunk[..length]).is_err() {
            break;
        }
    }
    // The other side may be gone already.
    to.shutdown(Shutdown::Write).ok();
}
