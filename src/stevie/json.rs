//! JSON (RFC 8259), as far as it takes to write it.

use std::fmt::{self, Write};
use std::time::Duration;

use crate::cli::format_decimal;
use crate::report::Number;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Json {
    /// Nothing.
    Null,
    /// A truth.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Json>),
    /// Names and their values.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// A number that is kept in millionths.
    pub(super) fn millionths(number: i64) -> Self {
        Json::Number(format_decimal(number))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(truth) => truth.fmt(f),
            Json::Number(number) => f.write_str(number),
            Json::Text(text) => quote(f, text),
            Json::List(items) => {
                f.write_char('[')?;
                for (place, item) in items.iter().enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    write!(f, "{comma}{item}")?;
                }
                f.write_char(']')
            }
            Json::Object(members) => {
                f.write_char('{')?;
                for (place, (name, value)) in members.iter().enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    write!(f, "{comma}\"{name}\":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(character))?,
            _ => f.write_char(character)?,
        }
    }
    f.write_char('"')
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl From<$type> for Json {
            fn from(number: $type) -> Self {
                Json::Number(number.to_string())
            }
        }
    )*};
}

numbers!(u16, u32, u64, i64, usize);

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Json::Bool(truth)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::Text(text.to_string())
    }
}

/// In seconds.
impl From<Duration> for Json {
    fn from(duration: Duration) -> Self {
        let text = format!("{}.{:09}", duration.as_secs(), duration.subsec_nanos());
        let text = text.trim_end_matches('0').trim_end_matches('.');
        Json::Number(text.to_string())
    }
}

impl From<Number> for Json {
    fn from(number: Number) -> Self {
        Json::Number(number.to_string())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_text_there_is_a_parser_reads_it_back() {
        let text: String = (0..=0x2_ffff).filter_map(char::from_u32).collect();
        let written = Json::from(text.as_str()).to_string();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn values_are_written_as_they_are() {
        let value = Json::Object(vec![
            ("none", Json::from(None::<u32>)),
            ("empty", Json::Object(Vec::new())),
            ("list", Json::List(vec![1_u32.into(), 2_u32.into()])),
            ("nothing", Json::List(Vec::new())),
            ("age", Json::from(Duration::from_millis(1500))),
            ("moment", Json::from(Duration::from_nanos(20))),
            ("hour", Json::from(Duration::from_secs(3600))),
            ("load", Json::millionths(13_200_000)),
            ("true", Json::from(true)),
        ]);
        let expected = r#"{"none":null,"empty":{},"list":[1,2],"nothing":[],"age":1.5,"moment":0.00000002,"hour":3600,"load":13.2,"true":true}"#;
        assert_eq!(value.to_string(), expected);
    }
}
