//! Typed options, resolved once: defaults < user file < project file < environment < flags.
//!
//! Owns which settings exist, where each may come from, and what a valid value is. Starts nothing, opens no store and
//! prints nothing; imports only `model`.

mod api;
mod cost;
mod database;
mod error;
mod file;
mod headers;
mod limits;
mod names;
mod options;
mod otlp;
mod settings;
mod sources;
mod upstream;
mod upstreams;

pub use crate::model::server_name;
pub use api::{ApiAccess, JwtSettings, RemoteApi};
pub use cost::CostOptions;
pub use database::{DatabaseOptions, DatabaseUrl};
pub use error::ConfigError;
pub use headers::{Header, HeaderError, header_argument, header_file};
pub use limits::{Access, Limits};
pub use names::{name_of_command, name_of_url};
pub use options::{InstanceOptions, LogFormat, ServeOptions, StdioOptions};
pub use otlp::OtlpOptions;
pub use settings::{Flags, Key, Origin, Settings, Shown};
pub use sources::Sources;
pub use upstream::{Refusal, Secret, Upstream, parse_url as server_url};
pub use upstreams::ShownUpstream;
