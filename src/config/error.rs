//! What can be wrong with a configuration, said so that the person who wrote it finds the place.
//!
//! Never repeats a value that may hold credentials.

use std::path::PathBuf;

/// Why the settings could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file exists but cannot be read.
    #[error("cannot read {}: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file is not TOML.
    #[error("{}, line {line}: {reason}", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// A file sets something that is no setting.
    #[error("{}: unknown key '{key}'", .file.display())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// All keys there are.
        valid: String,
    },
    /// A value of the wrong kind or out of bounds.
    #[error("{key} (from {origin}): {reason}")]
    Invalid {
        /// The setting.
        key: &'static str,
        /// Where the value came from.
        origin: String,
        /// What is wrong and what is allowed.
        reason: String,
        /// What to do, if there is more to say than `reason` does.
        hint: Option<String>,
    },
    /// Something in a table of `[upstreams]`.
    #[error("{key} (from {origin}): {reason}")]
    Upstream {
        /// Where in the tables.
        key: String,
        /// Where the value came from.
        origin: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// Neither a setting nor the environment says where data goes.
    #[error("no data directory: neither XDG_DATA_HOME nor HOME is set")]
    NoDataDir,
}

impl ConfigError {
    /// A stable word for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Syntax { .. } => "config_syntax",
            Self::UnknownKey { .. } => "config_unknown_key",
            Self::Invalid { .. } | Self::Upstream { .. } => "config_invalid",
            Self::NoDataDir => "no_data_dir",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "make the file readable, or move it away".to_owned(),
            Self::Syntax { .. } => {
                "the file is TOML: one `key = \"value\"` on each line".to_owned()
            }
            Self::UnknownKey { valid, .. } => format!("valid keys: {valid}"),
            Self::Invalid {
                hint: Some(hint), ..
            }
            | Self::Upstream { hint, .. } => hint.clone(),
            Self::Invalid { .. } => {
                "`archonctl config show --origin` lists every setting and where it comes from"
                    .to_owned()
            }
            Self::NoDataDir => "pass --data-dir DIR, or set ARCHONCTL_DATA_DIR or HOME".to_owned(),
        }
    }
}
