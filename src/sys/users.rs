//! Users and groups by name or number, from whatever database the C library asks.

#![allow(unsafe_code)]

use super::errno;
use core::mem::MaybeUninit;
use core::ptr;
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::fmt;

/// Most bytes of one entry's strings; groups with many members have long ones.
const ENTRY_MAX: usize = 1 << 20;

/// Whom to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// All groups, the primary one included.
    pub groups: Vec<u32>,
}

/// Why a name means nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No user is called so.
    UnknownUser(String),
    /// No group is called so.
    UnknownGroup(String),
    /// The database cannot be asked.
    Lookup(String, Errno),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownUser(name) => write!(f, "unknown user '{}'", name.escape_default()),
            Error::UnknownGroup(name) => write!(f, "unknown group '{}'", name.escape_default()),
            Error::Lookup(name, code) => {
                write!(
                    f,
                    "cannot look up '{}': {}",
                    name.escape_default(),
                    errno::text(*code)
                )
            }
        }
    }
}

impl std::error::Error for Error {}

/// Finds a user by name, else by number.
///
/// A number that has no entry is taken as it is, with the group of the same number and no other, so that
/// machines without /etc/passwd can be served.
pub fn user(text: &str) -> Result<User, Error> {
    let unknown = || Error::UnknownUser(text.to_owned());
    let name = CString::new(text).map_err(|_| unknown())?;
    if let Some((uid, gid, name)) =
        by_name(&name).map_err(|code| Error::Lookup(text.to_owned(), code))?
    {
        return Ok(User {
            uid,
            gid,
            groups: groups_of(&name, gid),
        });
    }
    let uid = number(text).ok_or_else(unknown)?;
    match by_number(uid).map_err(|code| Error::Lookup(text.to_owned(), code))? {
        Some((uid, gid, name)) => Ok(User {
            uid,
            gid,
            groups: groups_of(&name, gid),
        }),
        None => Ok(User {
            uid,
            gid: uid,
            groups: vec![uid],
        }),
    }
}

/// Finds a group by name, else by number; a number needs no entry.
pub fn group(text: &str) -> Result<u32, Error> {
    let unknown = || Error::UnknownGroup(text.to_owned());
    let name = CString::new(text).map_err(|_| unknown())?;
    let found = lookup(|entry, strings, size, found| {
        // SAFETY: name ends in NUL, and the three pointers are to room that the call may fill, `size` bytes of strings.
        unsafe { libc::getgrnam_r(name.as_ptr(), entry, strings, size, found) }
    });
    let found = found.map_err(|code| Error::Lookup(text.to_owned(), code))?;
    found
        .map(|(group, _)| group.gr_gid)
        .or_else(|| number(text))
        .ok_or_else(unknown)
}

/// A decimal number other than -1, which to the kernel means "leave as it is".
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|&number| digits && number != u32::MAX)
}

type Entry = (u32, u32, CString);

fn by_name(name: &CStr) -> Result<Option<Entry>, Errno> {
    let found = lookup(|entry, strings, size, found| {
        // SAFETY: name ends in NUL, and the three pointers are to room that the call may fill, `size` bytes of strings.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, strings, size, found) }
    })?;
    Ok(found.map(entry))
}

fn by_number(uid: u32) -> Result<Option<Entry>, Errno> {
    let found = lookup(|entry, strings, size, found| {
        // SAFETY: the three pointers are to room that the call may fill, `size` bytes of strings.
        unsafe { libc::getpwuid_r(uid, entry, strings, size, found) }
    })?;
    Ok(found.map(entry))
}

fn entry((entry, _strings): (libc::passwd, Vec<libc::c_char>)) -> Entry {
    // SAFETY: the name is a string within _strings, which is still there.
    let name = unsafe { CStr::from_ptr(entry.pw_name) };
    (entry.pw_uid, entry.pw_gid, name.to_owned())
}

/// Makes one of the `_r` calls with ever more room for strings, and returns the entry with the strings it points into.
fn lookup<T>(
    call: impl Fn(*mut T, *mut libc::c_char, usize, *mut *mut T) -> libc::c_int,
) -> Result<Option<(T, Vec<libc::c_char>)>, Errno> {
    let mut strings = vec![0; 1024];
    loop {
        let mut entry = MaybeUninit::uninit();
        let mut found = ptr::null_mut();
        let code = call(
            entry.as_mut_ptr(),
            strings.as_mut_ptr(),
            strings.len(),
            &raw mut found,
        );
        match code {
            0 if found.is_null() => return Ok(None),
            // SAFETY: the call has found an entry, which it put where `found` now points: into `entry`.
            0 => return Ok(Some((unsafe { entry.assume_init() }, strings))),
            libc::ERANGE if strings.len() < ENTRY_MAX => strings.resize(strings.len() * 2, 0),
            libc::EINTR => {}
            // A database that is not there at all knows nobody.
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            code => return Err(Errno::from_raw_os_error(code)),
        }
    }
}

/// All groups of a user; the primary one alone where the database cannot be asked.
fn groups_of(name: &CStr, gid: u32) -> Vec<u32> {
    let mut groups = vec![0; 64];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: name ends in NUL; the call writes at most `count` groups, which is how many there is room for.
        let fits =
            unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &raw mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if fits >= 0 {
            groups.truncate(count);
            return groups;
        }
        if count <= groups.len() {
            return vec![gid];
        }
        groups.resize(count, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let root = user("root").unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert!(root.groups.contains(&0));
        assert_eq!(user("0"), Ok(root));
    }

    #[test]
    fn a_number_needs_no_entry() {
        assert_eq!(
            user("4000000000"),
            Ok(User {
                uid: 4_000_000_000,
                gid: 4_000_000_000,
                groups: vec![4_000_000_000]
            })
        );
        assert_eq!(group("4000000000"), Ok(4_000_000_000));
    }

    #[test]
    fn a_group_is_found_by_name() {
        assert_eq!(group("root"), Ok(0));
    }

    #[test]
    fn what_is_neither_is_unknown() {
        for text in [
            "",
            "no such",
            "-1",
            "+1",
            "4294967295",
            "4294967296",
            "a\0b",
        ] {
            assert_eq!(user(text), Err(Error::UnknownUser(text.to_owned())));
            assert_eq!(group(text), Err(Error::UnknownGroup(text.to_owned())));
        }
    }
}
