//! What happens after a run ended.

use crate::Backoff;

/// Whether a process node runs again. A node that returned `Ok` never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Restart {
    /// It stays ended.
    #[default]
    Never,
    /// It starts again at once after an error or a panic.
    OnFailure,
    /// It starts again after a delay that doubles with each failure; a run that lasted longer
    /// than the longest delay starts the count anew.
    AfterBackoff(Backoff),
}
