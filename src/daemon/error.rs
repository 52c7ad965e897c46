//! Why the daemon does not start, in the words people see. Decides nothing.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::auth::KeyError;

/// Something on this machine is in the way of a start; what, and the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    code: &'static str,
    message: String,
    hint: &'static str,
    source: Option<io::Error>,
}

impl StartError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        self.hint
    }

    /// The data directory cannot be `done` (made, written).
    pub(super) fn data_dir(dir: &Path, done: &str, error: io::Error) -> Self {
        Self {
            code: "data_dir",
            message: format!("the data directory {} cannot be {done}", dir.display()),
            hint: "name another one with --data-dir or ARCHONCTL_DATA_DIR",
            source: Some(error),
        }
    }

    /// Nobody could get into the API, or everybody.
    pub(super) fn open_api(address: &SocketAddr) -> Self {
        Self {
            code: "api_open",
            message: format!(
                "the API at {address} can be reached from other machines, and there is no token that lets anybody in"
            ),
            hint: "`archonctl token create NAME --scope read` makes a token, --jwt-key-file has JWTs verified, --no-auth lets \
                   everybody in; or keep to this machine with --api-listen 127.0.0.1:8181",
            source: None,
        }
    }

    /// The keys for JWTs cannot be used.
    pub(super) fn jwt_keys(error: &KeyError) -> Self {
        Self {
            code: "jwt_keys",
            message: error.to_string(),
            hint: "jwt_key_file names a file of public keys (PEM or JWKS), jwt_secret_file one with a secret for HS256",
            source: None,
        }
    }

    /// `listen`, where the API is to be, cannot be listened on.
    pub(super) fn api_listen(listen: &str, error: io::Error) -> Self {
        let hint = if error.kind() == io::ErrorKind::AddrInUse {
            "stop that one, or choose another with --api-listen HOST:PORT (port 0 takes a free one; off for no API)"
        } else {
            "--api-listen takes an address of this machine, such as 127.0.0.1:8181, or off"
        };
        Self {
            hint,
            ..Self::listen(listen, error)
        }
    }

    /// `listen` cannot be listened on.
    pub(super) fn listen(listen: &str, error: io::Error) -> Self {
        let (code, message, hint) = match error.kind() {
            io::ErrorKind::AddrInUse => (
                "port_taken",
                format!("{listen} is taken by another program"),
                "stop that one, or listen elsewhere with --listen HOST:PORT (port 0 takes a free one)",
            ),
            io::ErrorKind::PermissionDenied => (
                "listen",
                format!("this user may not listen on {listen}"),
                "choose a port over 1023 with --listen HOST:PORT",
            ),
            _ => (
                "listen",
                format!("{listen} cannot be listened on"),
                "--listen takes an address of this machine, such as 127.0.0.1:8051 or 0.0.0.0:8051",
            ),
        };
        Self {
            code,
            message,
            hint,
            source: Some(error),
        }
    }
}
