//! Bytes of strangers, made up at random: nothing panics, and what may be read in two ways is read alike.
//!
//! `cargo test` tries each for a moment, `ARCHONCTL_FUZZ_MS` says for how many milliseconds. A failure says the seed of
//! its bytes; `ARCHONCTL_FUZZ_SEED` begins there.

use crate::model::made_up::with_random_bytes;

use super::{
    Coding, Decoder, EndpointFinder, Envelope, EnvelopeScanner, RequestMeta, SseScanner,
    baggage_session, body_kind, era_of, header_value, trace_id,
};

/// What messages are made of: noise alone hardly ever comes to an envelope.
const WORDS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"id\":1",
    "\"method\":\"tools/call\"",
    "\"params\":{",
    "\"result\":{",
    "\"name\":\"a\"",
    "\"isError\":true",
    "\"content\":[",
    "\"error\":{",
    "\"_meta\":{",
    "\"requestState\":\"s\"",
    "\"\\u0069d\":",
    "\"",
    "\\",
    "null",
    "true",
    "1",
    " ",
    "\n",
    "\r",
    "data:",
    "data: ",
    "event: endpoint\n",
    "é",
    "\"resultType\":\"input_required\"",
    "\"x\":",
    "\u{0}",
    "\"arguments\":{",
    "\"structuredContent\":",
    "\"text\":\"",
    "\\ud83d\\u",
];

/// A text of words, where bytes say which; a byte of the upper half stands for itself.
fn text(choices: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for choice in choices {
        match WORDS.get(usize::from(*choice)) {
            Some(word) => text.extend_from_slice(word.as_bytes()),
            None => text.push(*choice),
        }
    }
    text
}

fn scan(text: &[u8], size: usize) -> (Vec<Envelope>, bool) {
    let (mut scanner, mut found) = (EnvelopeScanner::default(), Vec::new());
    scanner.keep_text(24);
    for piece in text.chunks(size.max(1)) {
        scanner.feed(piece, &mut |envelope| found.push(envelope));
    }
    (found, scanner.is_complete())
}

#[test]
fn fuzz_json_rpc_sniffer() {
    with_random_bytes(|choices: &[u8]| {
        let text = text(choices);
        let whole = scan(&text, text.len());
        assert_eq!(whole, scan(&text, 1));
        assert_eq!(whole, scan(&text, 7));
        for text in whole.0.iter().filter_map(|envelope| envelope.text.as_ref()) {
            let pieces: usize = text.pieces().map(|(_, bytes)| bytes).sum();
            assert!(pieces <= text.kept() && text.kept() <= 24);
            assert!(pieces as u64 <= text.length());
        }
        if serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text).is_ok() {
            assert_eq!(whole.0.len(), 1, "a parser reads it as one object");
            assert!(whole.1);
        }
    });
}

#[test]
fn fuzz_sse_scanner() {
    let events = |text: &[u8], size: usize| {
        let (mut scanner, mut found) = (SseScanner::default(), Vec::new());
        let mut finder = EndpointFinder::default();
        for piece in text.chunks(size.max(1)) {
            scanner.feed(piece, &mut |envelope| found.push(envelope));
            finder.feed(piece);
        }
        (found, scanner.unreadable_events(), finder.take())
    };
    with_random_bytes(|choices: &[u8]| {
        let text = text(choices);
        let whole = events(&text, text.len());
        assert_eq!(whole, events(&text, 1));
        assert_eq!(whole, events(&text, 5));
    });
}

#[test]
fn fuzz_header_rules() {
    with_random_bytes(|bytes: &[u8]| {
        let coding = Coding::of(Some(bytes));
        let _ = body_kind(Some(bytes), Some(bytes));
        let _ = RequestMeta::read(&text(bytes));
        if let Ok(value) = std::str::from_utf8(bytes) {
            let _ = baggage_session(value);
            let _ = era_of(value);
            let _ = header_value(value);
            assert!(trace_id(value).is_none_or(|id| [32, 52].contains(&id.len())));
        }
        assert!(coding == Coding::Other || bytes.len() < 64 || bytes.trim_ascii().len() < 64);
    });
}

#[test]
fn fuzz_compressed_bodies() {
    with_random_bytes(|bytes: &[u8]| {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            if let Some(mut decoder) = Decoder::new(coding) {
                let _ = decoder.feed(bytes, |_| {});
            }
        }
    });
}
