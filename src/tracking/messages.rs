//! Turns what messages say into what a record keeps: how it went, in one line why, and what it was aimed at.

use serde::Deserialize;

use crate::model::{OperationStatus, Target};
use crate::wire::Envelope;

/// Longest message kept, in characters.
const LONGEST: usize = 500;

fn shorten(text: &str) -> Box<str> {
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// The message of a JSON-RPC error object (JSON-RPC 2.0, section 5.1), with its code: `-32602: Unknown tool`.
pub(super) fn of_error(raw: &[u8]) -> Box<str> {
    #[derive(Deserialize)]
    struct Error {
        code: Option<i64>,
        message: Option<String>,
    }
    match serde_json::from_slice::<Error>(raw) {
        Ok(Error {
            code: Some(code),
            message: Some(message),
        }) => shorten(&format!("{code}: {message}")),
        Ok(Error {
            code: Some(code),
            message: None,
        }) => shorten(&format!("{code}")),
        Ok(Error {
            code: None,
            message: Some(message),
        }) => shorten(&message),
        _ => shorten(&String::from_utf8_lossy(raw)),
    }
}

/// What a failed tool says: the first text in the beginning of `result.content`.
pub(super) fn of_content(start: Option<&[u8]>) -> Box<str> {
    const MARK: &[u8] = b"\"text\":";
    const SAYS_NOTHING: &str = "the tool reported an error without a text";
    let Some(start) = start else {
        return SAYS_NOTHING.into();
    };
    // `"type":"text"` holds no colon behind its `"text"`, so that the first mark is the member itself.
    let Some(at) = memchr::memmem::find(start, MARK) else {
        return SAYS_NOTHING.into();
    };
    let value = start[at + MARK.len()..].trim_ascii_start();
    if let Some(Ok(text)) = serde_json::Deserializer::from_slice(value)
        .into_iter::<String>()
        .next()
    {
        return shorten(&text);
    }
    // The text goes on past what was kept: take what is there.
    let cut = String::from_utf8_lossy(value.strip_prefix(b"\"").unwrap_or(value))
        .replace("\\n", "\n")
        .replace("\\\"", "\"");
    shorten(&format!("{}…", cut.trim_end_matches('\u{fffd}')))
}

/// How an operation went that is answered by `answer`, and what it says where it did not go well.
pub(super) fn outcome(answer: &Envelope) -> (OperationStatus, Option<Box<str>>) {
    match (&answer.error, answer.is_error) {
        (Some(error), _) => (OperationStatus::Error, Some(of_error(error))),
        (None, true) => {
            let said = of_content(answer.content_start.as_deref());
            (OperationStatus::Error, Some(said))
        }
        (None, false) => (OperationStatus::Success, None),
    }
}

/// Whether a request of `method` asks if there is a server of the modern era.
pub(super) fn is_probe(method: &str) -> bool {
    method == "server/discover"
}

/// Whether `answer` refuses a probe: the server does not know the method, or the revision (MCP 2026-07-28, Versioning). Python's
/// legacy servers find fault with the parameters of a method that they do not know.
pub(super) fn refuses_probe(answer: &Envelope) -> bool {
    #[derive(Deserialize)]
    struct Error {
        code: i64,
    }
    let Some(raw) = &answer.error else {
        return false;
    };
    let code = match serde_json::from_slice(raw) {
        Ok(Error { code }) => Some(code),
        // Longer than what is kept of it.
        Err(_) => code_in_beginning(raw),
    };
    matches!(code, Some(-32_601 | -32_602 | -32_022))
}

/// The code of an error object of which only the beginning is there.
fn code_in_beginning(raw: &[u8]) -> Option<i64> {
    const MARK: &[u8] = b"\"code\":";
    let at = memchr::memmem::find(raw, MARK)? + MARK.len();
    let mut numbers = serde_json::Deserializer::from_slice(&raw[at..]).into_iter();
    numbers.next()?.ok()
}

/// What a request of `method` is aimed at, where that has a name or a URI.
pub(super) fn target(
    method: &str,
    name: Option<Box<str>>,
    uri: Option<Box<str>>,
) -> Option<Target> {
    match method {
        "tools/call" => name.map(Target::Tool),
        "prompts/get" => name.map(Target::Prompt),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            uri.map(Target::Resource)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_one_line() {
        assert_eq!(
            &*of_error(br#"{"code":-32602,"message":"Unknown tool: x"}"#),
            "-32602: Unknown tool: x"
        );
        assert_eq!(
            &*of_error(br#"{"code":-32602,"mess"#),
            r#"{"code":-32602,"mess"#
        );
        assert_eq!(
            &*of_content(Some(br#"[{"type":"text","text":"no \"such\" thing"}]"#)),
            "no \"such\" thing"
        );
        assert_eq!(&*of_content(Some(br#"[{"text": "cut o"#)), "cut o…");
        assert_eq!(
            &*of_content(Some(b"[]")),
            "the tool reported an error without a text"
        );
        assert_eq!(of_error(&[b'x'; 5_000]).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_refused_probe_is_told_by_its_code() {
        for (error, refused) in [
            (r#"{"code":-32601,"message":"Method not found"}"#, true),
            (
                r#"{"code":-32602,"message":"Invalid request parameters"}"#,
                true,
            ),
            (r#"{"message":"no","code" : -32022}"#, true),
            (r#"{"code":-32022,"message":"no","data":{"supp"#, true),
            (r#"{"code":-32603,"message":"-32601"}"#, false),
            (r#"{"code":-32603,"message":"no","data"#, false),
        ] {
            let answer = Envelope {
                error: Some(error.as_bytes().into()),
                ..Envelope::default()
            };
            assert_eq!(refuses_probe(&answer), refused, "{error}");
        }
        assert!(!refuses_probe(&Envelope::default()));
    }
}
