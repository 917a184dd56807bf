//! What can be wrong with a command line.

use std::ffi::OsString;
use std::fmt;

/// A usage error. The text is one line; the caller adds the program's name.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// No such option; holds it as it was typed, dashes included.
    UnknownOption(String),
    /// A long option cut so short that several begin with it.
    AmbiguousOption {
        /// What was typed, dashes included.
        option: String,
        /// The long options that begin with it.
        candidates: Vec<&'static str>,
    },
    /// The value is missing.
    MissingValue {
        /// The long name.
        option: &'static str,
        /// What the help calls the value.
        name: &'static str,
    },
    /// A value for an option that takes none (`--verbose=yes`).
    UnexpectedValue {
        /// The option as it was typed.
        option: String,
        /// The value.
        value: OsString,
    },
    /// A value that its option refuses.
    BadValue {
        /// The long name.
        option: &'static str,
        /// The value.
        value: OsString,
        /// What would be accepted.
        expected: String,
    },
    /// Options that are for a command, and no command.
    MissingCommand,
    /// An argument where none is taken.
    UnexpectedArgument(OsString),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownOption(option) => {
                write!(f, "unknown option {option:?}: --help lists what there is")
            }
            Error::AmbiguousOption { option, candidates } => {
                let candidates = candidates.join(", --");
                write!(f, "ambiguous option {option:?}: could be --{candidates}")
            }
            Error::MissingValue { option, name } => {
                write!(f, "--{option} needs a value: --{option} {name}")
            }
            Error::UnexpectedValue { option, value } => {
                write!(f, "{option} takes no value, but has {value:?}")
            }
            Error::BadValue {
                option,
                value,
                expected,
            } => {
                write!(f, "bad value {value:?} for --{option}: expected {expected}")
            }
            Error::MissingCommand => f.write_str(
                "--auth, --limit, --weight and leases are for a command, and none is given",
            ),
            Error::UnexpectedArgument(argument) => {
                write!(
                    f,
                    "unexpected argument {argument:?}: only options are taken"
                )
            }
        }
    }
}

impl std::error::Error for Error {}
