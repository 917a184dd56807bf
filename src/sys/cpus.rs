//! How many CPUs this process may use.

use rustix::thread::sched_getaffinity;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread::available_parallelism;

/// The CPUs that the scheduler may run us on, or fewer where a control group has less time for us; at least 1.
///
/// A quota of one and a half CPUs counts as 2: a pool that is a little too large keeps the quota busy.
pub fn usable() -> u32 {
    let allowed = match sched_getaffinity(None) {
        Ok(cpus) => cpus.count(),
        // More CPUs than the set has room for.
        Err(_) => available_parallelism()
            .map_or(1, NonZeroUsize::get)
            .try_into()
            .unwrap_or(1),
    };
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    quota(&groups, Path::new("/sys/fs/cgroup"))
        .map_or(allowed, |quota| quota.min(allowed))
        .max(1)
}

/// The least quota of our control groups and those above them, in CPUs, rounded up.
///
/// `groups` is /proc/self/cgroup, `mounts` where the hierarchies are mounted. A group whose path is not there, as in a
/// container that sees its own as the root, is found by going up.
fn quota(groups: &str, mounts: &Path) -> Option<u32> {
    let quotas = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (mount, read): (_, fn(&Path) -> Option<u32>) = match controllers {
            "" => (mounts.to_owned(), version_2),
            _ if controllers.split(',').any(|name| name == "cpu") => {
                let joint = mounts.join(controllers);
                (
                    if joint.exists() {
                        joint
                    } else {
                        mounts.join("cpu")
                    },
                    version_1,
                )
            }
            _ => return None,
        };
        let path = Path::new(path.trim_start_matches('/'));
        path.ancestors()
            .filter_map(|group| read(&mount.join(group)))
            .min()
    });
    quotas.min()
}

/// `cpu.max`: microseconds of CPU time and of the period they are for; `max` for no quota.
fn version_2(group: &Path) -> Option<u32> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    cpus(quota, period)
}

/// The same in two files; -1 for no quota.
fn version_1(group: &Path) -> Option<u32> {
    let read = |name| fs::read_to_string(group.join(name)).ok();
    cpus(&read("cpu.cfs_quota_us")?, &read("cpu.cfs_period_us")?)
}

/// A quota in CPUs, rounded up; `None` where it is no number.
fn cpus(quota: &str, period: &str) -> Option<u32> {
    let (quota, period): (u64, u64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    if period == 0 {
        None
    } else {
        quota.div_ceil(period).max(1).try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::scratch::Directory;

    #[test]
    fn there_is_at_least_one_cpu_and_no_more_than_the_machine_has() {
        let online = available_parallelism().unwrap().get();
        assert!(usable() >= 1);
        // The library rounds a quota down.
        assert!(usable() as usize <= online + 1);
    }

    #[test]
    fn a_quota_is_rounded_up() {
        assert_eq!(cpus("150000", "100000"), Some(2));
        assert_eq!(cpus("200000\n", "100000\n"), Some(2));
        assert_eq!(cpus("1000", "100000"), Some(1));
        assert_eq!(cpus("max", "100000"), None);
        assert_eq!(cpus("-1", "100000"), None);
        assert_eq!(cpus("1", "0"), None);
    }

    #[test]
    fn the_least_quota_on_the_way_up_counts() {
        let mounts = Directory::new("cpus");
        let write = |path: &str, text: &str| {
            let path = mounts.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/cpu.max", "300000 100000\n");
        write("a/b/cpu.max", "max 100000\n");
        assert_eq!(quota("0::/a/b\n", mounts.path()), Some(3));
        assert_eq!(quota("0::/elsewhere\n", mounts.path()), None);

        write("cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
        write("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        let hybrid = "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x\n0::/\n";
        assert_eq!(quota(hybrid, mounts.path()), Some(3));
        assert_eq!(quota("", mounts.path()), None);
    }
}
