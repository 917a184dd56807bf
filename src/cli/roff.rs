//! The options part of a manual page.

use super::{Flag, Program};

/// The sections and options of `program` as man(7) source.
pub fn roff<T>(program: &Program<T>) -> String {
    let mut text = String::new();
    for section in program.sections {
        text.push_str(&format!(".SS {}\n", escape(section.title)));
        for flag in section.flags {
            text.push_str(&entry(flag));
        }
    }
    text
}

/// One tagged paragraph; further paragraphs keep its indentation.
fn entry<T>(flag: &Flag<T>) -> String {
    let mut tag = String::new();
    if let Some(short) = flag.short {
        tag.push_str(&format!("\\fB\\-{short}\\fR, "));
    }
    tag.push_str(&format!("\\fB\\-\\-{}\\fR", escape(flag.long)));
    if let Some(name) = flag.value_name() {
        tag.push_str(&format!(" \\fI{name}\\fR"));
    }
    let body: Vec<_> = flag
        .man
        .split("\n\n")
        .map(|part| escape(part.trim()))
        .collect();
    format!(".TP\n{tag}\n{}\n", body.join("\n.IP\n"))
}

/// Makes plain text safe for roff: no escapes, no requests, dashes that can be copied.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let line = |line: &str| match line.trim_start() {
        line if line.starts_with(['.', '\'']) => format!("\\&{line}"),
        line => line.to_string(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_survives_roff() {
        assert_eq!(
            escape("a\\b --x\n.so file\n'quoted'"),
            "a\\eb \\-\\-x\n\\&.so file\n\\&'quoted'"
        );
    }
}
