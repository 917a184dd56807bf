//! What a command is told in MAKEFLAGS.
//!
//! GNU make (`decode_env_switches`, 4.3 to 4.4.1) cuts the value at blanks that no backslash
//! protects. A first word without a dash and without "=" is a cluster of one-letter options. The
//! rest is read as a command line is, up to a `--`, behind which make takes every word for a
//! variable, so that an option there is lost.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Short options whose value is the rest of their word, else the next word.
const WITH_VALUE: &[u8] = b"CEfIoW";
/// Short options whose value, if any, is the rest of their word; of these `j` and `l` also take a
/// next word that is all digits.
const WITH_OPTIONAL_VALUE: &[u8] = b"jlO";
/// Long options that make the one who reads them leave our pool, or look for another.
const UNWANTED: [&[u8]; 3] = [b"jobs", b"jobserver-auth", b"jobserver-fds"];

/// Puts `--jobserver-auth=AUTH` at the end of the options in `flags`, in place of every older one
/// and of `-j` in any form, which would switch the jobserver off.
pub(super) fn with_auth(flags: &OsStr, auth: &OsStr) -> OsString {
    let (mut words, variables) = strip(flags.as_bytes());
    let word = [b"--jobserver-auth=", auth.as_bytes()].concat();
    words.push(word);
    join(words, &variables)
}

/// Takes the jobserver and `-j` out of `flags`.
pub(super) fn without_auth(flags: &OsStr) -> OsString {
    let (words, variables) = strip(flags.as_bytes());
    join(words, &variables)
}

/// The options that may stay, and the words from `--` on.
fn strip(flags: &[u8]) -> (Vec<Vec<u8>>, Vec<&[u8]>) {
    let words = split(flags);
    let end = words
        .iter()
        .position(|&word| word == b"--")
        .unwrap_or(words.len());
    let (options, variables) = words.split_at(end);
    let mut kept = Vec::new();
    let mut options = options.iter().copied().peekable();
    let mut first = true;
    while let Some(word) = options.next() {
        let cluster = first && !word.starts_with(b"-") && !word.contains(&b'=');
        first = false;
        if let Some(long) = word.strip_prefix(b"--") {
            let name = long.split(|&b| b == b'=').next().unwrap_or(long);
            if !UNWANTED.contains(&name) {
                kept.push(word.to_vec());
            } else if name == long {
                // `--jobs` takes a number behind it and can do without; the others take any word.
                options.next_if(|next| name != b"jobs" || all_digits(next));
            }
        } else if cluster || word.starts_with(b"-") && word.len() > 1 {
            let dash: &[u8] = if cluster { b"" } else { b"-" };
            let (rest, end) = without_j(&word[dash.len()..]);
            if !rest.is_empty() {
                kept.push([dash, rest].concat());
            }
            match end {
                End::Jobs => drop(options.next_if(|next| all_digits(next))),
                End::Value => kept.extend(options.next().map(<[u8]>::to_vec)),
                End::Complete => (),
            }
        } else {
            kept.push(word.to_vec());
        }
    }
    (kept, variables.to_vec())
}

/// How a cluster ends.
#[derive(PartialEq, Eq)]
enum End {
    /// With a `j` whose number may be the next word.
    Jobs,
    /// With an option whose value is the next word.
    Value,
    /// With nothing to come.
    Complete,
}

/// A cluster without its `j` and the number that is attached to it.
fn without_j(letters: &[u8]) -> (&[u8], End) {
    for (at, letter) in letters.iter().enumerate() {
        let last = at + 1 == letters.len();
        if *letter == b'j' {
            return (&letters[..at], if last { End::Jobs } else { End::Complete });
        }
        if WITH_VALUE.contains(letter) && last {
            return (letters, End::Value);
        }
        if WITH_VALUE.contains(letter) || WITH_OPTIONAL_VALUE.contains(letter) {
            break;
        }
    }
    (letters, End::Complete)
}

/// Cuts at blanks, but not at those behind a backslash, which stays where it is.
fn split(flags: &[u8]) -> Vec<&[u8]> {
    let mut escaped = false;
    let blank = |&letter: &u8| {
        let cut = matches!(letter, b' ' | b'\t') && !escaped;
        escaped = letter == b'\\' && !escaped;
        cut
    };
    flags.split(blank).filter(|word| !word.is_empty()).collect()
}

/// As make writes it: without one-letter options there is a blank in their place.
fn join(words: Vec<Vec<u8>>, variables: &[&[u8]]) -> OsString {
    let words: Vec<&[u8]> = words
        .iter()
        .map(Vec::as_slice)
        .chain(variables.iter().copied())
        .collect();
    let joined = words.join(&b' ');
    let blank: &[u8] = if joined.starts_with(b"-") { b" " } else { b"" };
    OsString::from_vec([blank, &joined].concat())
}

fn all_digits(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cases: &[(&str, &str)]) {
        for (flags, expected) in cases {
            let expected = expected.replace('@', "--jobserver-auth=fifo:/dev/steve");
            let auth = OsStr::new("fifo:/dev/steve");
            assert_eq!(with_auth(OsStr::new(flags), auth), *expected, "{flags:?}");
        }
    }

    #[test]
    fn the_word_goes_to_the_end_of_the_options() {
        check(&[
            ("", " @"),
            ("  ", " @"),
            ("k", "k @"),
            (
                "ks -l4 --no-print-directory",
                "ks -l4 --no-print-directory @",
            ),
            (" --output-sync=target", " --output-sync=target @"),
            ("CC=gcc", "CC=gcc @"),
            ("n", "n @"),
        ]);
    }

    #[test]
    fn variables_stay_behind_their_dashes() {
        check(&[
            ("k -- CC=gcc A=-j4", "k @ -- CC=gcc A=-j4"),
            (
                " -- A=a\\ --jobserver-auth=3,4",
                " @ -- A=a\\ --jobserver-auth=3,4",
            ),
            ("-j4 --jobserver-auth=3,4 --", " @ --"),
        ]);
    }

    #[test]
    fn every_form_of_jobs_is_taken_out() {
        check(&[
            ("j", " @"),
            ("j4", " @"),
            ("j 4", " @"),
            ("kj", "k @"),
            ("kj4 -s", "k -s @"),
            ("k -j", "k @"),
            ("k -j4 -s", "k -s @"),
            ("k -j 4 -s", "k -s @"),
            ("k -sj4", "k -s @"),
            ("k -sj 4", "k -s @"),
            ("k --jobs -s", "k -s @"),
            ("k --jobs=4 -s", "k -s @"),
            ("k --jobs 4 -s", "k -s @"),
            ("-j2 -j3 --jobs=4", " @"),
        ]);
    }

    #[test]
    fn every_older_jobserver_is_taken_out() {
        check(&[
            (" -j4 --jobserver-auth=3,4", " @"),
            ("k --jobserver-fds=3,4 -j -s", "k -s @"),
            (
                " --jobserver-auth=fifo:/tmp/a --jobserver-auth fifo:/tmp/b -k",
                " -k @",
            ),
        ]);
    }

    #[test]
    fn values_of_other_options_are_not_taken_for_jobs() {
        check(&[
            ("k -I/usr/j4", "k -I/usr/j4 @"),
            ("k -I -j4", "k -I -j4 @"),
            ("kI -j4 -j5", "kI -j4 @"),
            ("-Otarget -Ojj -l4", " -Otarget -Ojj -l4 @"),
            ("-kl2 -j 4", " -kl2 @"),
            (
                "k --jobserver-style=pipe --job=4",
                "k --jobserver-style=pipe --job=4 @",
            ),
            ("A=j4", "A=j4 @"),
            ("k - -j4", "k - @"),
        ]);
    }

    #[test]
    fn a_protected_blank_does_not_end_a_word() {
        check(&[
            ("A=a\\ -j4", "A=a\\ -j4 @"),
            ("A=a\\\\ -j4", "A=a\\\\ @"),
            ("k\t-j4\t-s", "k -s @"),
        ]);
    }

    #[test]
    fn without_the_word_the_same_is_taken_out() {
        let flags = OsStr::new("-k -j4 --jobserver-auth=3,4");
        assert_eq!(without_auth(flags), " -k");
        assert_eq!(without_auth(OsStr::new(" -j")), "");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let flags = OsStr::from_bytes(b"k -j4 -- D=\xe9");
        let expected = OsStr::from_bytes(b"k --jobserver-auth=3,4 -- D=\xe9");
        assert_eq!(with_auth(flags, OsStr::new("3,4")), expected);
    }
}
