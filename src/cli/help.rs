//! What `--help` and `--version` print.

use std::fmt::Write as _;

use super::{Flag, Program, Take};

/// The column in which the explanations begin; an option that reaches it has a line of its own.
const COLUMN: usize = 30;

/// The text of `--help`.
pub fn help<T>(program: &Program<T>) -> String {
    let mut text = format!(
        "usage: {} {}\n\n{}\n",
        program.name, program.synopsis, program.about
    );
    for section in program.sections {
        text.push_str(&format!("\n{}:\n", section.title));
        for flag in section.flags {
            let usage = usage(flag);
            // Writing to a String cannot fail.
            let _ = if usage.len() + 2 > COLUMN {
                writeln!(text, "{usage}\n{:COLUMN$}{}", "", flag.help)
            } else {
                writeln!(text, "{usage:COLUMN$}{}", flag.help)
            };
        }
    }
    text
}

/// The text of `--version`.
pub fn version<T>(program: &Program<T>) -> String {
    format!("{} {}\n", program.name, env!("CARGO_PKG_VERSION"))
}

fn usage<T>(flag: &Flag<T>) -> String {
    let short = flag
        .short
        .map_or_else(|| "    ".to_string(), |short| format!("-{short}, "));
    let value = match flag.take {
        Take::Value(name, _) => format!(" {name}"),
        Take::Optional(name, _) => format!("[={name}]"),
        Take::Help | Take::Version | Take::Switch(_) => String::new(),
    };
    format!("  {short}--{}{value}", flag.long)
}
