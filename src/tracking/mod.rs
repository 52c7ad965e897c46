//! What a session is, when it opens, idles and ends, and what is written for each request.
//!
//! Makes `docs/TRACKING.md` true. Sees requests and answers as they pass (from `proxy`) and writes its decisions to
//! the journal; the shipper folds them into the store. Never delays, changes or fails the traffic: what cannot be
//! recorded is counted.

mod channel;
mod exchange;
mod facts;
mod identity;
mod messages;
mod metrics;
mod process;
mod registry;
mod replicas;
mod reported;
mod session;
mod settle;
mod shipper;
mod spread;
mod sweep;
mod tap;
mod texts;
mod tracker;

pub use crate::journal::Group;
pub use channel::Channel;
pub use exchange::{Exchange, Failure};
pub use facts::{AnswerFacts, HttpMethod, RequestFacts, Server};
pub use metrics::{Histogram, Metrics, OperationLabels, error_type};
pub use process::{Process, ProcessEnd};
pub use reported::{
    EndedSession, Found, NewSession, Recorded, Report, ReportError, ReportedSession,
};
pub use session::SessionHeader;
pub use settle::{SettleError, Settled, journal_root, settle_dead};
pub use shipper::{Shipper, ShipperHandle, Told};
pub use spread::Spread;
pub use tap::{AnswerTap, RequestTap};
pub use texts::{Texts, count_tokens};
pub use tracker::{Counters, Tracker, TrackerOptions};

#[cfg(test)]
mod tests;
