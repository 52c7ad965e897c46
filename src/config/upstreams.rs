//! The MCP servers behind the daemon: `--upstream [NAME=]URL` as often as wanted, and `[upstreams.NAME]` in files.
//!
//! Owns the form of both, how layers add up, and where headers' values come from. A value that may be a secret is never
//! shown, neither here nor in an error.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::parse_duration;

use super::error::ConfigError;
use super::settings::{Found, Origin};
use super::sources::Sources;
use super::upstream::{Secret, Upstream, parse_url, without_secrets};
use crate::model::server_name;

/// What a table may hold.
const KEYS: &str = "url, headers, bearer, request_timeout, connect_timeout, tls.ca_file, model";

/// Headers that belong to the relay or to HTTP itself.
const NOT_OURS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "upgrade",
    "expect",
    "proxy-connection",
    "trailer",
    "mcp-session-id",
    "mcp-protocol-version",
    "content-type",
    "content-encoding",
];

/// One thing that can be said of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Url,
    RequestTimeout,
    ConnectTimeout,
    CaFile,
    Model,
    Bearer,
    Header(String),
}

impl Field {
    fn name(&self) -> String {
        match self {
            Self::Url => "url".to_owned(),
            Self::RequestTimeout => "request_timeout".to_owned(),
            Self::ConnectTimeout => "connect_timeout".to_owned(),
            Self::CaFile => "tls.ca_file".to_owned(),
            Self::Model => "model".to_owned(),
            Self::Bearer => "bearer".to_owned(),
            Self::Header(name) => format!("headers.{name}"),
        }
    }
}

/// Where a value stands.
#[derive(Clone)]
enum Value {
    Literal(String),
    Environment(String),
    File(PathBuf),
}

/// A field with its value and where it was said.
#[derive(Clone)]
struct Said {
    field: Field,
    value: Value,
    origin: Origin,
}

/// What the files say of one server.
#[derive(Clone)]
struct Table {
    name: String,
    said: Vec<Said>,
}

/// The tables of all files, in the order in which they were first seen.
#[derive(Clone, Default)]
pub(super) struct Tables(Vec<Table>);

/// A setting of a server as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownUpstream {
    /// `upstreams.NAME.FIELD`.
    pub key: String,
    /// Its value; `***` where it may be a secret.
    pub value: String,
    /// Where it was said.
    pub origin: Origin,
}

fn wrong(key: String, origin: &Origin, reason: impl Into<String>, hint: &str) -> ConfigError {
    ConfigError::Upstream {
        key,
        origin: origin.to_string(),
        reason: reason.into(),
        hint: hint.to_owned(),
    }
}

impl Tables {
    /// Takes in `[upstreams]` of a file in `folder`; what it says wins over what was said before.
    pub(super) fn read(
        &mut self,
        value: &toml::Value,
        folder: &Path,
        origin: &Origin,
    ) -> Result<(), ConfigError> {
        let hint = "write one table for each server: [upstreams.docs] and below it url = \"http://127.0.0.1:3001/mcp\"";
        let Some(servers) = value.as_table() else {
            return Err(wrong(
                "upstreams".to_owned(),
                origin,
                "a table for each server is expected",
                hint,
            ));
        };
        for (name, value) in servers {
            let place = format!("upstreams.{name}");
            server_name(name).map_err(|reason| {
                wrong(
                    place.clone(),
                    origin,
                    reason,
                    "the name is part of the server's path, /mcp/NAME",
                )
            })?;
            let Some(table) = value.as_table() else {
                return Err(wrong(place, origin, "a table is expected", hint));
            };
            for (key, value) in table {
                for (field, value) in read_field(&place, key, value, folder, origin)? {
                    self.say(
                        name,
                        Said {
                            field,
                            value,
                            origin: origin.clone(),
                        },
                    );
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, name: &str, said: Said) {
        let at = self.0.iter().position(|table| table.name == name);
        let at = at.unwrap_or_else(|| {
            self.0.push(Table {
                name: name.to_owned(),
                said: Vec::new(),
            });
            self.0.len() - 1
        });
        let known = &mut self.0[at].said;
        known.retain(|before| before.field != said.field);
        known.push(said);
    }

    /// Every field, fit to be shown.
    pub(super) fn shown(&self) -> Vec<ShownUpstream> {
        let of_table = |table: &Table| {
            let name = table.name.clone();
            table
                .said
                .clone()
                .into_iter()
                .map(move |said| ShownUpstream {
                    key: format!("upstreams.{name}.{}", said.field.name()),
                    value: match (&said.field, said.value) {
                        (_, Value::Environment(variable)) => {
                            format!("*** (environment: {variable})")
                        }
                        (Field::CaFile, Value::File(file)) => file.display().to_string(),
                        (_, Value::File(file)) => format!("*** (file: {})", file.display()),
                        (Field::Url, Value::Literal(url)) => without_secrets(&url),
                        (Field::Header(_) | Field::Bearer, Value::Literal(_)) => "***".to_owned(),
                        (_, Value::Literal(text)) => text,
                    },
                    origin: said.origin,
                })
        };
        self.0.iter().flat_map(of_table).collect()
    }

    /// The models that are said to be behind sessions with servers.
    pub(super) fn models(&self) -> Vec<(String, String)> {
        let model = |table: &Table| {
            let said = table.said.iter().find(|said| said.field == Field::Model)?;
            match &said.value {
                Value::Literal(model) => Some((table.name.clone(), model.clone())),
                _ => None,
            }
        };
        self.0.iter().filter_map(model).collect()
    }

    /// The servers: those of the `upstream` setting first, in its order, then those that only files name.
    pub(super) fn resolve(
        &self,
        listed: Option<&Found>,
        default_name: &str,
        sources: &Sources,
    ) -> Result<Vec<Upstream>, ConfigError> {
        let mut servers = Vec::new();
        let mut names = HashSet::new();
        for word in listed
            .iter()
            .flat_map(|found| found.text.split_whitespace())
        {
            let origin = &listed.map_or(Origin::Default, |found| found.origin.clone());
            let (name, url) = match word.split_once('=') {
                Some((name, url)) if !name.contains([':', '/']) => (name, url),
                _ => (default_name, word),
            };
            let refuse = |reason: String, hint: Option<String>| ConfigError::Invalid {
                key: "upstream",
                origin: origin.to_string(),
                reason,
                hint,
            };
            server_name(name).map_err(|reason| refuse(reason, None))?;
            if !names.insert(name.to_owned()) {
                let reason = format!("two servers are named '{name}'");
                let hint = "give each a name of its own: --upstream docs=URL --upstream tools=URL";
                return Err(refuse(reason, Some(hint.to_owned())));
            }
            let url = parse_url(url).map_err(|(reason, hint)| refuse(reason, hint))?;
            let mut server = Upstream::new(name, url);
            if let Some(table) = self.0.iter().find(|table| table.name == name) {
                table.apply(&mut server, sources)?;
            }
            servers.push(server);
        }
        for table in &self.0 {
            if names.contains(&table.name) {
                continue;
            }
            let place = format!("upstreams.{}", table.name);
            let Some(Said {
                value: Value::Literal(url),
                origin,
                ..
            }) = table.said.iter().find(|said| said.field == Field::Url)
            else {
                let origin = table
                    .said
                    .first()
                    .map_or(Origin::Default, |said| said.origin.clone());
                return Err(wrong(
                    place,
                    &origin,
                    "it has no url",
                    "add url = \"http://127.0.0.1:3001/mcp\" to the table",
                ));
            };
            let url = parse_url(url).map_err(|(reason, hint)| {
                wrong(
                    format!("{place}.url"),
                    origin,
                    reason,
                    hint.as_deref()
                        .unwrap_or("write the whole URL of its MCP endpoint"),
                )
            })?;
            let mut server = Upstream::new(&table.name, url);
            table.apply(&mut server, sources)?;
            servers.push(server);
        }
        Ok(servers)
    }
}

impl Table {
    /// Adds what it says beside the URL.
    fn apply(&self, server: &mut Upstream, sources: &Sources) -> Result<(), ConfigError> {
        for said in &self.said {
            let place = || format!("upstreams.{}.{}", self.name, said.field.name());
            match (&said.field, &said.value) {
                (Field::CaFile, Value::File(file)) => server.ca_file = Some(file.clone()),
                (Field::RequestTimeout, Value::Literal(text)) => {
                    server.request_timeout = Some(positive(text).map_err(|reason| {
                        wrong(place(), &said.origin, reason, "such as \"30s\" or \"5m\"")
                    })?);
                }
                (Field::ConnectTimeout, Value::Literal(text)) => {
                    server.connect_timeout = Some(positive(text).map_err(|reason| {
                        wrong(place(), &said.origin, reason, "such as \"10s\"")
                    })?);
                }
                (Field::Bearer, value) => {
                    let token = value.look_up(place, &said.origin, sources)?;
                    let value = Secret(format!("Bearer {}", token.0));
                    server.headers.push(("Authorization".to_owned(), value));
                }
                (Field::Header(name), value) => {
                    let value = value.look_up(place, &said.origin, sources)?;
                    server.headers.push((name.clone(), value));
                }
                // The URL was read before; the rest is written in one way only.
                (
                    Field::Url
                    | Field::CaFile
                    | Field::Model
                    | Field::RequestTimeout
                    | Field::ConnectTimeout,
                    _,
                ) => {}
            }
        }
        let mut names = HashSet::new();
        for (name, _) in &server.headers {
            if !names.insert(name.to_ascii_lowercase()) {
                let origin = self
                    .said
                    .first()
                    .map_or(Origin::Default, |said| said.origin.clone());
                return Err(wrong(
                    format!("upstreams.{}", self.name),
                    &origin,
                    format!("the header {name} is set twice"),
                    "`bearer` sets Authorization; names of headers know no capitals",
                ));
            }
        }
        Ok(())
    }
}

impl Value {
    /// The value itself; the end of a line behind it is none of it.
    fn look_up(
        &self,
        place: impl Fn() -> String,
        origin: &Origin,
        sources: &Sources,
    ) -> Result<Secret, ConfigError> {
        let text = match self {
            Self::Literal(text) => text.clone(),
            Self::Environment(variable) => {
                let Some(value) = sources.variable(variable) else {
                    let reason = format!("the environment variable {variable} is not set");
                    return Err(wrong(
                        place(),
                        origin,
                        reason,
                        &format!(
                            "set {variable} for the daemon, or name a file: {{ file = \"PATH\" }}"
                        ),
                    ));
                };
                value.into_string().map_err(|_| {
                    wrong(
                        place(),
                        origin,
                        format!("{variable} is not UTF-8"),
                        "headers are text",
                    )
                })?
            }
            Self::File(file) => std::fs::read_to_string(file).map_err(|error| {
                let reason = format!("{} cannot be read: {error}", file.display());
                wrong(
                    place(),
                    origin,
                    reason,
                    "make the file, readable by the daemon's user",
                )
            })?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        let fits =
            !text.is_empty() && http::HeaderValue::from_str(text).is_ok() && text.trim() == text;
        if fits {
            Ok(Secret(text.to_owned()))
        } else {
            let reason = "the value is empty, or holds what no header may (more than one line, blanks around it)";
            Err(wrong(
                place(),
                origin,
                reason,
                "a header's value is one line of text",
            ))
        }
    }
}

/// The fields that one key of a table sets.
fn read_field(
    place: &str,
    key: &str,
    value: &toml::Value,
    folder: &Path,
    origin: &Origin,
) -> Result<Vec<(Field, Value)>, ConfigError> {
    let here = format!("{place}.{key}");
    let text = |what: &str| {
        value.as_str().map(str::to_owned).ok_or_else(|| {
            wrong(
                here.clone(),
                origin,
                format!("{what} is expected"),
                "write it in quotation marks",
            )
        })
    };
    let field = match key {
        "url" => (Field::Url, Value::Literal(text("a URL")?)),
        "model" => {
            let model = super::cost::model(&text("a model")?).map_err(|reason| {
                wrong(
                    here.clone(),
                    origin,
                    reason,
                    "`archonctl pricing list` shows the models there are prices for",
                )
            })?;
            (Field::Model, Value::Literal(model))
        }
        "request_timeout" | "connect_timeout" => {
            let text = match value.as_integer() {
                Some(seconds) => seconds.to_string(),
                None => text("a duration")?,
            };
            let field = if key == "request_timeout" {
                Field::RequestTimeout
            } else {
                Field::ConnectTimeout
            };
            (field, Value::Literal(text))
        }
        "bearer" => {
            let hint = "keep the token out of the file: bearer = { env = \"NAME\" } or bearer = { file = \"PATH\" }";
            match elsewhere(value, folder) {
                Some(value) => (Field::Bearer, value),
                None => {
                    return Err(wrong(
                        here,
                        origin,
                        "where the token is kept is expected",
                        hint,
                    ));
                }
            }
        }
        "headers" => return read_headers(&here, value, folder, origin),
        "tls" => {
            let hint = "tls = { ca_file = \"PATH\" } names the certificates that are trusted for this server";
            let table = value
                .as_table()
                .ok_or_else(|| wrong(here.clone(), origin, "a table is expected", hint))?;
            if let Some(unknown) = table.keys().find(|key| *key != "ca_file") {
                return Err(wrong(
                    format!("{here}.{unknown}"),
                    origin,
                    "unknown key",
                    hint,
                ));
            }
            let Some(file) = table.get("ca_file") else {
                return Ok(Vec::new());
            };
            let file = file
                .as_str()
                .ok_or_else(|| wrong(here.clone(), origin, "ca_file is a path", hint))?;
            (Field::CaFile, Value::File(folder.join(file)))
        }
        _ => {
            return Err(wrong(
                here,
                origin,
                "unknown key",
                &format!("valid keys: {KEYS}"),
            ));
        }
    };
    Ok(vec![field])
}

fn read_headers(
    here: &str,
    value: &toml::Value,
    folder: &Path,
    origin: &Origin,
) -> Result<Vec<(Field, Value)>, ConfigError> {
    let hint = "headers = { X-Team = \"tools\", X-Api-Key = { env = \"NAME\" }, X-Other = { file = \"PATH\" } }";
    let table = value
        .as_table()
        .ok_or_else(|| wrong(here.to_owned(), origin, "a table is expected", hint))?;
    let header = |(name, value): (&String, &toml::Value)| {
        let here = format!("{here}.{name}");
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(wrong(here, origin, "this is no name of a header", hint));
        }
        if NOT_OURS.contains(&&*name.to_ascii_lowercase()) {
            let reason = "this header belongs to HTTP or MCP and passes as it is";
            return Err(wrong(here, origin, reason, "take it out"));
        }
        let value = value
            .as_str()
            .map(|text| Value::Literal(text.to_owned()))
            .or_else(|| elsewhere(value, folder))
            .ok_or_else(|| {
                wrong(
                    here,
                    origin,
                    "a text, { env = … } or { file = … } is expected",
                    hint,
                )
            })?;
        Ok((Field::Header(name.clone()), value))
    };
    table.iter().map(header).collect()
}

/// `{ env = "NAME" }` or `{ file = "PATH" }`, and nothing else.
fn elsewhere(value: &toml::Value, folder: &Path) -> Option<Value> {
    let table = value.as_table().filter(|table| table.len() == 1)?;
    let (kind, named) = table.iter().next()?;
    let named = named.as_str().filter(|named| !named.is_empty())?;
    match kind.as_str() {
        "env" => Some(Value::Environment(named.to_owned())),
        "file" => Some(Value::File(folder.join(named))),
        _ => None,
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        duration => Ok(duration),
    }
}
