//! Threads for work that blocks.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use barrow_core::{Offload, process::OffloadJob};

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// How many threads there are at most, and how much work may wait for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffloadLimits {
    /// Threads; started when work comes, ended after ten idle seconds.
    pub threads: usize,
    /// Jobs that wait for one of them; more are refused.
    pub waiting: usize,
}

impl Default for OffloadLimits {
    fn default() -> Self {
        Self {
            threads: 4,
            waiting: 256,
        }
    }
}

#[derive(Default)]
struct State {
    jobs: VecDeque<OffloadJob>,
    threads: usize,
    idle: usize,
    closed: bool,
}

struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, limits: OffloadLimits, job: OffloadJob) -> Result<(), OffloadJob> {
        let mut state = self.lock();
        if state.jobs.len() >= limits.waiting {
            return Err(job);
        }
        let start = state.idle <= state.jobs.len() && state.threads < limits.threads;
        if start {
            let pool = self.clone();
            let started = thread::Builder::new()
                .name("barrow_offload".into())
                .spawn(move || pool.serve());
            match started {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads == 0 => return Err(job),
                Err(_) => {} // those that run do it, later
            }
        }
        state.jobs.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// One thread's life.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job(); // catches its own panics
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let wait = self.work.wait_timeout(state, IDLE);
            let (woken, waited) = wait.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}

/// Closes the pool with the host: what waits is dropped, so that those who await it learn.
struct Owner(Arc<Pool>);

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        self.0.work.notify_all();
        drop(jobs);
    }
}

/// Threads that process nodes of a host may use for work that blocks
/// ([`ProcessContext::offload`](barrow_core::ProcessContext::offload)); every [`Worker`](super::Worker)
/// offers some. They end with the host, after the job they are at.
#[must_use]
pub fn offload_threads(limits: OffloadLimits) -> Offload {
    let pool = Owner(Arc::new(Pool {
        state: Mutex::default(),
        work: Condvar::new(),
    }));
    Offload::new(move |job| pool.0.submit(limits, job))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn pool(threads: usize, waiting: usize) -> (Owner, OffloadLimits) {
        let pool = Arc::new(Pool {
            state: Mutex::default(),
            work: Condvar::new(),
        });
        (Owner(pool), OffloadLimits { threads, waiting })
    }

    #[test]
    fn work_runs_on_few_threads_and_too_much_is_refused() {
        let (owner, limits) = pool(1, 2);
        let (release, held) = mpsc::channel::<()>();
        let (done, finished) = mpsc::channel();
        let began = done.clone();
        let first = move || {
            began.send(0).unwrap();
            held.recv().unwrap();
        };
        assert!(owner.0.submit(limits, Box::new(first)).is_ok());
        assert_eq!(finished.recv(), Ok(0), "the only thread is at it");
        for n in 1..=2 {
            let done = done.clone();
            let job = Box::new(move || done.send(n).unwrap());
            assert!(owner.0.submit(limits, job).is_ok());
        }
        assert!(owner.0.submit(limits, Box::new(|| {})).is_err());
        release.send(()).unwrap();
        assert_eq!((finished.recv(), finished.recv()), (Ok(1), Ok(2)));
        assert_eq!(owner.0.lock().threads, 1);
    }

    #[test]
    fn what_waits_is_dropped_with_the_host() {
        let (owner, limits) = pool(1, 8);
        let (release, held) = mpsc::channel::<()>();
        let (began, first) = mpsc::channel();
        let job = move || {
            began.send(()).unwrap();
            // The test's end releases it.
            let _released = held.recv();
        };
        assert!(owner.0.submit(limits, Box::new(job)).is_ok());
        first.recv().unwrap();
        let (never, dropped) = mpsc::channel::<()>();
        let waits = Box::new(move || never.send(()).unwrap());
        assert!(owner.0.submit(limits, waits).is_ok());
        drop(owner);
        assert!(
            dropped.recv().is_err(),
            "its captures are dropped, it never ran"
        );
        drop(release);
    }
}
