//! Headers that a user wants on requests to a server, with their secrets taken from where secrets belong: the environment
//! or a file, never a command line.
//!
//! No error and no `Debug` repeats a value.

use std::fmt;
use std::path::Path;

use super::sources::Sources;

/// A header and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, as written.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ***", self.name)
    }
}

/// What is wrong with a header, and the way out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct HeaderError {
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Where a header was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// In an argument, which every user of the machine can read.
    Argument,
    /// In a file.
    File,
}

const FORM: &str = "write 'NAME: VALUE', with a secret as 'Authorization: env:VARIABLE', 'Authorization: Bearer env:VARIABLE' or \
                    'Authorization: file:PATH'";
const SECRET: &str = "arguments can be read by every user of this machine: put the value into a variable or a file and write \
                      env:VARIABLE or file:PATH in its place, or use --header-file";

/// Headers that the transport makes itself.
const RESERVED: [&str; 16] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-archon-session-id",
];
/// What the names of headers with secrets have in them.
const TELLING: [&str; 7] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "token",
];

fn refused(reason: impl Into<String>, hint: &'static str) -> HeaderError {
    HeaderError {
        reason: reason.into(),
        hint,
    }
}

/// Reads `NAME: VALUE` from an argument. Its secrets are references: `env:VARIABLE` or `file:PATH` as the last word, or
/// `${VARIABLE}` anywhere.
///
/// # Errors
/// When it has another form, a reference leads nowhere, or a secret stands there openly.
pub fn header_argument(text: &str, sources: &Sources) -> Result<Header, HeaderError> {
    header(text, sources, Written::Argument)
}

/// Reads the headers of a file: one on each line, `#` before remarks. Values may stand there openly.
///
/// # Errors
/// When the file cannot be read, or a line is no header; the line is told by its number.
pub fn header_file(path: &Path, sources: &Sources) -> Result<Vec<Header>, HeaderError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        refused(
            format!("{shown} cannot be read: {error}"),
            "--header-file takes a text file with one 'NAME: VALUE' on each line",
        )
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    lines
        .map(|(number, line)| {
            header(line, sources, Written::File).map_err(|error| HeaderError {
                reason: format!("{shown}, line {}: {}", number + 1, error.reason),
                ..error
            })
        })
        .collect()
}

fn header(text: &str, sources: &Sources, written: Written) -> Result<Header, HeaderError> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(refused("a header has a name and a value", FORM));
    };
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !is_name {
        return Err(refused(
            "a header's name has letters, digits and dashes",
            FORM,
        ));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("mcp-") {
        return Err(refused(
            format!("{name} is a header that is set here already"),
            "leave it out",
        ));
    }
    let resolved = resolve(value, sources)?;
    let telling = TELLING.iter().any(|word| lower.contains(word));
    if written == Written::Argument && telling && resolved.is_none() {
        return Err(refused(
            format!("the value of {name} stands openly on the command line"),
            SECRET,
        ));
    }
    let value = resolved.unwrap_or_else(|| value.to_owned());
    let fits = value
        .bytes()
        .all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    if !fits || value.is_empty() {
        return Err(refused(
            format!("the value of {name} is empty, or has line ends or control characters in it"),
            "a header's value is one line of text",
        ));
    }
    Ok(Header {
        name: name.to_owned(),
        value,
    })
}

/// The value with what its references lead to; `None` if it has none.
fn resolve(value: &str, sources: &Sources) -> Result<Option<String>, HeaderError> {
    let (before, last) = match value.rsplit_once([' ', '\t']) {
        Some((before, last)) => (format!("{} ", before.trim_end()), last),
        None => (String::new(), value),
    };
    if let Some(name) = last.strip_prefix("env:") {
        return Ok(Some(before + &variable(name, sources)?));
    }
    if let Some(path) = last.strip_prefix("file:") {
        let text = std::fs::read_to_string(path).map_err(|error| {
            refused(
                format!("{path} cannot be read: {error}"),
                "file:PATH names a file whose text is the value",
            )
        })?;
        return Ok(Some(before + text.trim_end_matches(['\n', '\r'])));
    }
    let (mut out, mut rest, mut any) = (String::new(), value, false);
    while let Some((text, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(text);
        out.push_str(&variable(name, sources)?);
        (rest, any) = (after, true);
    }
    out.push_str(rest);
    Ok(any.then_some(out))
}

fn variable(name: &str, sources: &Sources) -> Result<String, HeaderError> {
    let hint = "clients pass on few variables: name it in the client's own settings (\"env\": {…})";
    let value = sources
        .variable(name)
        .ok_or_else(|| refused(format!("the variable {name} is not set"), hint))?;
    value
        .into_string()
        .map_err(|_| refused(format!("the variable {name} is not UTF-8"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        Sources::made_up(&[("TOKEN", "s3cret"), ("EMPTY", "")], Path::new("/"))
    }

    fn read(text: &str) -> Result<(String, String), String> {
        header_argument(text, &sources())
            .map(|header| (header.name, header.value))
            .map_err(|error| error.reason)
    }

    #[test]
    fn secrets_come_from_the_environment_and_from_files() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "from file\n").expect("written");
        let of_file = format!("X-Api-Key: file:{}", file.path().display());
        for (text, name, value) in [
            ("Authorization: env:TOKEN", "Authorization", "s3cret"),
            (
                "authorization:Bearer  env:TOKEN",
                "authorization",
                "Bearer s3cret",
            ),
            (
                "Cookie: a=${TOKEN}; b=${TOKEN}",
                "Cookie",
                "a=s3cret; b=s3cret",
            ),
            (&of_file, "X-Api-Key", "from file"),
            ("X-Region: eu: west ${", "X-Region", "eu: west ${"),
        ] {
            assert_eq!(
                read(text),
                Ok((name.to_owned(), value.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_stands_openly_or_leads_nowhere_is_refused_and_not_repeated() {
        for (text, reason) in [
            ("Authorization: Bearer hunter2", "openly"),
            ("X-Auth: hunter2", "openly"),
            ("x-api-key: hunter2", "openly"),
            ("Authorization: env:hunter2-not-set", "not set"),
            ("Authorization: env:EMPTY", "not set"),
            ("Authorization: file:/no/such/file", "cannot be read"),
            ("hunter2", "a name and a value"),
            (": hunter2", "a header's name"),
            ("a b: hunter2", "a header's name"),
            ("Host: hunter2", "set here already"),
            ("MCP-Protocol-Version: hunter2", "set here already"),
            ("X-A: hunter2\r\nX-B: y", "line ends"),
            ("X-A:", "is empty"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
            assert!(
                !error.contains("hunter2") || text.contains("env:"),
                "{error}"
            );
        }
        let header = header_argument("Authorization: env:TOKEN", &sources()).expect("a header");
        assert_eq!(format!("{header:?}"), "Authorization: ***");
    }

    #[test]
    fn a_file_may_hold_values_openly() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(
            file.path(),
            "# for the server\n\nAuthorization: Bearer open\n X-Key: env:TOKEN \n",
        )
        .expect("written");
        let headers = header_file(file.path(), &sources()).expect("headers");
        let values: Vec<_> = headers.iter().map(|header| header.value.as_str()).collect();
        assert_eq!(values, ["Bearer open", "s3cret"]);
        std::fs::write(file.path(), "X-A: 1\nhunter2\n").expect("written");
        let error = header_file(file.path(), &sources()).expect_err("no header");
        assert!(error.reason.contains("line 2") && !error.reason.contains("hunter2"));
        assert!(header_file(Path::new("/no/such"), &sources()).is_err());
    }
}
