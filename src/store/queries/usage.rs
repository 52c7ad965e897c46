//! Usage: successful operations of a period, by tool. The handshake is none of them.

use super::window::{Statement, Value, fetch_all};
use crate::model::{HANDSHAKE_METHODS, Period};
use crate::store::connection::Store;
use crate::store::error::StoreError;
use crate::store::rows::ToolSums;

impl Store {
    /// Successful operations that started in `period` by tool name, else method; most operations first, then by name.
    pub(crate) async fn usage_by_tool(&self, period: Period) -> Result<Vec<ToolSums>, StoreError> {
        let mut statement = Statement::new(
            "SELECT coalesce(tool_name, method) AS name, count(*) AS requests, \
             CAST(coalesce(sum(prompt_tokens), 0) AS BIGINT) AS prompt_tokens, \
             CAST(coalesce(sum(completion_tokens), 0) AS BIGINT) AS completion_tokens, \
             coalesce(sum(estimated_cost), 0) AS cost FROM archon_mcp_requests",
        );
        successful_in(&mut statement, period);
        statement.push(" GROUP BY coalesce(tool_name, method) ORDER BY count(*) DESC, name");
        fetch_all!(self, statement, "sum up usage by tool")
    }

    /// How many sessions have a successful operation that started in `period`.
    pub(crate) async fn sessions_with_usage(&self, period: Period) -> Result<i64, StoreError> {
        let mut statement =
            Statement::new("SELECT count(DISTINCT session_id) FROM archon_mcp_requests");
        successful_in(&mut statement, period);
        let rows: Vec<(i64,)> = fetch_all!(self, statement, "count sessions with usage")?;
        Ok(rows.first().map_or(0, |(n,)| *n))
    }
}

fn successful_in(statement: &mut Statement, period: Period) {
    statement
        .condition("status = 'success'")
        .condition_with("timestamp >= ", Value::Instant(period.start), "")
        .condition_with("timestamp <= ", Value::Instant(period.end), "");
    for method in HANDSHAKE_METHODS {
        statement.condition_with("method <> ", Value::Text(method.to_owned()), "");
    }
}
