//! Operations of all sessions: pages in the order of time, and how many there are.

use super::sessions::window_end;
use super::window::{Statement, Value, fetch_all};
use crate::model::{OperationStatus, SessionId, Timestamp};
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::{OperationFilter, OperationOfClient, Page, StatusCount};

/// The columns of [`crate::store::OperationRow`] in a table `r`.
pub(in crate::store) const OPERATION_COLUMNS: &str = "r.request_id, r.session_id, r.method, r.tool_name, \
    CAST(r.prompt_tokens AS BIGINT) AS prompt_tokens, CAST(r.completion_tokens AS BIGINT) AS completion_tokens, \
    CAST(coalesce(r.prompt_tokens, 0) AS BIGINT) + coalesce(r.completion_tokens, 0) AS total_tokens, \
    coalesce(nullif(r.estimated_cost, 'NaN'), 0) AS estimated_cost, r.timestamp, \
    CAST(r.duration_ms AS BIGINT) AS duration_ms, r.status, r.error_message, r.prompt_name, \
    r.resource_uri, r.sent_by, r.bytes_in, r.bytes_out, r.protocol_version, r.trace_id";

impl Store {
    /// Operations that match `filter`, newest first, each with its session's client type.
    pub(crate) async fn operations(
        &self,
        filter: &OperationFilter,
        page: Page,
    ) -> Result<Vec<OperationOfClient>, StoreError> {
        let mut statement = Statement::new(&format!(
            "SELECT {OPERATION_COLUMNS}, (SELECT s.client_type FROM archon_mcp_sessions AS s \
             WHERE s.session_id = r.session_id) AS session_client_type FROM ("
        ));
        for (place, status) in one_by_one(filter).into_iter().enumerate() {
            // An index has each of them in this order. SQLite takes LIMIT in a part of a union only inside another SELECT.
            let union = if place == 0 { "" } else { " UNION ALL " };
            statement.another(&format!(
                "{union}SELECT * FROM (SELECT * FROM archon_mcp_requests"
            ));
            if let Some(status) = status {
                // In the words of the partial index: planners compare texts.
                if status != OperationStatus::Success {
                    statement.condition("status <> 'success'");
                }
                statement.condition(&format!("status = '{}'", status.as_str()));
            }
            self.matching(&mut statement, filter);
            statement
                .push(" ORDER BY timestamp DESC, request_id DESC LIMIT ")
                .value(Value::Number(window_end(page)))
                .push(&format!(") AS part{place}"));
        }
        statement
            .push(") AS r ORDER BY timestamp DESC, request_id DESC")
            .page(page);
        fetch_all!(self, statement, "list operations")
    }

    /// How many operations match `filter`, by status.
    pub(crate) async fn count_operations(
        &self,
        filter: &OperationFilter,
    ) -> Result<Vec<StatusCount>, StoreError> {
        let mut statement =
            Statement::new("SELECT status, count(*) AS operations FROM archon_mcp_requests");
        if !filter.statuses.is_empty() {
            let words: Vec<_> = filter
                .statuses
                .iter()
                .map(|status| format!("'{}'", status.as_str()))
                .collect();
            statement.condition(&format!("status IN ({})", words.join(", ")));
        }
        self.matching(&mut statement, filter);
        statement.push(" GROUP BY status");
        fetch_all!(self, statement, "count operations")
    }

    /// The conditions of `filter` but for the status.
    fn matching(&self, statement: &mut Statement, filter: &OperationFilter) {
        if let Some(SessionId(id)) = filter.session {
            statement.condition_with("session_id = ", Value::Session(SessionId(id)), "");
        }
        within(statement, "timestamp", filter.from, filter.before);
        if let Some(text) = &filter.search {
            let text = text.to_ascii_lowercase();
            let contains = |column| dialect::contains(self.is_embedded(), column);
            statement
                .condition_with(
                    &format!("({}", contains("tool_name")),
                    Value::Text(text.clone()),
                    ") > 0 OR ",
                )
                .push(&contains("error_message"))
                .value(Value::Text(text))
                .push(") > 0)");
        }
    }
}

/// The conditions that `column` is not before `from` and is before `before`.
pub(super) fn within(
    statement: &mut Statement,
    column: &str,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
) {
    if let Some(from) = from {
        statement.condition_with(&format!("{column} >= "), Value::Instant(from), "");
    }
    if let Some(before) = before {
        statement.condition_with(&format!("{column} < "), Value::Instant(before), "");
    }
}

/// The statuses to look for, one after the other; `None` for all at once.
fn one_by_one(filter: &OperationFilter) -> Vec<Option<OperationStatus>> {
    if filter.statuses.is_empty() {
        vec![None]
    } else {
        filter.statuses.iter().copied().map(Some).collect()
    }
}
