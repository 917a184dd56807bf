//! The options part of a manual page.

use super::{Flag, Program, Take};

/// The sections and options of `program` as mdoc(7) source.
pub fn roff<T>(program: &Program<T>) -> String {
    let mut text = String::new();
    for section in program.sections {
        text.push_str(&format!(
            ".Ss {}\n.Bl -tag -width Ds\n",
            escape(section.title)
        ));
        for flag in section.flags {
            text.push_str(&entry(flag));
        }
        text.push_str(".El\n");
    }
    text
}

/// One item of the list.
fn entry<T>(flag: &Flag<T>) -> String {
    let short = flag
        .short
        .map_or_else(String::new, |short| format!("Fl {short} , "));
    let value = match flag.take {
        Take::Value(name, _) => format!(" Ar {name}"),
        Take::Optional(name, _) => format!(" Ns Op = Ns Ar {name}"),
        Take::Help | Take::Version | Take::Switch(_) => String::new(),
    };
    let long = escape(flag.long);
    let body: Vec<_> = flag
        .man
        .split("\n\n")
        .map(|part| escape(part.trim()))
        .collect();
    format!(".It {short}Fl \\-{long}{value}\n{}\n", body.join("\n.Pp\n"))
}

/// Makes plain text safe for roff: no escapes, no requests, dashes that can be copied, a line for
/// each sentence.
fn escape(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace(". ", ".\n");
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

    /// Compares the part of a page between its two marks with the table. Where they differ and
    /// UPDATE_PAGES is set, writes the table's into the page.
    fn check_page<T>(path: &str, program: &Program<T>) {
        let page = std::fs::read_to_string(path).unwrap();
        let (head, rest) = page.split_once(BEGIN).unwrap();
        let (options, tail) = rest.split_once(END).unwrap();
        let expected = roff(program);
        if options != expected && std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(path, format!("{head}{BEGIN}{expected}{END}{tail}")).unwrap();
        } else {
            assert!(
                options == expected,
                "UPDATE_PAGES=1 cargo test writes {path} anew"
            );
        }
    }

    const BEGIN: &str = ".\\\" Options: begin. Written by UPDATE_PAGES=1 cargo test.\n";
    const END: &str = ".\\\" Options: end.\n";

    #[test]
    fn the_page_of_steve_has_the_options_of_its_table() {
        check_page("man/steve.8", &crate::steve::options::PROGRAM);
    }

    #[test]
    fn the_page_of_stevie_has_the_options_of_its_table() {
        check_page("man/stevie.1", &crate::stevie::options::PROGRAM);
    }
}
