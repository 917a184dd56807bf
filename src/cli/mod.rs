//! The machinery of both command lines.
//!
//! A program is one static table ([`Program`]). The parser ([`parse()`]), `--help` ([`help()`]) and
//! the options part of the manual page ([`roff()`]) all read that table, so that none of them can
//! know an option that another does not.

mod decimal;
mod error;
mod help;
mod message;
mod parse;
mod roff;

pub use decimal::{format_decimal, parse_decimal};
pub use error::Error;
pub use help::{help, version};
pub use message::{complain, print, usage};
pub use parse::{Parsed, parse};
pub use roff::roff;

use std::ffi::OsStr;

/// A program's command line; `T` is where its options are stored.
pub struct Program<T: 'static> {
    /// The name, and the prefix of every message.
    pub name: &'static str,
    /// What follows the name in the usage line.
    pub synopsis: &'static str,
    /// One sentence on what the program does.
    pub about: &'static str,
    /// The options, in the order in which they are shown.
    pub sections: &'static [Section<T>],
}

/// Options that belong together.
pub struct Section<T: 'static> {
    /// The heading.
    pub title: &'static str,
    /// The options.
    pub flags: &'static [Flag<T>],
}

/// One option.
pub struct Flag<T> {
    /// The letter after one dash.
    pub short: Option<char>,
    /// The word after two dashes.
    pub long: &'static str,
    /// What the option takes and does.
    pub take: Take<T>,
    /// One line for `--help`: lower case, no full stop.
    pub help: &'static str,
    /// Sentences for the manual page; an empty line begins a paragraph, and there is no markup.
    pub man: &'static str,
}

/// What an option takes and does.
///
/// A setter validates and stores, no more: opening files and asking the system come later.
pub enum Take<T> {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// No value.
    Switch(fn(&mut T)),
    /// A value: its name as the help shows it, and its setter, which says what it would have
    /// accepted when it refuses.
    Value(&'static str, Setter<T>),
    /// A value after `=`, or none.
    Optional(&'static str, OptionalSetter<T>),
}

/// Stores a value, or says what would be accepted ("a whole number from 1 to 4096").
pub type Setter<T> = fn(&mut T, &OsStr) -> Result<(), &'static str>;

/// The same where the value may be left out.
pub type OptionalSetter<T> = fn(&mut T, Option<&OsStr>) -> Result<(), &'static str>;

impl<T> Program<T> {
    /// Every option, in the order of the table.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag<T>> + use<T> {
        self.sections.iter().flat_map(|section| section.flags)
    }
}

impl<T> Flag<T> {
    /// The name of the value, where there is one.
    pub fn value_name(&self) -> Option<&'static str> {
        match self.take {
            Take::Value(name, _) | Take::Optional(name, _) => Some(name),
            Take::Help | Take::Version | Take::Switch(_) => None,
        }
    }
}

/// Fails with the reason when the table of `program` is not sound: names twice, letters that a
/// shell or a parser would trip over, texts that break the layout.
#[cfg(test)]
pub(crate) fn check_table<T>(program: &Program<T>) {
    use std::collections::HashSet;
    let mut names = HashSet::new();
    for flag in program.flags() {
        let long = flag.long;
        assert!(names.insert(long.to_string()), "--{long} is there twice");
        if let Some(short) = flag.short {
            assert!(names.insert(format!("-{short}")), "-{short} is there twice");
            assert!(short.is_ascii_alphabetic(), "-{short}");
        }
        let word = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(long.len() > 1 && long.chars().all(word), "--{long}");
        assert!(!long.starts_with('-') && !long.ends_with('-'), "--{long}");
        if let Some(name) = flag.value_name() {
            assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase()));
        }
        assert!(
            !flag.help.is_empty() && !flag.help.ends_with('.'),
            "--{long}"
        );
        assert!(!flag.help.contains('\n'), "--{long}");
        assert!(flag.man.ends_with('.'), "--{long}");
    }
    for line in help(program).lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
}
