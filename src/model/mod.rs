//! The plain types everything else speaks in: sessions, operations, reasons, ids, time, money.
//!
//! Owns the vocabulary of `docs/TRACKING.md`. Does no I/O and imports no other folder.

mod client_type;
mod health;
mod ids;
mod models;
mod money;
mod operation;
mod reason;
mod record;
mod server_name;
mod session;
mod time;

pub use client_type::ClientType;
pub use health::{HealthView, Rejections, UpstreamHealth};
pub use ids::{IdSource, InstanceId, RequestId, SessionId, UuidV7Source};
pub use models::{ModelRules, Price, PriceList};
pub use money::Cost;
pub use operation::{HANDSHAKE_METHODS, Operation, OperationStatus, Target, UNKNOWN_DURATION};
pub use reason::{DisconnectReason, ErrorType, ParseReasonError};
pub use record::{Record, SessionClosed, SessionTouched};
pub use server_name::server_name;
pub(crate) use server_name::{LONGEST_SERVER_NAME, fits_a_server_name};
pub use session::{Derivation, Era, OpenedSession, SessionStatus, UserContext};
pub use time::{Clock, ManualClock, Period, PeriodError, SystemClock, Timestamp, parse_duration};

#[cfg(test)]
pub(crate) mod made_up;
