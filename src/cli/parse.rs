//! From arguments to options, by the table.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::{Error, Flag, Program, Take, help, version};

/// Where the parser stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// At the first argument that is no option, or after the last: the arguments from there on.
    Rest(Vec<OsString>),
    /// At `--help` or `--version`: the text for stdout.
    Text(String),
}

/// Stores the options at the head of `args` (without the program's own name) in `options`.
///
/// The spellings are getopt_long's: `-j6`, `-j 6`, `--jobs=6`, `--jobs 6`, clusters (`-vd`), long
/// options cut as short as is unambiguous, `--` to end them. The last of several wins, as far as
/// the setters overwrite. `-j=6` has the value `=6`, as in getopt.
///
/// # Errors
///
/// The first thing wrong, in the order given; `options` may then be half filled.
pub fn parse<T>(
    program: &Program<T>,
    options: &mut T,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Parsed, Error> {
    let mut parser = Parser::from_args(args);
    parser.set_short_equals(false);
    loop {
        let flag = match parser.next().map_err(from_lexopt)? {
            None => return Ok(Parsed::Rest(Vec::new())),
            Some(Arg::Value(first)) => {
                let rest = parser.raw_args().map_err(from_lexopt)?;
                return Ok(Parsed::Rest(std::iter::once(first).chain(rest).collect()));
            }
            Some(Arg::Short(letter)) => find_short(program, letter)?,
            Some(Arg::Long(word)) => find_long(program, word)?,
        };
        match flag.take {
            Take::Help => return Ok(Parsed::Text(help(program))),
            Take::Version => return Ok(Parsed::Text(version(program))),
            Take::Switch(set) => set(options),
            Take::Value(name, set) => {
                let option = flag.long;
                let missing = |_| Error::MissingValue { option, name };
                let value = parser.value().map_err(missing)?;
                set(options, &value).map_err(|expected| bad_value(option, value, expected))?;
            }
            Take::Optional(_, set) => {
                let value = parser.optional_value();
                set(options, value.as_deref()).map_err(|expected| {
                    bad_value(flag.long, value.unwrap_or_default(), expected)
                })?;
            }
        }
    }
}

fn bad_value(option: &'static str, value: OsString, expected: &str) -> Error {
    let expected = expected.to_string();
    Error::BadValue {
        option,
        value,
        expected,
    }
}

fn find_short<T>(program: &Program<T>, letter: char) -> Result<&'static Flag<T>, Error> {
    program
        .flags()
        .find(|flag| flag.short == Some(letter))
        .ok_or_else(|| Error::UnknownOption(format!("-{letter}")))
}

fn find_long<T>(program: &Program<T>, word: &str) -> Result<&'static Flag<T>, Error> {
    if let Some(exact) = program.flags().find(|flag| flag.long == word) {
        return Ok(exact);
    }
    let begun: Vec<_> = program
        .flags()
        .filter(|flag| flag.long.starts_with(word))
        .collect();
    match begun[..] {
        [only] => Ok(only),
        [] => Err(Error::UnknownOption(format!("--{word}"))),
        _ => Err(Error::AmbiguousOption {
            option: format!("--{word}"),
            candidates: begun.iter().map(|flag| flag.long).collect(),
        }),
    }
}

/// Translates the one error that lexopt itself finds here: a switch with a value.
fn from_lexopt(error: lexopt::Error) -> Error {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => {
            Error::UnexpectedValue { option, value }
        }
        other => Error::UnknownOption(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Section, check_table};
    use super::*;

    #[derive(Default, Debug, PartialEq)]
    struct Options {
        jobs: String,
        verbose: u32,
        debug: bool,
    }

    static PROGRAM: Program<Options> = Program {
        name: "example",
        synopsis: "[option...]",
        about: "Be an example.",
        sections: &[Section {
            title: "Options",
            flags: &[
                Flag {
                    short: Some('j'),
                    long: "jobs",
                    take: Take::Value("N", |options, value| match value.to_str() {
                        Some("0") | None => Err("a number above 0"),
                        Some(text) => {
                            options.jobs = text.to_string();
                            Ok(())
                        }
                    }),
                    help: "how many",
                    man: "How many.",
                },
                Flag {
                    short: Some('v'),
                    long: "verbose",
                    take: Take::Switch(|options| options.verbose += 1),
                    help: "say more",
                    man: "Say more.",
                },
                Flag {
                    short: Some('d'),
                    long: "debug",
                    take: Take::Switch(|options| options.debug = true),
                    help: "say all",
                    man: "Say all.",
                },
                Flag {
                    short: None,
                    long: "job-memory",
                    take: Take::Switch(|_| ()),
                    help: "nothing",
                    man: "Nothing.",
                },
                Flag {
                    short: Some('h'),
                    long: "help",
                    take: Take::Help,
                    help: "show this",
                    man: "Show this.",
                },
                Flag {
                    short: Some('V'),
                    long: "version",
                    take: Take::Version,
                    help: "show the version",
                    man: "Show the version.",
                },
            ],
        }],
    };

    fn run(line: &str) -> Result<(Options, Parsed), String> {
        let mut options = Options::default();
        let args = line.split_whitespace().map(OsString::from);
        let parsed = parse(&PROGRAM, &mut options, args).map_err(|e| e.to_string())?;
        Ok((options, parsed))
    }

    #[test]
    fn the_table_is_sound() {
        check_table(&PROGRAM);
    }

    #[test]
    fn a_value_is_taken_in_every_spelling() {
        for line in [
            "-j6",
            "-j 6",
            "--jobs=6",
            "--jobs 6",
            "-vj6",
            "-dvj 6",
            "--jobs 5 -j6",
            "--jobs=6 --",
        ] {
            assert_eq!(run(line).unwrap().0.jobs, "6", "{line}");
        }
    }

    #[test]
    fn a_cluster_sets_each_of_its_switches() {
        let (options, _) = run("-vdv").unwrap();
        assert_eq!((options.verbose, options.debug), (2, true));
    }

    #[test]
    fn a_long_option_may_be_cut_while_it_is_unambiguous() {
        assert_eq!(run("--verb").unwrap().0.verbose, 1);
        assert_eq!(run("--jobs=2").unwrap().0.jobs, "2");
        assert_eq!(
            run("--job 2").unwrap_err(),
            "ambiguous option \"--job\": could be --jobs, --job-memory"
        );
    }

    #[test]
    fn options_end_at_the_first_argument() {
        let rest = |line| match run(line).unwrap().1 {
            Parsed::Rest(rest) => rest,
            Parsed::Text(text) => panic!("{text}"),
        };
        assert_eq!(rest("-v make -j4 --help"), ["make", "-j4", "--help"]);
        assert_eq!(rest("-v -- -x -- -y"), ["-x", "--", "-y"]);
        assert_eq!(rest("- -v"), ["-", "-v"]);
        assert_eq!(run("make -v").unwrap().0.verbose, 0);
    }

    #[test]
    fn an_error_is_one_line_that_says_what_would_be_right() {
        for (line, text) in [
            ("-x", "unknown option \"-x\": --help lists what there is"),
            (
                "--xyz=3",
                "unknown option \"--xyz\": --help lists what there is",
            ),
            ("-j", "--jobs needs a value: --jobs N"),
            (
                "-j0",
                "bad value \"0\" for --jobs: expected a number above 0",
            ),
            ("--verbose=yes", "--verbose takes no value, but has \"yes\""),
        ] {
            assert_eq!(run(line).unwrap_err(), text, "{line}");
        }
        assert_eq!(run("-j=6").unwrap().0.jobs, "=6");
    }

    #[test]
    fn help_and_version_stop_the_parser() {
        assert_eq!(run("-hx").unwrap().1, Parsed::Text(help(&PROGRAM)));
        assert_eq!(
            run("--version -x").unwrap().1,
            Parsed::Text(version(&PROGRAM))
        );
    }
}
