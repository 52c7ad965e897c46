//! Questions about sessions, users and usage, and their answers: shared by the command line, the API and the
//! built-in MCP server.
//!
//! Owns what a question means and the shape of its answer. Holds no SQL (that is `store`) and prints nothing.

mod types;

pub use types::{
    ClientStats, DisconnectStatistics, DisconnectedSessions, OperationRow, Page, Pagination,
    SessionDetails, SessionFilter, SessionPage, SessionRow, SessionStats, ToolUsage, UsageSummary,
    UsageTotals, UsageWithSessions, UserStats,
};

use crate::model::{Period, SessionId};
use crate::store::{Store, StoreError};

/// Sessions that match `filter`, newest activity first.
///
/// # Errors
/// When the store does not answer.
pub async fn list_sessions(
    store: &Store,
    filter: &SessionFilter,
) -> Result<SessionPage, StoreError> {
    todo!("{store:?} {filter:?}")
}

/// One session with a page of its operations, newest first; `None` for an unknown id.
///
/// # Errors
/// When the store does not answer.
pub async fn session_details(
    store: &Store,
    id: SessionId,
    page: Page,
) -> Result<Option<SessionDetails>, StoreError> {
    todo!("{store:?} {id:?} {page:?}")
}

/// Sessions that ended in `period`, newest end first, with statistics over the whole period.
///
/// # Errors
/// When the store does not answer.
pub async fn disconnected_sessions(
    store: &Store,
    period: Period,
    page: Page,
) -> Result<DisconnectedSessions, StoreError> {
    todo!("{store:?} {period:?} {page:?}")
}

/// Sessions by client type; those that connected in `period`, or all.
///
/// # Errors
/// When the store does not answer.
pub async fn session_stats(
    store: &Store,
    period: Option<Period>,
) -> Result<SessionStats, StoreError> {
    todo!("{store:?} {period:?}")
}

/// Sessions and usage by user, latest activity first; sessions with activity in `period`, or all.
///
/// # Errors
/// When the store does not answer.
pub async fn user_stats(
    store: &Store,
    period: Option<Period>,
) -> Result<Vec<UserStats>, StoreError> {
    todo!("{store:?} {period:?}")
}

/// Successful operations of `period`, in sum and by tool.
///
/// # Errors
/// When the store does not answer.
pub async fn usage_summary(store: &Store, period: Period) -> Result<UsageSummary, StoreError> {
    todo!("{store:?} {period:?}")
}
