//! Answers that are no answer: `{"detail": "what is wrong and what is allowed"}`.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::store::StoreError;
use crate::tracking::ReportError;

/// Why a request has no answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: String,
    errors: Vec<InputError>,
    /// After how many seconds the same may be asked again.
    again: Option<u64>,
    /// What a login has to look like, as `WWW-Authenticate` says it.
    challenge: Option<String>,
}

/// The body of an error.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Problem {
    /// What is wrong, and what is allowed.
    detail: String,
    /// Where an array was sent: what is wrong with which of its members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InputError>,
}

/// What is wrong with one member of an array.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct InputError {
    /// Its place, from 0.
    pub(super) index: usize,
    /// What is wrong, and what is allowed.
    pub(super) detail: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            again: None,
            challenge: None,
        }
    }

    /// 422: members of an array are not what they may be.
    pub(super) fn members(detail: impl Into<String>, errors: Vec<InputError>) -> Self {
        Self {
            errors,
            ..Self::parameter(detail)
        }
    }

    /// 503: not now.
    pub(super) fn not_now(detail: impl Into<String>) -> Self {
        Self {
            again: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// 401 or 403, with what `WWW-Authenticate` says of it (RFC 6750, section 3).
    pub(super) fn challenge(
        status: StatusCode,
        challenge: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            challenge: Some(challenge.into()),
            ..Self::new(status, detail)
        }
    }

    /// 429: there was too much of it.
    pub(super) fn too_many(seconds: u64, detail: impl Into<String>) -> Self {
        Self {
            again: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// 422: a parameter is not what it may be.
    pub(super) fn parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 404: there is none.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

/// The journal's own words name files: they go to the log.
impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Unknown(id) => Self::not_found(format!("no session has the id {id}")),
            ReportError::NotReported(id) => Self::new(
                StatusCode::CONFLICT,
                format!(
                    "session {id} is tracked by a daemon or another writer; only sessions that were opened with POST \
                     /api/mcp/sessions are written to here"
                ),
            ),
            ReportError::Store(error) => error.into(),
            ReportError::Journal(error) => {
                tracing::warn!(%error, "the journal does not take what the API was sent");
                Self::not_now(
                    "the journal takes no records at the moment and nothing was recorded; send it again in a little \
                     while, /health and the daemon's log say more",
                )
            }
        }
    }
}

/// The store's own words may name hosts and tables: they go to the log.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(%error, source, "the store did not answer the API");
        let detail = if error.is_transient() {
            "the store does not answer at the moment; ask again in a little while"
        } else {
            "the store cannot answer; /health and the daemon's log say more"
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Problem {
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.again {
            let wait = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        let challenge = self.challenge.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(challenge)) = challenge {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

pub(super) async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does not take {method}", uri.path()),
    )
}
