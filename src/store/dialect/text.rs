//! What PostgreSQL does not take as it comes: NUL characters, texts longer than their column, numbers over 32 bits.
//!
//! A record that the database refuses would stop the records behind it for ever, so what it refuses is changed as little
//! as possible. SQLite takes all of it.

use std::borrow::Cow;

/// Stands for a NUL character, which PostgreSQL's texts cannot hold.
const REPLACEMENT: &str = "\u{FFFD}";

/// `text` without NUL characters.
pub(in crate::store) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', REPLACEMENT))
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON whose strings and names have no NUL characters, which `jsonb` cannot hold.
pub(in crate::store) fn clean_json(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u0000") {
        return Cow::Borrowed(text);
    }
    match serde_json::from_str(text) {
        Ok(value) => Cow::Owned(without_nul(value).to_string()),
        Err(_) => Cow::Borrowed(text),
    }
}

fn without_nul(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(text.replace('\0', REPLACEMENT)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.replace('\0', REPLACEMENT), without_nul(value)))
            .collect(),
        other => other,
    }
}

/// The first `length` characters of `text`.
pub(in crate::store) fn cut(text: Cow<'_, str>, length: usize) -> Cow<'_, str> {
    match text.char_indices().nth(length) {
        None => text,
        Some((end, _)) => match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        },
    }
}

/// `count` in 32 bits, or the nearest number that is.
pub(in crate::store) fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(if count < 0 { i32::MIN } else { i32::MAX })
}

/// The beginning of a condition that holds where `column` has a text in it, with no regard to the case of ASCII letters; the
/// text, in small letters, and `) > 0` belong behind it. Other letters are told apart by case: SQLite knows no more.
pub(in crate::store) fn contains(embedded: bool, column: &str) -> String {
    if embedded {
        format!("instr(lower({column}), ")
    } else {
        format!("strpos(lower({column} COLLATE \"C\"), ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_refuses_is_changed_and_nothing_else() {
        assert_eq!(clean("a\0b"), "a\u{FFFD}b");
        assert!(matches!(clean("ab"), Cow::Borrowed("ab")));
        assert_eq!(
            clean_json(r#"{"a\u0000":["\u0000",1]}"#),
            "{\"a\u{FFFD}\":[\"\u{FFFD}\",1]}"
        );
        assert_eq!(
            clean_json(r#"{"a":"\\u0000"}"#),
            r#"{"a":"\\u0000"}"#,
            "an escaped backslash"
        );
        for (text, length, kept) in [
            ("äöü", 2, "äö"),
            ("äöü", 3, "äöü"),
            ("", 0, ""),
            ("a", 0, ""),
        ] {
            assert_eq!(cut(Cow::Borrowed(text), length), kept);
            assert_eq!(cut(Cow::Owned(text.to_owned()), length), kept);
        }
        assert_eq!(
            [small(7), small(i64::MAX), small(i64::MIN)],
            [7, i32::MAX, i32::MIN]
        );
    }
}
