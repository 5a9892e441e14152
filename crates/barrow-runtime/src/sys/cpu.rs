//! Processors, and which of them a thread runs on.

use std::ffi::CString;
use std::fs;
use std::io;
use std::num::NonZeroU64;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors that this thread may run on, ascending.
///
/// # Errors
/// As the kernel says; does not happen on Linux with at most 1,024 processors.
pub fn allowed() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect())
}

/// How many processors are online in the machine; at least 1.
#[must_use]
pub fn online() -> usize {
    // "0-3,6": the kernel's list format.
    fs::read_to_string("/sys/devices/system/cpu/online")
        .ok()
        .and_then(|list| count(list.trim()))
        .unwrap_or(1)
}

fn count(list: &str) -> Option<usize> {
    list.split(',').try_fold(0, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some(sum + last.checked_sub(first)? + 1)
    })
}

/// Lets this thread run on these processors only.
///
/// # Errors
/// `InvalidInput` for an empty list or a number that Linux's set cannot hold; else the kernel's
/// answer, which is `InvalidInput` too when none of them is available to the process.
pub fn pin(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CpuSet::MAX_CPU {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("no processor {cpu}"),
            ));
        }
        set.set(cpu);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// The processor's name as its maker gives it, ASCII; "unknown" where the kernel does not tell.
#[must_use]
pub fn model_name() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    find_model(&info).unwrap_or_else(|| "unknown".into())
}

/// x86 says "model name"; ARM has "Model" on boards and "CPU part" everywhere.
fn find_model(info: &str) -> Option<String> {
    ["model name", "Model", "CPU part"].iter().find_map(|key| {
        let value = info.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == *key).then(|| value.trim())
        })?;
        Some(
            value
                .chars()
                .filter(|c| c.is_ascii_graphic() || *c == ' ')
                .collect(),
        )
    })
}

/// Names this thread in `top` and debuggers; cut to 15 bytes, and at a NUL.
pub fn name_thread(name: &str) {
    let bytes: Vec<u8> = name
        .bytes()
        .take(15)
        .take_while(|&byte| byte != 0)
        .collect();
    let name = CString::new(bytes).expect("cut before the first NUL");
    // Only an unreadable pointer can fail.
    let _ = rustix::thread::set_name(&name);
}

/// Makes this thread's timeouts as exact as the hardware allows, rather than late by up to 50 us.
pub fn exact_timers() {
    // Cannot fail for a value above 0; and late timers are no error.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_lists_are_counted() {
        assert_eq!(count("0"), Some(1));
        assert_eq!(count("0-3,6"), Some(5));
        assert_eq!(count("3-0"), None);
        assert_eq!(count("many"), None);
    }

    #[test]
    fn model_is_found_in_both_dialects() {
        let x86 = "processor\t: 0\nmodel name\t: Example(R) CPU @ 2.6GHz\n";
        assert_eq!(find_model(x86).as_deref(), Some("Example(R) CPU @ 2.6GHz"));
        assert_eq!(find_model("CPU part\t: 0xd4f\n").as_deref(), Some("0xd4f"));
        assert_eq!(find_model(""), None);
    }

    #[test]
    fn a_thread_can_be_pinned_to_one_of_its_processors() {
        std::thread::spawn(|| {
            let first = allowed().unwrap()[0];
            pin(&[first]).unwrap();
            assert_eq!(allowed().unwrap(), [first]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn impossible_processors_are_refused() {
        assert_eq!(
            pin(&[1 << 20]).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(pin(&[]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn names_of_any_kind_are_taken() {
        std::thread::spawn(|| {
            name_thread("barrow_worker_with_a_long_name");
            assert_eq!(
                rustix::thread::name().unwrap().to_bytes(),
                b"barrow_worker_w"
            );
            name_thread("a\0b");
        })
        .join()
        .unwrap();
    }
}
