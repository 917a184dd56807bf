//! How many descriptors we may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the most descriptors that we may have open to `wanted`, or as near as we may, and returns what it is now.
///
/// The limit that is usual (1024) would end the watch long before the client table is full.
pub fn raise(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (soft, hard) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    if soft >= wanted {
        return soft;
    }
    let limit = |soft, hard| Rlimit {
        current: Some(soft),
        maximum: Some(hard),
    };
    let tries = [
        limit(wanted, hard.max(wanted)),
        limit(wanted.min(hard), hard),
    ];
    let done = tries
        .into_iter()
        .find(|&limit| setrlimit(Resource::Nofile, limit).is_ok());
    done.and_then(|limit| limit.current).unwrap_or(soft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_limit_is_raised_and_never_lowered() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert_eq!(raise(0), before);
        let raised = raise(before.saturating_add(1));
        assert!(raised >= before);
        assert_eq!(
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            raised
        );
    }
}
