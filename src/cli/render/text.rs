//! Foreign text made safe for a terminal.
//!
//! Client names, versions and error messages are written by whoever connects: an escape sequence in one must not reach
//! the terminal of whoever looks.

use std::fmt::Write;

/// `text` with everything escaped that a terminal would act on or that would hide or reorder what follows: control
/// characters (C0, DEL, C1), line and paragraph separators, zero-width and bidirectional formatting characters, tags.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if c.is_ascii_control() => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\x{:02x}", u32::from(c));
            }
            c if is_hidden(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_gets_through() {
        for (text, safe) in [
            ("Claude Code 1.2", "Claude Code 1.2"),
            ("\u{1b}[31mred\u{1b}[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("mark\u{2061}er", "mark\\u{2061}er"),
            ("Ünïcode 名前", "Ünïcode 名前"),
        ] {
            assert_eq!(escape(text), safe);
        }
    }
}
