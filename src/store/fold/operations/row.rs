//! An operation as PostgreSQL's table has it, whichever way it goes there: what the columns hold, with what does not fit cut.

use std::borrow::Cow;

use uuid::Uuid;

use super::super::batch::OperationToWrite;
use super::super::limits::{Limits, addend};
use super::{sender, targets};
use crate::model::{Cost, Timestamp};
use crate::store::dialect::{clean, cut, small};

/// The values of [`super::COLUMNS`], in their order.
#[derive(Debug)]
pub(super) struct Row<'r> {
    pub(super) request_id: Uuid,
    pub(super) session_id: Uuid,
    pub(super) timestamp: Timestamp,
    pub(super) duration_ms: Option<i32>,
    pub(super) bytes_in: i64,
    pub(super) bytes_out: i64,
    pub(super) method: Cow<'r, str>,
    pub(super) tool_name: Option<Cow<'r, str>>,
    pub(super) prompt_name: Option<Cow<'r, str>>,
    pub(super) resource_uri: Option<Cow<'r, str>>,
    pub(super) prompt_tokens: Option<i32>,
    pub(super) completion_tokens: Option<i32>,
    pub(super) estimated_cost: Option<Cost>,
    pub(super) status: &'static str,
    pub(super) error_message: Option<Cow<'r, str>>,
    pub(super) sent_by: &'static str,
    pub(super) protocol_version: Option<Cow<'r, str>>,
    pub(super) trace_id: Option<Cow<'r, str>>,
    pub(super) user_id: Option<Uuid>,
}

impl<'r> Row<'r> {
    pub(super) fn of(write: &OperationToWrite<'r>, limits: Limits) -> Self {
        let OperationToWrite {
            operation,
            session_id,
            user_id,
            cost,
        } = write;
        let (tool, prompt, resource) = targets(operation);
        let narrow = |text: &'r str| match limits.method {
            Some(width) => cut(clean(text), width),
            None => clean(text),
        };
        let tokens = |count| limits.tokens(count).map(u32::cast_signed);
        let whole = |text: &'r Option<Box<str>>| text.as_deref().map(clean);
        Self {
            request_id: operation.request_id.0,
            session_id: session_id.0,
            timestamp: operation.started_at,
            duration_ms: limits.duration_ms(operation).map(small),
            bytes_in: addend(operation.bytes_in),
            bytes_out: addend(operation.bytes_out),
            method: narrow(&operation.method),
            tool_name: tool.map(narrow),
            prompt_name: prompt.map(clean),
            resource_uri: resource.map(clean),
            prompt_tokens: tokens(operation.prompt_tokens),
            completion_tokens: tokens(operation.completion_tokens),
            estimated_cost: cost.map(Cost::from_micros),
            status: operation.status.as_str(),
            error_message: whole(&operation.error_message),
            sent_by: sender(operation.from_server),
            protocol_version: whole(&operation.protocol_version),
            trace_id: operation.trace_id().map(clean),
            user_id: *user_id,
        }
    }
}
