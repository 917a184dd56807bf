//! Giving up what is no longer needed, for good.

#![allow(unsafe_code)]

use super::errno::{self, check};
use super::users::User;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};
use std::fmt;

/// A call that did not give up what it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was to be done.
    pub what: &'static str,
    /// Why it was not.
    pub errno: Errno,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, errno::text(self.errno))
    }
}

impl std::error::Error for Error {}

fn failed(what: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error { what, errno }
}

/// Becomes this user, with these groups and no others, in every thread and beyond return.
///
/// # Errors
/// The first call that failed; some of the identity may have changed by then, so that the caller must not go on.
pub fn become_user(user: &User) -> Result<(), Error> {
    let User {
        uid,
        gid,
        ref groups,
    } = *user;
    // SAFETY: the pointer is to as many groups as the length says.
    check(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })
        .map_err(failed("set the groups"))?;
    // SAFETY: three integers.
    check(unsafe { libc::setresgid(gid, gid, gid) }).map_err(failed("set the group"))?;
    // SAFETY: three integers.
    check(unsafe { libc::setresuid(uid, uid, uid) }).map_err(failed("set the user"))?;
    let mut now = [[u32::MAX; 3]; 2];
    let [[u1, u2, u3], [g1, g2, g3]] = &mut now;
    // SAFETY: three pointers to room for an id each.
    check(unsafe { libc::getresuid(u1, u2, u3) }).map_err(failed("get the user"))?;
    // SAFETY: three pointers to room for an id each.
    check(unsafe { libc::getresgid(g1, g2, g3) }).map_err(failed("get the group"))?;
    // SAFETY: an integer. It has to fail, unless there is nothing to return to.
    let returned = uid != 0 && unsafe { libc::setuid(0) } == 0;
    if now != [[uid; 3], [gid; 3]] || returned {
        return Err(Error {
            what: "give up the old user for good",
            errno: Errno::PERM,
        });
    }
    Ok(())
}

/// Gives up the rest, for the calling thread and those it starts: gaining privileges by exec, all
/// capabilities but `kept`, and, since they would show memory to others, core dumps and being traced.
///
/// /proc/self belongs to root from then on, so that whatever is read there must be read before.
pub fn harden(kept: CapabilitySet) -> Result<(), Error> {
    set_no_new_privs(true).map_err(failed("set no_new_privs"))?;
    // Without CAP_SETPCAP the bounding set stays, and no_new_privs makes it one of no use. Numbers beyond the last
    // capability are refused, and the kernel has no ambient set before 4.3.
    for capability in CapabilitySet::all().difference(kept).iter() {
        let _ = remove_capability_from_bounding_set(capability);
    }
    let _ = clear_ambient_capability_set();
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(failed("give up the capabilities"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("forbid core dumps"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::scratch::alone;
    use rustix::thread::capabilities;
    use std::fs;

    #[test]
    fn root_becomes_nobody_for_good_and_nobody_becomes_root() {
        alone(|| {
            let root = User {
                uid: 0,
                gid: 0,
                groups: vec![0],
            };
            if rustix::process::geteuid().is_root() {
                become_user(&User {
                    uid: 65534,
                    gid: 65534,
                    groups: vec![65534, 12],
                })
                .unwrap();
                let status = fs::read_to_string("/proc/self/status").unwrap();
                assert!(
                    status.contains("\nUid:\t65534\t65534\t65534\t65534\n"),
                    "{status}"
                );
                assert!(
                    status.contains("\nGid:\t65534\t65534\t65534\t65534\n"),
                    "{status}"
                );
                assert!(status.contains("\nGroups:\t12 65534 \n"), "{status}");
                assert!(fs::read("/etc/shadow").is_err());
            }
            assert_eq!(become_user(&root).unwrap_err().errno, Errno::PERM);
        });
    }

    #[test]
    fn nothing_is_left_to_a_hardened_process() {
        alone(|| {
            harden(CapabilitySet::empty()).unwrap();
            let sets = capabilities(None).unwrap();
            assert!(sets.effective.is_empty() && sets.permitted.is_empty());
            assert_eq!(rustix::thread::no_new_privs(), Ok(true));
            assert_eq!(rustix::process::chroot("/"), Err(Errno::PERM));
        });
    }
}
