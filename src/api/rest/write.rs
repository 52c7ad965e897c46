//! The handlers that write: what servers report of their own sessions, from a request's body to the tracker.
//!
//! An answer that something was taken is given when the journal has it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};

use super::answers::{ClosedSession, OpenedAnswer, RecordedAnswer};
use super::openapi::{Accepted, Created, NoContent};
use super::parameters::{Parameters, SessionPath};
use super::report::{self, CloseBody, NewSessionBody};
use super::{Api, ApiError};
use crate::model::SessionId;
use crate::tracking::{EndedSession, Found, ReportError, Tracker};

type Body = Result<Bytes, BytesRejection>;

/// Runs what may wait for the disk.
async fn journalled<T: Send + 'static>(
    api: &Api,
    write: impl FnOnce(&Tracker) -> Result<T, ReportError> + Send + 'static,
) -> Result<T, ApiError> {
    let tracker = api.deps.tracker.clone();
    let written = tokio::task::spawn_blocking(move || write(&tracker)).await;
    Ok(written.map_err(|error| broken(&error))??)
}

/// A thread that did not come to its end.
fn broken(error: &tokio::task::JoinError) -> ApiError {
    tracing::error!(%error, "a thread of the API ended");
    ApiError::not_now("this was not recorded; send it again in a little while")
}

async fn find(api: &Api, id: SessionId) -> Result<Found, ApiError> {
    let (tracker, store) = (&api.deps.tracker, &api.deps.store);
    Ok(tracker.find_reported(store, id).await?)
}

pub(super) async fn open_session(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Created<OpenedAnswer>, ApiError> {
    Parameters::none(query.as_deref())?;
    let new: NewSessionBody = report::object(&report::json(&headers, body)?)?;
    let session_id = journalled(&api, |tracker| tracker.open_reported(new.into())).await?;
    Ok(Created(OpenedAnswer { session_id }))
}

pub(super) async fn requests(
    State(api): State<Arc<Api>>,
    SessionPath(id): SessionPath,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted<RecordedAnswer>, ApiError> {
    Parameters::none(query.as_deref())?;
    let body = report::json(&headers, body)?;
    let (count, now) = (api.deps.count_tokens.clone(), api.deps.tracker.now());
    // To count the tokens of long texts takes a while, in which others want to be answered.
    let read = tokio::task::spawn_blocking(move || report::requests(&body, now, count.as_ref()));
    let reports = read.await.map_err(|error| broken(&error))??;
    let found = find(&api, id).await?;
    let recorded = journalled(&api, move |tracker| {
        tracker.record_reported(&found, reports)
    })
    .await?;
    Ok(Accepted(recorded.into()))
}

pub(super) async fn heartbeat(
    State(api): State<Arc<Api>>,
    SessionPath(id): SessionPath,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<NoContent, ApiError> {
    Parameters::none(query.as_deref())?;
    report::nothing(&report::json(&headers, body)?)?;
    match find(&api, id).await? {
        Found::Open(session) => {
            journalled(&api, move |tracker| tracker.touch_reported(&session)).await?;
            Ok(NoContent)
        }
        Found::Over(ended) => {
            let EndedSession { end, .. } = *ended;
            let reason = end.reason.as_deref().unwrap_or("no reason was given");
            let detail = format!(
                "session {id} ended at {} ({reason}); open another with POST /api/mcp/sessions",
                end.disconnected_at
            );
            Err(ApiError::new(StatusCode::CONFLICT, detail))
        }
    }
}

pub(super) async fn close_session(
    State(api): State<Arc<Api>>,
    SessionPath(id): SessionPath,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ClosedSession>, ApiError> {
    Parameters::none(query.as_deref())?;
    let close: CloseBody = report::object(&report::json(&headers, body)?)?;
    let ended = match find(&api, id).await? {
        Found::Over(ended) => *ended,
        Found::Open(session) => {
            let reason = close.reason();
            journalled(&api, move |tracker| {
                tracker.close_reported(&session, reason)
            })
            .await?
        }
    };
    Ok(Json(ended.into()))
}
