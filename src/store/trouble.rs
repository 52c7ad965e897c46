//! What kind of trouble a driver's error is: result codes of SQLite, SQLSTATEs of PostgreSQL, failures on the way there.

use std::fmt;
use std::io::ErrorKind;

use sqlx::postgres::PgDatabaseError;

/// What the driver says, in its words but without its frame: neither "error returned from database" nor the line of the
/// server's source where the error was raised.
#[derive(Debug)]
pub struct DriverError(pub(super) sqlx::Error);

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(error) => f.write_str(error.message()),
            sqlx::Error::Io(error) => error.fmt(f),
            sqlx::Error::Tls(error) => error.fmt(f),
            sqlx::Error::PoolTimedOut => f.write_str("no connection became free in time"),
            other => other.fmt(f),
        }
    }
}

impl std::error::Error for DriverError {}

impl From<sqlx::Error> for DriverError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

/// What kind of trouble a database, or the way to it, is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else holds what is needed: a lock, or the last connection. Waiting helps.
    Busy,
    /// The connection broke or does not come about, or the server stops or starts. Waiting helps.
    Away,
    /// The server knows us and does not let us in.
    Refused,
    /// A table, column or function is missing.
    Missing,
    /// This role may not do that.
    Denied,
    /// There is no room left.
    Full,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether the same call can succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Away)
    }

    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Away,
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                if database.try_downcast_ref::<PgDatabaseError>().is_some() {
                    Self::of_sqlstate(&code, database.message())
                } else {
                    code.parse().map_or(Self::Other, Self::of_sqlite)
                }
            }
            _ => Self::Other,
        }
    }

    /// Codes of SQLite (<https://sqlite.org/rescode.html>); the low byte of an extended code is the primary one.
    const fn of_sqlite(code: u32) -> Self {
        match code & 0xff {
            // BUSY, LOCKED; PROTOCOL is a race for the write-ahead log, of which the manual says to try again.
            5 | 6 | 15 => Self::Busy,
            13 => Self::Full,
            3 | 8 | 23 => Self::Denied,
            _ => Self::Other,
        }
    }

    /// SQLSTATEs (PostgreSQL's manual, appendix A). `message` tells apart what a pooler has no codes for.
    fn of_sqlstate(code: &str, message: &str) -> Self {
        match code {
            // Serialization failure, deadlock, lock not available, statement timeout, too many connections, out of memory.
            "40001" | "40P01" | "55P03" | "57014" | "53300" | "53200" => Self::Busy,
            // Shut down, crashed, not up yet; told to leave for having been idle.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Self::Away,
            "53100" => Self::Full,
            "42P01" | "42703" | "42883" | "3F000" => Self::Missing,
            "42501" => Self::Denied,
            "3D000" => Self::Refused,
            _ if code.starts_with("28") => Self::Refused,
            // pgbouncer says nearly everything with 08P01.
            "08P01" if refuses(message) => Self::Refused,
            _ if code.starts_with("08") => Self::Away,
            _ => Self::Other,
        }
    }
}

/// Whether a pooler's message says that we do not come in.
fn refuses(message: &str) -> bool {
    let signs = [
        "password authentication failed",
        "auth failed",
        "authentication failed",
        "no such database",
        "no such user",
        "unsupported startup parameter",
        "does not exist",
        "SSL required",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

/// What is in the way of a connection to a database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectProblem {
    /// Nothing listens there.
    Refused,
    /// The name of the host is not known.
    UnknownHost,
    /// Nobody answers, or the way is broken.
    NoAnswer,
    /// The password is wrong, or none was given.
    Password,
    /// The server's rules (`pg_hba.conf`) do not let this role in from here, or there is no such role.
    NotAllowed,
    /// There is no database of this name.
    NoDatabase,
    /// TLS does not come about.
    Tls,
    /// All connections are taken.
    Full,
    /// The server starts or stops.
    NotReady,
    /// Anything else.
    Other,
}

impl ConnectProblem {
    pub(super) fn of(error: &sqlx::Error, wants_tls: bool) -> Self {
        match error {
            sqlx::Error::Tls(_) => Self::Tls,
            sqlx::Error::Io(io) => match io.kind() {
                ErrorKind::ConnectionRefused | ErrorKind::NotFound => Self::Refused,
                _ if io.to_string().contains("failed to lookup address") => Self::UnknownHost,
                ErrorKind::InvalidData => Self::Tls,
                _ => Self::NoAnswer,
            },
            sqlx::Error::Database(database) => {
                let (code, message) = (database.code().unwrap_or_default(), database.message());
                match &*code {
                    "28P01" => Self::Password,
                    // The server asks for TLS, or refuses the role, or asks for a password that was not sent.
                    "28000" if message.contains("password") => Self::Password,
                    "28000" => Self::NotAllowed,
                    "3D000" => Self::NoDatabase,
                    "53300" => Self::Full,
                    "57P01" | "57P02" | "57P03" => Self::NotReady,
                    _ if message.contains("no such database") => Self::NoDatabase,
                    _ if refuses(message) && message.contains("auth") => Self::Password,
                    _ => Self::Other,
                }
            }
            sqlx::Error::Protocol(_) if wants_tls => Self::Tls,
            _ => Self::Other,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Refused => {
                "is the server running, and are host and port right? `archonctl config show --origin` says where the URL comes from"
            }
            Self::UnknownHost => "is the host spelled right, and is the name server reachable?",
            Self::NoAnswer => {
                "is a firewall in between, and is the port right? connect_timeout=30 in the URL waits longer"
            }
            Self::Password => {
                "put the password into the URL in ARCHONCTL_DATABASE_URL, into PGPASSWORD or ~/.pgpass, or name a file \
                               that holds the URL with database_url_file; in a URL, write / as %2F, @ as %40, : as %3A, % as %25"
            }
            Self::NotAllowed => {
                "is the role spelled right, and does the server's pg_hba.conf let it in from here?"
            }
            Self::NoDatabase => {
                "is the name spelled right? `createdb NAME` makes a database, `archonctl migrate up` its tables"
            }
            Self::Tls => {
                "sslmode=require encrypts without checking, verify-full also checks the certificate (sslrootcert names its \
                          authority), disable does without"
            }
            Self::Full => {
                "other programs hold all connections; end some, raise max_connections, or put a pooler in front"
            }
            Self::NotReady => "try again in a moment",
            Self::Other => "ARCHONCTL_LOG=debug says more",
        }
    }
}

impl fmt::Display for ConnectProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "nothing listens there",
            Self::UnknownHost => "there is no such host",
            Self::NoAnswer => "it does not answer",
            Self::Password => "the password is missing or wrong",
            Self::NotAllowed => "this role may not connect",
            Self::NoDatabase => "there is no such database",
            Self::Tls => "no encrypted connection comes about",
            Self::Full => "it takes no more connections",
            Self::NotReady => "it is starting or stopping",
            Self::Other => "it refuses",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_by_itself_is_transient() {
        let states = [
            ("40001", Trouble::Busy),
            ("40P01", Trouble::Busy),
            ("55P03", Trouble::Busy),
            ("53300", Trouble::Busy),
            ("57P01", Trouble::Away),
            ("57P03", Trouble::Away),
            ("08006", Trouble::Away),
            ("08P01", Trouble::Away),
            ("28P01", Trouble::Refused),
            ("3D000", Trouble::Refused),
            ("42P01", Trouble::Missing),
            ("42501", Trouble::Denied),
            ("53100", Trouble::Full),
            ("23505", Trouble::Other),
            ("22021", Trouble::Other),
        ];
        for (code, trouble) in states {
            assert_eq!(Trouble::of_sqlstate(code, ""), trouble, "{code}");
        }
        let pooler = Trouble::of_sqlstate("08P01", "no such database: app");
        assert_eq!(pooler, Trouble::Refused);
        for (code, trouble) in [
            (5, Trouble::Busy),
            (261, Trouble::Busy),
            (13, Trouble::Full),
            (1, Trouble::Other),
        ] {
            assert_eq!(Trouble::of_sqlite(code), trouble, "{code}");
        }
        assert!(!Trouble::Full.is_transient() && Trouble::Away.is_transient());
    }
}
