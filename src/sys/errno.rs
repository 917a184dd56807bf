//! Errors of the kernel: the check after a call, and the words for people.

use rustix::io::{Errno, Result};

/// The result of a libc call that returns -1 and sets `errno` where it fails.
pub(super) fn check(returned: libc::c_int) -> Result<libc::c_int> {
    if returned == -1 {
        Err(last())
    } else {
        Ok(returned)
    }
}

/// The calling thread's `errno`.
pub(super) fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// What the C library calls this error, such as `Permission denied`.
pub fn text(errno: Errno) -> String {
    let mut text = std::io::Error::from(errno).to_string();
    if let Some(end) = text.rfind(" (os error ") {
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Errno, check, text};

    #[test]
    fn the_text_has_no_number_in_it() {
        assert_eq!(text(Errno::ACCESS), "Permission denied");
    }

    #[test]
    fn only_minus_one_is_a_failure() {
        assert_eq!(check(0), Ok(0));
        assert_eq!(check(-2), Ok(-2));
        assert!(check(-1).is_err());
    }
}
