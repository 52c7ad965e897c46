//! The tokenizer: o200k_base of the tiktoken family, with its vocabulary in this program.
//!
//! Loaded when the first text is counted. Other models cut texts differently: what it says of theirs is an estimate.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::wire::Text;

/// The encoding of the newer models of its makers.
const ENCODING: &str = "o200k_base";

/// Loads it, if it is not there yet.
pub(super) fn load() {
    let _ = tiktoken::get_encoding(ENCODING);
}

/// How many tokens `text` is: counted of what was kept of it, and so many more for what was not as its length says.
/// `None` where that is not to be known.
pub(super) fn tokens(text: &Text) -> Option<u32> {
    let encoding = tiktoken::get_encoding(ENCODING)?;
    let mut counted = (0_u64, 0_u64);
    for (piece, bytes) in text.pieces() {
        // Texts are strangers'; what they may bring about there must not end the thread that writes to the store.
        let tokens = catch_unwind(AssertUnwindSafe(|| encoding.count(&piece))).ok()?;
        counted = (counted.0 + tokens as u64, counted.1 + bytes as u64);
    }
    Some(scaled(counted, text.length()))
}

/// How many tokens a whole text is; `None` where that is not to be known.
pub(super) fn count(text: &str) -> Option<u32> {
    let encoding = tiktoken::get_encoding(ENCODING)?;
    // See [`tokens`].
    let counted = catch_unwind(AssertUnwindSafe(|| encoding.count(text))).ok()?;
    Some(u32::try_from(counted).unwrap_or(u32::MAX))
}

/// The tokens of `length` bytes of which so many were found in so many.
fn scaled((tokens, bytes): (u64, u64), length: u64) -> u32 {
    let tokens = if bytes == 0 || bytes >= length {
        u128::from(tokens)
    } else {
        let all = u128::from(tokens) * u128::from(length);
        (all + u128::from(bytes) / 2) / u128::from(bytes)
    };
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with their tokens, as tiktoken 0.14.0 for Python counts them with `o200k_base`.
    const COUNTED: &[(&str, usize)] = &[
        ("", 0),
        ("hello world", 2),
        ("Grüße aus Zürich, naïve café", 9),
        ("こんにちは世界。これはテストです。", 8),
        ("Привет, мир! Как дела?", 8),
        ("مرحبا بالعالم", 4),
        ("👩\u{200d}👩\u{200d}👧\u{200d}👦 emoji family 😀", 14),
        ("fn main() {\n    println!(\"{}\", 1 + 2);\n}\n", 14),
        ("1234567890123", 5),
        ("I'll don't WE'RE HTTPServer camelCaseWord", 10),
        ("<|endoftext|>", 7),
        ("line one\r\n\r\nline two\t\ttabbed", 8),
        ("https://example.com/a/b?c=d&e=%20f", 13),
    ];

    #[test]
    fn tokens_are_those_of_the_reference() {
        let encoding = tiktoken::get_encoding(ENCODING).expect("its vocabulary");
        for (text, tokens) in COUNTED {
            assert_eq!(encoding.count(text), *tokens, "{text}");
        }
        assert_eq!(encoding.count(&"a".repeat(1_000)), 125);
        assert_eq!(encoding.count(&format!("{}x", " ".repeat(100))), 3);
    }

    /// Whatever a stranger says is counted, and costs no more than it is long.
    #[test]
    fn fuzz_tokenizer() {
        let encoding = tiktoken::get_encoding(ENCODING).expect("its vocabulary");
        crate::model::made_up::with_random_bytes(|bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            assert!(encoding.count(&text) <= text.len());
        });
    }

    #[test]
    fn what_was_not_kept_counts_as_its_beginning() {
        assert_eq!(scaled((0, 0), 0), 0);
        assert_eq!(scaled((7, 20), 20), 7);
        assert_eq!(scaled((7, 20), 30), 11);
        assert_eq!(scaled((u64::MAX, 1), u64::MAX), u32::MAX);
    }
}
