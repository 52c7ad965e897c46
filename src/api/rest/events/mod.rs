//! `GET /api/mcp/events`: what happens, as server-sent events (WHATWG HTML, section 9.2).
//!
//! Owns what is read from the request and the form of the stream. What an event tells is `reports`'.

mod feed;
mod reader;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use schemars::{Schema, SchemaGenerator};
use tokio::time::Instant;

pub(super) use feed::Feed;

use super::openapi::Outcome;
use super::parameters::Parameters;
use super::{Api, ApiError};
use crate::reports::{self, EventId, EventKind, GoingOn, LiveEvent};
use feed::{Told, Wanted};
use reader::{EventBody, Reader};

/// What a browser sends when it connects again.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How long a browser waits before it connects again, in milliseconds.
const RETRY_MS: u32 = 2_000;
/// The longest time that a stream can be asked for.
pub(super) const LONGEST: u64 = 86_400;

/// A stream of events.
pub(super) struct EventStream(EventBody);

impl Outcome for EventStream {
    const STATUS: u16 = 200;
    const KIND: &'static str = "text/event-stream";

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<String>())
    }

    fn schema_of_one(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<LiveEvent>())
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, Self::KIND),
            (header::CACHE_CONTROL, "no-store"),
            // nginx would keep events until its buffer is full.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (headers, Body::new(self.0)).into_response()
    }
}

pub(super) async fn events(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<EventStream, ApiError> {
    let names = [
        "types",
        "session_id",
        "user_id",
        "server",
        "seconds",
        "last_event_id",
    ];
    let parameters = Parameters::of(query.as_deref(), &names)?;
    let wanted = Wanted {
        kinds: parameters.choices("types", &EventKind::ALL)?,
        session_id: parameters.session_id("session_id")?,
        user_id: parameters.session_id("user_id")?.map(|id| id.0),
        server: parameters.text("server").map(str::to_owned),
    };
    let seconds = parameters.number_if_given("seconds", 0..=LONGEST)?;
    let last = last_event(&headers, &parameters)?;
    let place = Arc::clone(&api.feed.places).try_acquire_owned();
    let place = place.map_err(|_| {
        ApiError::not_now(format!(
            "{} readers of events are connected, and no more are taken; try again in a little while",
            feed::READERS
        ))
    })?;
    let store = &api.deps.store;
    let (at, gap) = match last {
        None => (reports::events_end(store).await?, None),
        Some(last) => match reports::go_on_behind(store, last).await? {
            GoingOn::Here(at) => (at, None),
            GoingOn::BehindGap(at, gap) => (at, Some(gap)),
            GoingOn::Unknown => {
                return Err(ApiError::parameter(format!(
                    "last_event_id: {last} was not given out by this store; without one the stream begins now, 0-0-0 asks for \
                     everything that is kept"
                )));
            }
        },
    };
    let wanted = Wanted {
        session_id: match wanted.session_id {
            Some(id) => Some(reports::agreed_id(store, id).await?),
            None => None,
        },
        ..wanted
    };
    // An id from the beginning: whoever loses the connection before the first event misses none either.
    let mut first = format!(": events of archonctl\nretry: {RETRY_MS}\nid: {at}\n\n").into_bytes();
    if let Some(gap) = gap {
        first.extend_from_slice(&Told::new(at, &gap).text);
    }
    let reader = Reader {
        feed: Arc::clone(&api.feed),
        wanted,
        at,
        until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        patience: api.deps.write_timeout,
        stop: api.deps.end_streams.clone(),
        _place: place,
    };
    Ok(EventStream(reader.start(first.into())))
}

/// The last event that a reader has seen: what its browser says goes before what the address says, which stays the same.
fn last_event(headers: &HeaderMap, parameters: &Parameters) -> Result<Option<EventId>, ApiError> {
    let mut said = headers.get_all(LAST_EVENT_ID).iter();
    let header = match (said.next(), said.next()) {
        (Some(one), None) => Some(String::from_utf8_lossy(one.as_bytes()).into_owned()),
        (Some(_), Some(_)) => {
            return Err(ApiError::parameter(
                "Last-Event-ID: is given twice; once is allowed",
            ));
        }
        (None, _) => None,
    };
    let text = header
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .or_else(|| parameters.text("last_event_id"));
    let Some(text) = text else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|error| {
        let shown: String = text.chars().take(60).collect();
        ApiError::parameter(format!("last_event_id: '{shown}' is {error}"))
    })
}
