use super::table::{JOBS, JOBS_OR_NONE, MEBIBYTES, PERCENT};
use super::*;

fn parse(line: &str) -> Result<Options, String> {
    match Options::parse(line.split_whitespace().map(OsString::from)) {
        Ok(Command::Serve(options)) => Ok(options),
        Ok(Command::Print(text)) => panic!("{text}"),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks `get` after each of `spellings`, after two of which the last must win, and without any.
#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(
    spellings: &[&str],
    get: impl Fn(&Options) -> T,
    default: T,
    expected: T,
) {
    assert_eq!(get(&parse("").unwrap()), default);
    for line in spellings {
        let options =
            parse(&format!("-j 64 {line}")).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(get(&options), expected, "{line}");
    }
}

#[track_caller]
fn refuse(option: &str, values: &[&str], expected: &str) {
    for value in values {
        let text = format!("bad value \"{value}\" for --{option}: expected {expected}");
        assert_eq!(parse(&format!("--{option}={value}")).unwrap_err(), text);
    }
}

#[test]
fn the_table_is_sound() {
    cli::check_table(&PROGRAM);
}

#[test]
fn jobs() {
    let all = ["-j6", "-j 6", "--jobs=6", "--jobs 6", "-vj 6", "-j1 -j6"];
    check(&all, |o| o.jobs, None, Some(6));
    check(&["-j4096"], |o| o.jobs, None, Some(4096));
    refuse(
        "jobs",
        &["0", "4097", "-1", "six", "", "6.5", "99999999999999999999"],
        JOBS,
    );
}

#[test]
fn jobs_default_to_the_cpus_of_this_process() {
    assert_eq!(u32::from(parse("").unwrap().jobs()), cpus::usable());
}

#[test]
fn min_jobs() {
    let all = ["-m6", "-m 6", "--min-jobs=6", "--min-jobs 6", "-m1 -m6"];
    check(&all, |o| o.min_jobs, 1, 6);
    check(&["-m0"], |o| o.min_jobs, 1, 0);
    refuse("min-jobs", &["4097", "-1", "x"], JOBS_OR_NONE);
}

#[test]
fn min_jobs_are_compared_with_the_final_jobs() {
    assert_eq!(parse("-m6 -j2 -j8").unwrap().min_jobs, 6);
    assert_eq!(
        parse("-j8 -m6 -j2").unwrap_err(),
        "bad value \"6\" for --min-jobs: expected a whole number from 0 to 2, the number of jobs"
    );
}

#[test]
fn per_process_limit() {
    let all = [
        "-p6",
        "-p 6",
        "--per-process-limit=6",
        "--per-process-limit 6",
        "-p1 -p6",
    ];
    check(&all, |o| o.per_process_limit, 0, 6);
    refuse("per-process-limit", &["4097", "-1"], JOBS_OR_NONE);
}

#[test]
fn load_average() {
    let all = [
        "-l13.2",
        "-l 13.2",
        "--load-average=13.2",
        "--load-average 13.2",
        "-l1 -l13.2",
    ];
    check(&all, |o| o.load_average, None, Some(13_200_000));
    refuse(
        "load-average",
        &["0", "-1", "0.0000001", "inf"],
        "a decimal above 0",
    );
}

#[test]
fn min_memory_avail() {
    let all = [
        "-a512",
        "-a 512",
        "--min-memory-avail=512",
        "--min-memory-avail 512",
        "-a1 -a512",
    ];
    check(&all, |o| o.min_memory_avail, None, Some(512));
    check(&["-a0", "-a5 -a0"], |o| o.min_memory_avail, None, None);
    refuse("min-memory-avail", &["-1", "1.5", "4294967296"], MEBIBYTES);
}

#[test]
fn job_memory() {
    let all = [
        "--job-memory=512",
        "--job-memory 512",
        "--job-memory 1 --job-memory 512",
    ];
    check(&all, |o| o.job_memory, 0, 512);
    refuse("job-memory", &["-1", "x"], MEBIBYTES);
}

#[test]
fn pressures() {
    let get = |o: &Options| (o.max_cpu_pressure, o.max_memory_pressure, o.max_io_pressure);
    let all = [
        "--max-cpu-pressure=1.5 --max-memory-pressure=2 --max-io-pressure=100",
        "--max-cpu-pressure 9 --max-io-pressure 100 --max-memory-pressure 2 --max-cpu-pressure 1.5",
    ];
    check(
        &all,
        get,
        (None, None, None),
        (Some(1_500_000), Some(2_000_000), Some(100_000_000)),
    );
    for option in ["max-cpu-pressure", "max-memory-pressure", "max-io-pressure"] {
        refuse(option, &["0", "-1", "100.000001", "5%"], PERCENT);
    }
}

#[test]
fn load_recheck_timeout() {
    let all = [
        "-r2.5",
        "-r 2.5",
        "--load-recheck-timeout=2.5",
        "--load-recheck-timeout 2.5",
        "-r1 -r2.5",
    ];
    check(&all, |o| o.load_recheck_timeout, 500_000, 2_500_000);
    refuse(
        "load-recheck-timeout",
        &["0", "-1"],
        "a number of seconds above 0",
    );
}

#[test]
fn names_of_the_device() {
    let all = [
        "--dev-name=steve.test",
        "--dev-name steve.test",
        "--dev-name=a --dev-name=steve.test",
    ];
    check(
        &all,
        |o| o.dev_name.clone(),
        "steve".to_string(),
        "steve.test".to_string(),
    );
    let longest = "x".repeat(63);
    assert_eq!(
        parse(&format!("--dev-name={longest}")).unwrap().dev_name,
        longest
    );
    for bad in ["", "a/b", ".", "..", "stévé", &"x".repeat(64)] {
        let error = parse(&format!("--dev-name={bad}")).unwrap_err();
        assert!(error.starts_with(&format!(
            "bad value {bad:?} for --dev-name: expected 1 to 63"
        )));
    }
}

#[test]
fn mount() {
    let all = [
        "--mount=/run/steve",
        "--mount /run/steve",
        "--mount=x --mount=/run/steve",
    ];
    check(
        &all,
        |o| o.mount.clone(),
        None,
        Some(PathBuf::from("/run/steve")),
    );
    refuse("mount", &[""], "a path");
}

#[test]
fn group_and_mode() {
    let get = |o: &Options| (o.group.clone(), o.mode);
    let all = [
        "--group=jobserver --mode=0660",
        "--group jobserver --mode 660",
        "--group x --mode 0 --group jobserver --mode 660",
    ];
    check(
        &all,
        get,
        (None, None),
        (Some("jobserver".into()), Some(0o660)),
    );
    refuse("group", &[""], "a group name or gid");
    refuse(
        "mode",
        &["", "8", "1777", "+7", "rw"],
        "an octal number up to 777",
    );
}

#[test]
fn user() {
    let all = [
        "-usteve",
        "-u steve",
        "--user=steve",
        "--user steve",
        "-u x -u steve",
    ];
    check(&all, |o| o.user.clone(), None, Some("steve".into()));
    refuse("user", &[""], "a user name or uid");
}

#[test]
fn switches() {
    let get = |o: &Options| (o.verbose, o.debug, o.lenient_returns);
    let all = [
        "-vd --lenient-returns",
        "-v -d --lenient",
        "--verbose --debug --lenient-returns",
    ];
    check(&all, get, (false, false, false), (true, true, true));
}

#[test]
fn an_argument_is_refused() {
    let text = "unexpected argument \"foo\": only options are taken";
    assert_eq!(parse("foo").unwrap_err(), text);
    assert_eq!(parse("-v -- foo").unwrap_err(), text);
}

#[test]
fn help_and_version_are_texts_to_print() {
    let run = |line: &str| Options::parse([OsString::from(line)]);
    assert_eq!(run("-h"), Ok(Command::Print(cli::help(&PROGRAM))));
    assert_eq!(run("--version"), Ok(Command::Print(cli::version(&PROGRAM))));
}
