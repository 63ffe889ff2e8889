//! Named points at which a test may kill the process.
//!
//! A crash test starts the real binary with `GLULAM_CRASH_AT=name` (or `name:3` for the third time that point is
//! reached) and the process sends itself SIGKILL there: no destructor, no flush, as when the power fails. In a build
//! without debug assertions [`hit`] compiles to nothing, so a released binary cannot be crashed this way.
//! This room knows nothing of the others and must stay free of dependencies beyond the signal itself.

/// The environment variable that arms one point.
pub const VARIABLE: &str = "GLULAM_CRASH_AT";

/// Kills the process with SIGKILL when this point is the armed one. Free in release builds.
#[inline]
pub fn hit(name: &str) {
    #[cfg(debug_assertions)]
    armed::hit(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn parse(value: &str) -> Armed {
        match value.rsplit_once(':') {
            Some((name, count)) if count.parse::<u64>().is_ok_and(|n| n > 0) => {
                Armed { name: name.to_owned(), left: AtomicU64::new(count.parse().unwrap_or(1)) }
            }
            _ => Armed { name: value.to_owned(), left: AtomicU64::new(1) },
        }
    }

    pub(super) fn hit(name: &str) {
        let armed = ARMED.get_or_init(|| std::env::var(super::VARIABLE).ok().map(|value| parse(&value)));
        let Some(armed) = armed else { return };
        if armed.name == name && armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::hint::spin_loop();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_count_behind_the_name_is_optional() {
            assert_eq!(parse("lake.commit.journal").left.load(Ordering::SeqCst), 1);
            let third = parse("lake.commit.rename:3");
            assert_eq!((third.name.as_str(), third.left.load(Ordering::SeqCst)), ("lake.commit.rename", 3));
        }
    }
}
