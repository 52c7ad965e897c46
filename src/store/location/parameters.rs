//! The query of a PostgreSQL URL: what of it is understood here rather than by the driver. Repeats no value in an error.

use std::time::Duration;

use sqlx::postgres::PgSslMode;

use super::LocationError;

/// Parameters of other tools and of libpq that ask for what is done here anyway; they change nothing.
const HARMLESS: [&str; 6] = [
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "statement-cache-capacity",
    "statement_cache_size",
    "prepareThreshold",
];

/// Parameters that the driver understands, and those that are understood here.
const UNDERSTOOD: &str = "sslmode, sslrootcert, sslcert, sslkey, host, hostaddr, port, dbname, user, password, \
                          application_name, options, schema, search_path, connect_timeout, write_timeout";

/// What is understood here rather than by the driver.
#[derive(Default)]
pub(super) struct Own {
    pub(super) schema: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) write_timeout: Option<Duration>,
    /// Settings of the session, from `options`.
    pub(super) settings: Vec<(String, String)>,
}

impl Own {
    /// Takes `pair` of the URL's query; false leaves it to the driver.
    pub(super) fn take(&mut self, pair: &str) -> Result<bool, LocationError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = || {
            decoded(&value.replace('+', " ")).ok_or_else(|| {
                LocationError::new(
                    format!("the URL's parameter {name} is not UTF-8"),
                    "write it in UTF-8",
                )
            })
        };
        match name {
            "schema" | "currentSchema" => self.schema = Some(text()?),
            "search_path" => self.search_path(&text()?)?,
            "options" => self.options(&text()?)?,
            "connect_timeout" => self.connect_timeout = Some(seconds(name, &text()?)?),
            "write_timeout" => self.write_timeout = Some(seconds(name, &text()?)?),
            "sslmode" | "ssl-mode" if text()?.parse::<PgSslMode>().is_err() => {
                return Err(LocationError::new(
                    "the URL's sslmode is not understood",
                    "disable, allow, prefer, require, verify-ca and verify-full are",
                ));
            }
            "sslmode" | "ssl-mode" | "sslrootcert" | "ssl-root-cert" | "ssl-ca" | "sslcert"
            | "ssl-cert" | "sslkey" | "ssl-key" | "host" | "hostaddr" | "port" | "dbname"
            | "user" | "password" | "application_name" => return Ok(false),
            name if HARMLESS.contains(&name) => {}
            name => {
                let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(LocationError::new(
                    format!("the database URL has a parameter that is not understood: {name}"),
                    format!("leave it out; understood are {UNDERSTOOD}"),
                ));
            }
        }
        Ok(true)
    }

    /// `-c NAME=VALUE`, `--NAME=VALUE`, separated by blanks; a backslash takes the next character as it is.
    fn options(&mut self, text: &str) -> Result<(), LocationError> {
        let mut words = words(text).into_iter();
        while let Some(word) = words.next() {
            let setting = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
                Some("") => words.next().unwrap_or_default(),
                Some(setting) => setting.to_owned(),
                None => String::new(),
            };
            let Some((name, value)) = setting.split_once('=') else {
                return Err(LocationError::new(
                    "the URL's options are not understood",
                    "options takes settings of the session: options=-c%20lock_timeout=5s",
                ));
            };
            let name = name.replace('-', "_");
            if name.eq_ignore_ascii_case("search_path") {
                self.search_path(value)?;
            } else {
                self.settings.push((name, value.to_owned()));
            }
        }
        Ok(())
    }

    /// A search path as far as it names one schema: tables are made, looked for and migrated in one place.
    fn search_path(&mut self, path: &str) -> Result<(), LocationError> {
        let mut names = identifiers(path);
        names.retain(|name| !name.is_empty() && name != "$user");
        let [name] = &names[..] else {
            return Err(LocationError::new(
                "the URL's search_path does not name exactly one schema",
                "name the schema our tables are in: schema=NAME in the URL, or --database-schema NAME",
            ));
        };
        self.schema = Some(name.clone());
        Ok(())
    }
}

fn seconds(name: &str, text: &str) -> Result<Duration, LocationError> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(|| {
        LocationError::new(
            format!("the URL's {name} is no number of seconds"),
            format!("{name}=10 waits ten seconds"),
        )
    })
}

/// The names of a search path, as the server reads it: in quotation marks as they stand, with the marks doubled inside;
/// without them in small letters.
fn identifiers(path: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = path.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => name.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            blank if !quoted && blank.is_whitespace() => {}
            other if quoted => name.push(other),
            other => name.push(other.to_ascii_lowercase()),
        }
    }
    names.push(name);
    names
}

fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                inside = true;
                word.extend(characters.next());
            }
            blank if blank.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                }
                inside = false;
            }
            other => {
                inside = true;
                word.push(other);
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}

/// `text` with its percent signs resolved (RFC 3986, section 2.1); `None` if that is not UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3);
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) if *byte == b'%' => {
                plain.push(escaped);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_is_read_as_the_server_reads_it() {
        for (path, names) in [
            ("app", &["app"][..]),
            (" \"$user\", App ", &["$user", "app"]),
            (r#""My ""own"", Schema""#, &[r#"My "own", Schema"#]),
            ("a,,b", &["a", "", "b"]),
        ] {
            assert_eq!(identifiers(path), names, "{path}");
        }
    }
}
