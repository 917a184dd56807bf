use super::*;

fn parse(line: &str) -> Result<Options, String> {
    match Options::parse(line.split_whitespace().map(OsString::from)) {
        Ok(Command::Act(options)) => Ok(options),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn the_table_is_sound() {
    cli::check_table(&PROGRAM);
}

#[test]
fn every_setting_has_an_option_that_prints_and_one_that_changes_it() {
    for setting in Setting::ALL {
        let name = setting.name();
        assert_eq!(
            parse(&format!("--get-{name}")).unwrap().actions,
            [Action::Get(setting)]
        );
        let set = parse(&format!("--set-{name} 1")).unwrap().actions;
        let value = setting::parse(setting, OsStr::new("1")).unwrap();
        assert_eq!(set, [Action::Set(setting, value)]);
        let error = parse(&format!("--set-{name}=x")).unwrap_err();
        assert!(error.starts_with(&format!("bad value \"x\" for --set-{name}: expected ")));
    }
}

#[test]
fn options_are_kept_in_the_order_given() {
    let actions = parse("--get-jobs --set-jobs 6 -t --get-jobs")
        .unwrap()
        .actions;
    let (get, set) = (Action::Get(Setting::Jobs), Action::Set(Setting::Jobs, 6));
    assert_eq!(actions, [get, set, Action::GetTokens, get]);
}

#[test]
fn the_command_has_the_rest_to_itself() {
    let options = parse("-D /dev/x make -C src -D y --help").unwrap();
    assert_eq!(options.device, Some(PathBuf::from("/dev/x")));
    assert_eq!(options.command, ["make", "-C", "src", "-D", "y", "--help"]);
    assert_eq!(parse("-- -t").unwrap().command, ["-t"]);
}

#[test]
fn device() {
    for line in [
        "-D/dev/x -t",
        "-D /dev/x -t",
        "--device=/dev/x -t",
        "--device /dev/x -t",
        "-Dy -tD/dev/x",
    ] {
        assert_eq!(
            parse(line).unwrap().device,
            Some(PathBuf::from("/dev/x")),
            "{line}"
        );
    }
    assert_eq!(parse("-t").unwrap().device, None);
    assert_eq!(
        parse("--device=").unwrap_err(),
        "bad value \"\" for --device: expected a path"
    );
}

#[test]
fn auth() {
    for (name, auth) in [
        ("fifo", Auth::Fifo),
        ("fds", Auth::Fds),
        ("bridge", Auth::Bridge),
        ("auto", Auth::Auto),
    ] {
        assert_eq!(
            parse(&format!("--auth fifo --auth {name} make"))
                .unwrap()
                .auth,
            Some(auth)
        );
        assert_eq!(
            parse(&format!("--auth={name} make")).unwrap().auth,
            Some(auth)
        );
    }
    assert_eq!(parse("make").unwrap().auth, None);
    assert_eq!(
        parse("--auth=pipe make").unwrap_err(),
        "bad value \"pipe\" for --auth: expected \"fifo\", \"fds\", \"bridge\" or \"auto\""
    );
}

#[test]
fn what_is_asked_for_the_build() {
    let line = "--limit 4 --weight=3 --lease-jobs 2 --lease-min-memory-avail 4096 make";
    let build = Register {
        weight: 3,
        limit: 4,
        lease_jobs: 2,
        reserved: 0,
        lease_min_memory_avail: 4096,
    };
    assert_eq!(parse(line).unwrap().build, build);
    assert_eq!(parse("make").unwrap().build, Register::default());
    for bad in [
        "--limit 0",
        "--limit 4097",
        "--weight 0",
        "--weight 101",
        "--lease-jobs 0",
        "--lease-min-memory-avail 0",
    ] {
        let error = parse(&format!("{bad} make")).unwrap_err();
        assert!(error.contains("expected a whole number"), "{error}");
    }
}

#[test]
fn what_is_for_a_command_needs_one() {
    for line in ["--limit 4", "--auth fds -t"] {
        let text = "--auth, --limit, --weight and leases are for a command, and none is given";
        assert_eq!(parse(line).unwrap_err(), text);
    }
}

#[test]
fn nothing_at_all_is_a_usage_error() {
    assert_eq!(Options::parse([]), Ok(Command::Usage));
    assert_eq!(Options::parse(["--".into()]), Ok(Command::Usage));
}

#[test]
fn help_and_version_are_texts_to_print() {
    let run = |word: &str| Options::parse([OsString::from(word)]);
    assert_eq!(run("--help"), Ok(Command::Print(cli::help(&PROGRAM))));
    assert_eq!(run("-V"), Ok(Command::Print(cli::version(&PROGRAM))));
}

#[test]
fn looks_at_the_pool() {
    let actions = |line| parse(line).unwrap().actions;
    assert_eq!(actions("--status"), [Action::Status]);
    assert_eq!(
        actions("--metrics -t"),
        [Action::Metrics, Action::GetTokens]
    );
    for line in ["--json", "--status --json", "--json --status"] {
        let options = parse(line).unwrap();
        assert_eq!(
            (&options.actions[..], options.json),
            (&[Action::Status][..], true),
            "{line}"
        );
    }
}

#[test]
fn the_period_of_a_watch_may_be_left_out() {
    for (line, seconds) in [
        ("--watch", 1.0),
        ("--watch=0.5", 0.5),
        ("--watch 0.5", 0.5),
        ("--watch=3 --watch=10", 10.0),
    ] {
        let options = parse(line).unwrap();
        let period = Duration::from_secs_f64(seconds);
        assert_eq!(
            options.actions.last(),
            Some(&Action::Watch(period)),
            "{line}"
        );
        assert_eq!(options.command, [""; 0], "{line}");
    }
    for bad in ["", "0.01", "-1", "x"] {
        let text =
            format!("bad value \"{bad}\" for --watch: expected a number of seconds, at least 0.1");
        assert_eq!(parse(&format!("--watch={bad}")).unwrap_err(), text);
    }
}

#[test]
fn reclaim() {
    assert_eq!(
        parse("--reclaim 42").unwrap().actions,
        [Action::Reclaim(42)]
    );
    for bad in ["0", "-1", "x", "4294967295"] {
        let text = format!("bad value \"{bad}\" for --reclaim: expected a process id");
        assert_eq!(parse(&format!("--reclaim={bad}")).unwrap_err(), text);
    }
}
