//! The database a user chose: its URL as text, from wherever it came, and what of it may be shown.
//!
//! What a URL means is `store`'s to say. Here it is only kept from being seen.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::settings::{Found, Key, Origin, Settings};

/// What was said about the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// `postgres://…` or `sqlite:…`; without one the embedded database of the data directory is meant.
    pub url: Option<DatabaseUrl>,
    /// The schema our tables are in, for PostgreSQL.
    pub schema: Option<String>,
}

/// A URL that may hold a password. Never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole of it, for whoever connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl Settings {
    /// The database to use.
    ///
    /// # Errors
    /// When a flag holds a password, or a file that should hold the URL does not.
    pub fn database(&self) -> Result<DatabaseOptions, ConfigError> {
        let url = match (self.get(Key::DatabaseUrl), self.get(Key::DatabaseUrlFile)) {
            (Some(found), _) => Some(DatabaseUrl(given(found)?)),
            (None, Some(found)) => Some(DatabaseUrl(in_file(found)?)),
            (None, None) => None,
        };
        let schema = self
            .get(Key::DatabaseSchema)
            .map(|found| found.text.clone());
        Ok(DatabaseOptions { url, schema })
    }
}

fn given(found: &Found) -> Result<String, ConfigError> {
    let url = found.text.trim();
    if matches!(found.origin, Origin::Flag(_)) && without_password(url) != url {
        return Err(ConfigError::Invalid {
            key: Key::DatabaseUrl.name(),
            origin: found.origin.to_string(),
            reason: "a password in a flag is refused, everybody who lists processes sees it".to_owned(),
            hint: Some(
                "take it out of the URL and put it into PGPASSWORD or ~/.pgpass, or give the whole URL in \
                 ARCHONCTL_DATABASE_URL or in a file named by --database-url-file"
                    .to_owned(),
            ),
        });
    }
    Ok(url.to_owned())
}

fn in_file(found: &Found) -> Result<String, ConfigError> {
    let file = PathBuf::from(&found.text);
    let text = read(&file)?;
    let url = text.trim();
    if url.is_empty() || url.contains(char::is_whitespace) {
        return Err(ConfigError::Invalid {
            key: Key::DatabaseUrlFile.name(),
            origin: found.origin.to_string(),
            reason: format!("{} does not hold one URL and nothing else", file.display()),
            hint: Some(
                "write postgres://USER:PASSWORD@HOST:5432/DATABASE into it, on one line".to_owned(),
            ),
        });
    }
    Ok(url.to_owned())
}

fn read(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|error| ConfigError::Unreadable {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

/// A database URL as it may be shown: passwords replaced by `***`. What is no URL is not shown at all.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else {
        return "***".to_owned();
    };
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    if !plain(scheme) || scheme.is_empty() {
        return "***".to_owned();
    }
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (rest, None),
    };
    let (slashes, address) = match address.strip_prefix("//") {
        Some(address) => ("//", address),
        None => ("", address),
    };
    // A password may hold a slash that nobody escaped: what stands before the last @ is never shown behind a colon.
    let address = match address.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => address.to_owned(),
    };
    let query = query.map_or_else(String::new, |query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
            _ => pair.to_owned(),
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}:{slashes}{address}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_holds_no_password() {
        for (url, shown) in [
            (
                "postgres://me:hunter2@db.example:5432/app",
                "postgres://me:***@db.example:5432/app",
            ),
            (
                "postgres://me:hunt/er@2@db/app?sslmode=require",
                "postgres://me:***@db/app?sslmode=require",
            ),
            (
                "postgres://me@db/app?password=hunter2&sslpassword=x",
                "postgres://me@db/app?password=***&sslpassword=***",
            ),
            ("postgres://me@db/app", "postgres://me@db/app"),
            (
                "postgres:///app?host=/run/postgresql",
                "postgres:///app?host=/run/postgresql",
            ),
            ("sqlite:///var/lib/a.db", "sqlite:///var/lib/a.db"),
            ("sqlite:", "sqlite:"),
            ("host=db password=hunter2", "***"),
            ("hunter2", "***"),
            ("mysql://me:hunter2@db/app", "mysql://me:***@db/app"),
        ] {
            assert_eq!(without_password(url), shown, "{url}");
        }
    }
}
