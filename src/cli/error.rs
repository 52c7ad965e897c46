//! Errors as people and programs see them, and exit codes.
//!
//! Owns the wording frame (`error: …`, `hint: …`), the JSON form and the numbers; knows no command.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::render::escape;
use super::terminal::{Colour, Terminal};
use crate::config::ConfigError;
use crate::daemon::StartError;
use crate::store::{StoreError, Trouble};

/// What the process says when it ends. Scripts rely on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done.
    Done,
    /// A negative answer, or a failure.
    Failure,
    /// The command line or the configuration is wrong.
    Usage,
    /// Authentication or connection.
    Connection,
    /// What is there is not what should be there.
    Drift,
    /// Somebody else holds a lock.
    Busy,
    /// Something is still to be done; only with `--exit-code`.
    Pending,
    /// Ctrl-C.
    Interrupted,
    /// The exit code of a command that was run, or the one by which shells tell that it could not be.
    OfCommand(u8),
}

impl ExitStatus {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Connection => 4,
            Self::Drift => 5,
            Self::Busy => 6,
            Self::Pending => 8,
            Self::Interrupted => 130,
            Self::OfCommand(code) => code,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct CliError {
    /// A stable word for programs.
    code: &'static str,
    /// What went wrong, and why.
    message: String,
    /// The next command, or what to change.
    hint: Option<String>,
    /// More for programs.
    details: Option<serde_json::Value>,
    status: ExitStatus,
}

#[derive(Serialize)]
struct Document<'a> {
    error: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
    details: Option<&'a serde_json::Value>,
    exit_code: u8,
}

impl CliError {
    /// A failure of any kind.
    pub(crate) fn new(status: ExitStatus, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            details: None,
            status,
        }
    }

    /// A mistake in how the command was called.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, code, message)
    }

    /// Something that should not happen.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(ExitStatus::Failure, "internal", error.to_string())
    }

    /// A file or stream that could not be read or written.
    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::new(ExitStatus::Failure, "io", format!("{what}: {error}"))
    }

    /// Why the daemon did not start, or did not go on.
    pub(crate) fn of_daemon(error: &anyhow::Error) -> Self {
        let causes = || error.chain();
        if let Some(start) = causes().find_map(|cause| cause.downcast_ref::<StartError>()) {
            return Self::new(ExitStatus::Failure, start.code(), chain(start))
                .with_hint(start.hint());
        }
        if let Some(store) = causes().find_map(|cause| cause.downcast_ref::<StoreError>()) {
            return store.into();
        }
        Self::new(ExitStatus::Failure, "serve", chain(error.as_ref())).with_hint(
            "nothing was lost: what was tracked before is in the data directory; ARCHONCTL_LOG=debug says more",
        )
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn told(&self) -> (&str, Option<&str>) {
        (&self.message, self.hint.as_deref())
    }

    pub(crate) const fn status(&self) -> ExitStatus {
        self.status
    }

    /// The parts of clap's message. Clap prints for people only, and lays out differently from the rest.
    pub(crate) fn from_clap(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let mut message = Vec::new();
        let mut hints = Vec::new();
        let mut usage = None;
        for line in text.lines().map(str::trim_end) {
            if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
                hints.push(tip.to_owned());
            } else if let Some(line) = line.strip_prefix("Usage: ") {
                usage = Some(line.to_owned());
            } else if !line.is_empty() && !line.starts_with("For more information") {
                // Lists of values and of missing arguments are indented below the sentence.
                message.push(line.trim_start().to_owned());
            }
        }
        let behind_dashes = usage
            .as_deref()
            .is_some_and(|usage| usage.contains(" -- <"));
        if behind_dashes && error.kind() == clap::error::ErrorKind::UnknownArgument {
            hints.push("the command stands behind `--`, its own options too".to_owned());
        }
        if hints.is_empty() {
            let shown = usage.as_deref().unwrap_or("archonctl");
            let command = shown.split(" [").next().unwrap_or(shown);
            let command = command.split(" <").next().unwrap_or(command);
            let command = command.split(" -").next().unwrap_or(command);
            hints.push(format!("`{command} --help` shows how it is used"));
        }
        let details = usage.map(|usage| serde_json::json!({ "usage": usage }));
        Self {
            code: "usage",
            message: message.join(" "),
            hint: Some(hints.join("; ")),
            details,
            status: ExitStatus::Usage,
        }
    }

    /// The error in `form`, ending with a line feed.
    fn rendered(&self, form: ErrorForm) -> String {
        match form {
            ErrorForm::Json => {
                let document = Document {
                    error: Fields {
                        code: self.code,
                        message: &self.message,
                        hint: self.hint.as_deref(),
                        details: self.details.as_ref(),
                        exit_code: self.status.code(),
                    },
                };
                serde_json::to_string(&document).unwrap_or_default() + "\n"
            }
            ErrorForm::Text { colour } => {
                let (red, cyan, end) = if colour {
                    ("\u{1b}[1;31m", "\u{1b}[1;36m", "\u{1b}[0m")
                } else {
                    ("", "", "")
                };
                let hint = self.hint.as_deref();
                let hint = hint.map(|hint| format!("{cyan}hint:{end} {}\n", escape(hint)));
                let message = escape(&self.message);
                format!("{red}error:{end} {message}\n{}", hint.unwrap_or_default())
            }
        }
    }

    /// Writes the error to standard error. If that fails there is nowhere left to say so.
    pub(crate) fn report(&self, form: ErrorForm) {
        let _ = std::io::stderr().write_all(self.rendered(form).as_bytes());
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.code(), error.to_string()).with_hint(error.hint())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&StoreError> for CliError {
    fn from(error: &StoreError) -> Self {
        if let StoreError::Migrate(migrations) = error
            && let Some(told) = super::migrate::explain(migrations)
        {
            return told;
        }
        let (status, code, hint) = match error {
            StoreError::Location(problem) => (ExitStatus::Usage, "database_url", problem.hint()),
            StoreError::Connect { problem, .. } => {
                (ExitStatus::Connection, "no_connection", problem.hint())
            }
            StoreError::NoDataDir { .. } | StoreError::NoDatabase { .. } => {
                let hint = "is it the right place? --data-dir or ARCHONCTL_DATA_DIR name another; \
                            `archonctl config show --origin` says where this one comes from";
                (ExitStatus::Failure, "no_store", hint)
            }
            StoreError::SchemaPending { .. } => {
                let hint = "`archonctl migrate up` applies them";
                (ExitStatus::Failure, "migrations_pending", hint)
            }
            StoreError::SchemaNewer { .. } | StoreError::SchemaChanged { .. } => {
                let hint = "`archonctl migrate status` shows every migration";
                (ExitStatus::Drift, "schema_drift", hint)
            }
            _ => in_trouble(error.trouble().unwrap_or(Trouble::Other)),
        };
        Self::new(status, code, chain(error)).with_hint(hint)
    }
}

/// How a command ends that the database did not answer, the word for it, and what to do.
const fn in_trouble(trouble: Trouble) -> (ExitStatus, &'static str, &'static str) {
    match trouble {
        Trouble::Busy => (
            ExitStatus::Busy,
            "store_busy",
            "another process holds the store; try again in a moment",
        ),
        Trouble::Away => (
            ExitStatus::Connection,
            "store_away",
            "the connection to the store broke; is the server up? Try again in a moment",
        ),
        Trouble::Refused => (
            ExitStatus::Connection,
            "no_connection",
            "the server does not let this role in; `archonctl config show --origin` says where the URL comes from",
        ),
        Trouble::Missing => (
            ExitStatus::Failure,
            "schema_missing",
            "a table or column is not there: `archonctl migrate status` says which migrations are missing, `archonctl migrate \
             up` applies them; is it the right schema (--database-schema)?",
        ),
        Trouble::Denied => (
            ExitStatus::Failure,
            "store_denied",
            "this role may not do that: the owner of the tables grants it (GRANT SELECT, INSERT, UPDATE, DELETE), or \
             connect as the owner",
        ),
        Trouble::Full => (
            ExitStatus::Failure,
            "store_full",
            "make room on the disk of the database",
        ),
        Trouble::Other => (
            ExitStatus::Failure,
            "store",
            "`archonctl migrate status` shows the state of the store",
        ),
    }
}

/// An error and its causes in one line; a cause that the error already repeats is left out.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// How errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    Text { colour: bool },
    Json,
}

impl ErrorForm {
    /// Read off the raw arguments, because a command line that does not parse is an error as well.
    pub(crate) fn from_args(args: &[OsString], terminal: &Terminal) -> Self {
        let (mut json, mut choice) = (false, Colour::Auto);
        let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
        for (at, word) in words.iter().copied().enumerate() {
            let next = words.get(at + 1).copied().unwrap_or_default();
            let value = |long: &str, short: Option<&str>| {
                if word == long || Some(word) == short {
                    return Some(next);
                }
                let long_value = word.strip_prefix(long).and_then(|v| v.strip_prefix('='));
                let short_value = short.and_then(|short| word.strip_prefix(short));
                long_value.or(short_value.map(|v| v.strip_prefix('=').unwrap_or(v)))
            };
            if word == "--" {
                break;
            }
            json |= word == "--json"
                || value("--output", Some("-o")).is_some_and(|v| matches!(v, "json" | "jsonl"));
            choice = match value("--color", None) {
                Some("always") => Colour::Always,
                Some("never") => Colour::Never,
                _ => choice,
            };
        }
        if json {
            Self::Json
        } else {
            Self::Text {
                colour: terminal.colour_err(choice),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(words: &[&str]) -> ErrorForm {
        let args: Vec<OsString> = words.iter().map(OsString::from).collect();
        ErrorForm::from_args(&args, &Terminal::none())
    }

    #[test]
    fn json_errors_are_asked_for_in_every_spelling() {
        for words in [
            &["x", "--json"][..],
            &["x", "-o", "json"],
            &["x", "-ojson"],
            &["x", "-o=json"],
            &["x", "--output", "jsonl"],
            &["x", "--output=json"],
        ] {
            assert_eq!(form(words), ErrorForm::Json, "{words:?}");
        }
        for words in [
            &["x"][..],
            &["x", "-o", "csv"],
            &["x", "--", "--json"],
            &["x", "-o"],
        ] {
            assert_eq!(form(words), ErrorForm::Text { colour: false }, "{words:?}");
        }
        assert_eq!(
            form(&["x", "--color=always"]),
            ErrorForm::Text { colour: true }
        );
    }

    #[test]
    fn an_error_says_what_and_what_next_and_passes_no_escapes() {
        let error = CliError::usage("bad", "no such thing: \u{1b}[2J").with_hint("do that");
        let text = error.rendered(ErrorForm::Text { colour: false });
        assert_eq!(text, "error: no such thing: \\x1b[2J\nhint: do that\n");
        let json = error.rendered(ErrorForm::Json);
        assert_eq!(
            json,
            "{\"error\":{\"code\":\"bad\",\"message\":\"no such thing: \\u001b[2J\",\"hint\":\"do that\",\
             \"details\":null,\"exit_code\":2}}\n"
        );
    }
}
