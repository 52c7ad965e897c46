//! Operations on their way into the store: the bulk of every batch, and the one place where the two databases need
//! statements of their own.

mod arrays;
mod copied;
mod packed;
mod row;

use super::batch::OperationToWrite;
use super::limits::Limits;
use crate::model::{Operation, Target};
use crate::store::connection::{Tx, WriteTx};
use crate::store::error::StoreError;

/// The columns that are written.
const COLUMNS: &str = "request_id, session_id, timestamp, duration_ms, bytes_in, bytes_out, method, tool_name, prompt_name, \
    resource_uri, prompt_tokens, completion_tokens, estimated_cost, status, error_message, sent_by, protocol_version, \
    trace_id, user_id";

/// Writes operations; returns how many were new. `are_new` says that nothing suggests that some are there already; where
/// that is wrong, either fewer are written, or the error [says so](StoreError::says_there_already).
pub(super) async fn insert(
    tx: &mut WriteTx,
    operations: &[OperationToWrite<'_>],
    limits: Limits,
    are_new: bool,
) -> Result<usize, StoreError> {
    let written = match &mut tx.tx {
        Tx::Sqlite(tx) => packed::insert(tx, operations, limits).await,
        Tx::Postgres(lease) => {
            let many = are_new && operations.len() >= copied::WORTH_IT;
            if many && copied::is_possible(lease).await? {
                copied::insert(lease, operations, limits).await
            } else {
                arrays::insert(lease, operations, limits).await
            }
        }
    };
    let written = written.map_err(StoreError::during("write operations"))?;
    Ok(usize::try_from(written).unwrap_or(usize::MAX))
}

/// Tool, prompt and resource.
fn targets(operation: &Operation) -> (Option<&str>, Option<&str>, Option<&str>) {
    match &operation.target {
        Some(Target::Tool(name)) => (Some(name), None, None),
        Some(Target::Prompt(name)) => (None, Some(name), None),
        Some(Target::Resource(uri)) => (None, None, Some(uri)),
        None => (None, None, None),
    }
}

/// Who sent the request, in the store's word.
const fn sender(from_server: bool) -> &'static str {
    if from_server { "server" } else { "client" }
}
