//! Where a database is: what a URL, a schema and a data directory come to. Connects to nothing.
//!
//! Owns which URLs and parameters are understood. Shows no password, and repeats no URL in an error.

mod parameters;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use self::parameters::{Own, decoded};
use super::dialect::EMBEDDED_FILE;

/// How long a connection may take to come about, and a transaction to start or to end, unless the URL says otherwise
/// (`connect_timeout`). A peer that went away without a word never answers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a writer's statement may take, unless the URL says otherwise (`write_timeout`).
const WRITE_TIMEOUT: Duration = Duration::from_mins(1);

/// PostgreSQL cuts longer names off (`NAMEDATALEN`).
const LONGEST_NAME: usize = 63;

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// The embedded database of a data directory.
    Embedded {
        /// The directory; it must exist.
        data_dir: PathBuf,
    },
    /// A SQLite database in a file of its own.
    File(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<Server>),
}

/// How to reach a PostgreSQL database, and the schema our tables are in.
#[derive(Clone)]
pub struct Server {
    pub(super) options: PgConnectOptions,
    pub(super) schema: Option<String>,
    pub(super) connect_timeout: Duration,
    pub(super) write_timeout: Duration,
}

/// What is wrong with a URL or a schema, and the way out. Repeats neither.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LocationError {
    reason: String,
    hint: String,
}

impl LocationError {
    fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: hint.into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl Location {
    /// What `url` names: `postgres://…`, `sqlite:FILE`, or, for `sqlite:` alone and without a URL, the embedded
    /// database of `data_dir`. What a PostgreSQL URL leaves open comes from libpq's variables (`PGHOST`, `PGPASSWORD`
    /// and so on) and `~/.pgpass`. `schema` outdoes the URL's own.
    ///
    /// # Errors
    /// When the URL, one of its parameters or the schema is not understood.
    pub fn new(
        data_dir: &Path,
        url: Option<&str>,
        schema: Option<&str>,
    ) -> Result<Self, LocationError> {
        let url = url.unwrap_or("sqlite:");
        let kind = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match kind.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => {
                Server::parse(url, schema).map(Box::new).map(Self::Postgres)
            }
            "sqlite" if schema.is_some() => Err(LocationError::new(
                "a schema is chosen, but SQLite knows none",
                "leave out --database-schema, or name a PostgreSQL database with ARCHONCTL_DATABASE_URL",
            )),
            "sqlite" => sqlite(url, data_dir),
            _ => Err(LocationError::new(
                "the database URL is neither a postgres:// nor a sqlite: URL",
                "postgres://USER@HOST:5432/DATABASE, sqlite:///path/to/file.db, or sqlite: for the database in the data \
                 directory",
            )),
        }
    }
}

impl fmt::Display for Location {
    /// For people: a file's path, or a URL without password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { data_dir } => data_dir.join(EMBEDDED_FILE).display().fmt(f),
            Self::File(file) => file.display().fmt(f),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

/// `sqlite:FILE`, `sqlite://FILE`, or `sqlite:` alone.
fn sqlite(url: &str, data_dir: &Path) -> Result<Location, LocationError> {
    let rest = url.get("sqlite:".len()..).unwrap_or_default();
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Ok(Location::Embedded {
            data_dir: data_dir.to_owned(),
        });
    }
    let whole = "give the path of a file, such as sqlite:///path/to/file.db";
    if path == ":memory:" {
        return Err(LocationError::new(
            "a database in memory keeps nothing",
            whole,
        ));
    }
    if path.contains('?') {
        return Err(LocationError::new(
            "a sqlite: URL takes no parameters",
            whole,
        ));
    }
    let path = decoded(path)
        .ok_or_else(|| LocationError::new("the path in the sqlite: URL is not UTF-8", whole))?;
    Ok(Location::File(path.into()))
}

impl Server {
    fn parse(url: &str, schema: Option<&str>) -> Result<Self, LocationError> {
        let (address, query) = url
            .split_once('?')
            .map_or((url, ""), |(address, query)| (address, query));
        let mut own = Own::default();
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if !own.take(pair)? {
                rest.push(pair);
            }
        }
        let plain = if rest.is_empty() {
            address.to_owned()
        } else {
            format!("{address}?{}", rest.join("&"))
        };
        // The driver's errors name what is wrong, not the text.
        let options: PgConnectOptions = plain.parse().map_err(|error: sqlx::Error| {
            let reason = match error {
                sqlx::Error::Configuration(inner) => inner.to_string(),
                other => other.to_string(),
            };
            LocationError::new(
                format!("the database URL is not understood: {reason}"),
                "postgres://USER@HOST:5432/DATABASE; in names and passwords, write / as %2F, @ as %40, : as %3A, % as %25",
            )
        })?;
        let named = options.get_application_name().is_some();
        let host = options.get_host().trim_matches(['[', ']']).to_owned();
        let mut options = options
            // An IPv6 address stands in brackets in a URL, and nowhere else.
            .host(&host)
            // Neither outlives a transaction behind a pooler, and the first is refused by pgbouncer as it comes.
            .extra_float_digits(None)
            .statement_cache_capacity(0)
            .disable_statement_logging();
        if !named {
            options = options.application_name("archonctl");
        }
        if !own.settings.is_empty() {
            let settings = own.settings.iter().map(|(name, value)| (name, value));
            options = options.options(settings);
        }
        let schema = schema.map(str::to_owned).or(own.schema);
        if let Some(name) = &schema {
            check_name(name)?;
        }
        Ok(Self {
            options,
            schema,
            connect_timeout: own.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
            write_timeout: own.write_timeout.unwrap_or(WRITE_TIMEOUT),
        })
    }

    /// Whether the connection is only made over TLS.
    pub(super) fn wants_tls(&self) -> bool {
        !matches!(
            self.options.get_ssl_mode(),
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
        )
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let (user, port) = (options.get_username(), options.get_port());
        let database = options.get_database().unwrap_or(user);
        let mut parameters = Vec::new();
        let host = options.get_host();
        let socket = options
            .get_socket()
            .map(|folder| folder.display().to_string());
        if let Some(socket) = socket.or_else(|| host.starts_with('/').then(|| host.to_owned())) {
            write!(f, "postgres://{user}@/{database}")?;
            parameters.push(format!("host={socket}&port={port}"));
        } else {
            let (open, close) = if host.contains(':') {
                ("[", "]")
            } else {
                ("", "")
            };
            write!(f, "postgres://{user}@{open}{host}{close}:{port}/{database}")?;
        }
        parameters.extend(self.schema.iter().map(|schema| format!("schema={schema}")));
        if parameters.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", parameters.join("&"))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The driver's own form shows the password.
        write!(f, "Server({self})")
    }
}

fn check_name(schema: &str) -> Result<(), LocationError> {
    let sound =
        !schema.is_empty() && schema.len() <= LONGEST_NAME && !schema.chars().any(char::is_control);
    if sound {
        Ok(())
    } else {
        Err(LocationError::new(
            "this is no name of a schema",
            format!("1 to {LONGEST_NAME} bytes are expected, as in \\dn of psql; without quotes"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(url: &str) -> Result<Location, LocationError> {
        Location::new(Path::new("/data"), Some(url), None)
    }

    fn server(url: &str) -> Server {
        match location(url) {
            Ok(Location::Postgres(server)) => *server,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn a_location_is_shown_without_its_password() {
        for (url, shown) in [
            (
                "postgres://me:pw@db.example/app",
                "postgres://me@db.example:5432/app",
            ),
            (
                "postgresql://me:p%40w@[::1]:7/app?sslmode=require",
                "postgres://me@[::1]:7/app",
            ),
            (
                "postgres://me@h/app?password=pw&schema=a%20b",
                "postgres://me@h:5432/app?schema=a b",
            ),
            (
                "postgres:///app?host=/run/pg&port=7&user=me&password=pw",
                "postgres://me@/app?host=/run/pg&port=7",
            ),
            ("sqlite:", "/data/archonctl.db"),
            ("sqlite:a/b.db", "a/b.db"),
            ("sqlite:///a/b%20c.db", "/a/b c.db"),
        ] {
            let location = location(url).expect(url);
            assert_eq!(location.to_string(), shown, "{url}");
            assert!(!format!("{location:?}").contains("pw"), "{location:?}");
        }
    }

    #[test]
    fn a_schema_is_found_wherever_it_is_named() {
        for query in [
            "schema=app",
            "search_path=app",
            "search_path=%22$user%22,%20app",
            "options=-c%20search_path=app",
            "options=-csearch_path=app%20--lock-timeout=5s",
            "options=--search_path%3D%22app%22",
        ] {
            let server = server(&format!("postgres://me@h/db?{query}"));
            assert_eq!(server.schema.as_deref(), Some("app"), "{query}");
        }
        let both = Location::new(
            Path::new("/"),
            Some("postgres://me@h/db?schema=a"),
            Some("b"),
        );
        assert_eq!(
            both.expect("a location").to_string(),
            "postgres://me@h:5432/db?schema=b"
        );
        let other = server("postgres://me@h/db?options=-c%20lock_timeout=5s%20-c%20a.b=x%5C%20y");
        assert_eq!(
            other.options.get_options(),
            Some("-c lock_timeout=5s -c a.b=x\\ y")
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_repeated() {
        for url in [
            "",
            "mysql://me:hunter2@h/db",
            "hunter2",
            "host=h password=hunter2",
            "postgres://me:hunter2@h:port/db",
            "postgres://me:hunter2@h/db?sslmode=hunter2",
            "postgres://me:hunter2@h/db?target_session_attrs=read-write",
            "postgres://me:hunter2@h/db?connect_timeout=0",
            "postgres://me:hunter2@h/db?search_path=a,b",
            "postgres://me:hunter2@h/db?options=hunter2",
            "postgres://me:hunter2@h/db?schema=",
            "sqlite::memory:",
            "sqlite:x?mode=ro",
        ] {
            let error = location(url).expect_err(url);
            let said = format!("{error} {}", error.hint());
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
        let schema = Location::new(Path::new("/"), None, Some("app"));
        assert!(schema.expect_err("SQLite").to_string().contains("SQLite"));
    }

    #[test]
    fn parameters_of_other_tools_change_nothing() {
        let server =
            server("postgres://me@h/db?pgbouncer=true&connection_limit=1&connect_timeout=3");
        assert_eq!(server.to_string(), "postgres://me@h:5432/db");
        assert_eq!(server.connect_timeout, Duration::from_secs(3));
    }
}
