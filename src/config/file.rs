//! Reads a settings file: TOML, every key a setting, but for the tables under `[upstreams]`.
//!
//! Knows the form, not the meaning: values are checked where they are turned into options.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::ConfigError;
use super::settings::{Key, Origin};
use super::upstreams::Tables;

/// The settings that `file` makes, as text; none if there is no such file. What it says under `[upstreams]` goes to
/// `tables`.
pub(super) fn read(
    file: &Path,
    origin: &Origin,
    tables: &mut Tables,
) -> Result<BTreeMap<Key, String>, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => {
            return Err(ConfigError::Unreadable {
                file: file.to_owned(),
                reason: error.to_string(),
            });
        }
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The parser's own display quotes the line, which may hold credentials.
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        ConfigError::Syntax {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            reason: error.message().to_owned(),
        }
    })?;
    let mut found = BTreeMap::new();
    for (name, value) in table {
        if name == "upstreams" {
            tables.read(&value, file.parent().unwrap_or(file), origin)?;
            continue;
        }
        let key = Key::ALL.into_iter().find(|key| key.name() == name);
        let key = key.ok_or_else(|| ConfigError::UnknownKey {
            file: file.to_owned(),
            key: name,
            valid: format!("{}, [upstreams.NAME]", Key::ALL.map(Key::name).join(", ")),
        })?;
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(value) if key.is_switch() => value.to_string(),
            toml::Value::Array(words) if key.is_list() && words.iter().all(toml::Value::is_str) => {
                let words: Vec<_> = words.iter().filter_map(toml::Value::as_str).collect();
                words.join(" ")
            }
            other => {
                return Err(ConfigError::Invalid {
                    key: key.name(),
                    origin: origin.to_string(),
                    reason: format!("a string is expected, not {}", kind(&other)),
                    hint: None,
                });
            }
        };
        found.insert(key, text);
    }
    Ok(found)
}

const fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Float(_) => "a number with a fraction",
        toml::Value::Datetime(_) => "a date",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a table",
        _ => "this",
    }
}
