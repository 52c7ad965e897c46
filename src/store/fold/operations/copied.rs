//! Operations on their way into PostgreSQL by `COPY`, in its binary form: what a busy journal brings, at about the speed that the
//! server takes rows at all.
//!
//! It fails where one of them is there already, and where row security decides for this role; `INSERT` does both.
//!
//! The form is that of PostgreSQL's manual, "COPY", "Binary Format": a head, then for each row the number of fields and each
//! field with its length before it (-1 for NULL), then an end.

use uuid::Uuid;

use super::super::batch::OperationToWrite;
use super::super::limits::Limits;
use super::COLUMNS;
use super::row::Row;
use crate::model::Cost;
use crate::store::codec::postgres_count;
use crate::store::error::StoreError;
use crate::store::numeric;
use crate::store::postgres::{Lease, within};

/// From so many operations on. A `COPY` has one more answer to wait for, and its end is a small message behind large ones,
/// which the network may hold back for 40 ms: with fewer, the server would be done by then.
pub(super) const WORTH_IT: usize = 4_096;

/// Operations in one message.
const PIECE: usize = 512;

/// Signature, flags, length of an extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
const FIELDS: [u8; 2] = 19_i16.to_be_bytes();

/// Whether this role may copy: the server refuses it where row security decides for the role.
pub(super) async fn is_possible(lease: &mut Lease) -> Result<bool, StoreError> {
    let query =
        sqlx::query_scalar("SELECT NOT row_security_active('archon_mcp_requests'::regclass)");
    let patience = lease.patience();
    let asked = within(patience, query.fetch_one(lease.careful())).await;
    lease
        .noted(asked)
        .map_err(StoreError::during("tell whether row security decides"))
}

/// Copies operations of which none is there; returns how many.
pub(super) async fn insert(
    lease: &mut Lease,
    operations: &[OperationToWrite<'_>],
    limits: Limits,
) -> Result<u64, sqlx::Error> {
    let sql = format!("COPY archon_mcp_requests ({COLUMNS}) FROM STDIN (FORMAT binary)");
    let pieces = operations.chunks(PIECE).map(|piece| packed(piece, limits));
    let all = std::iter::once(HEAD.to_vec()).chain(pieces);
    lease
        .copied(&sql, all.chain(std::iter::once(END.to_vec())))
        .await
}

fn packed(operations: &[OperationToWrite<'_>], limits: Limits) -> Vec<u8> {
    let mut fields = Fields(Vec::with_capacity(operations.len() * 320));
    for operation in operations {
        fields.row(&Row::of(operation, limits));
    }
    fields.0
}

/// Rows in the binary form.
struct Fields(Vec<u8>);

impl Fields {
    /// The columns in the order of [`COLUMNS`].
    fn row(&mut self, row: &Row<'_>) {
        self.0.extend_from_slice(&FIELDS);
        self.id(Some(row.request_id));
        self.id(Some(row.session_id));
        self.some(&postgres_count(row.timestamp).to_be_bytes());
        self.number(row.duration_ms);
        self.some(&row.bytes_in.to_be_bytes());
        self.some(&row.bytes_out.to_be_bytes());
        self.some(row.method.as_bytes());
        self.text(row.tool_name.as_deref());
        self.text(row.prompt_name.as_deref());
        self.text(row.resource_uri.as_deref());
        self.number(row.prompt_tokens);
        self.number(row.completion_tokens);
        self.money(row.estimated_cost);
        self.some(row.status.as_bytes());
        self.text(row.error_message.as_deref());
        self.some(row.sent_by.as_bytes());
        self.text(row.protocol_version.as_deref());
        self.text(row.trace_id.as_deref());
        self.id(row.user_id);
    }

    fn some(&mut self, value: &[u8]) {
        // No text of a record is anywhere near 2 GB: a journal's records are not.
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn maybe(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.some(value),
            None => self.0.extend_from_slice(&NULL),
        }
    }

    fn id(&mut self, id: Option<Uuid>) {
        self.maybe(id.as_ref().map(|id| &id.as_bytes()[..]));
    }

    fn text(&mut self, text: Option<&str>) {
        self.maybe(text.map(str::as_bytes));
    }

    fn number(&mut self, number: Option<i32>) {
        self.maybe(
            number
                .map(i32::to_be_bytes)
                .as_ref()
                .map(|bytes| &bytes[..]),
        );
    }

    fn money(&mut self, cost: Option<Cost>) {
        let form = cost.map(|cost| numeric::from_micros(cost.as_micros()));
        self.maybe(form.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_its_length_before_it() {
        let mut fields = Fields(Vec::new());
        fields.text(Some("ä"));
        fields.text(None);
        fields.number(Some(-2));
        assert_eq!(
            fields.0,
            [
                0, 0, 0, 2, 0xC3, 0xA4, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 4, 0xFF, 0xFF, 0xFF, 0xFE
            ]
        );
        assert_eq!(HEAD.len(), 19);
        assert_eq!(COLUMNS.split(',').count(), 19);
    }
}
