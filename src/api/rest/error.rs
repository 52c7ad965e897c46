//! Answers that are no answer: `{"detail": "what is wrong and what is allowed"}`.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::store::StoreError;

/// Why a request has no answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: String,
}

/// The body of an error.
#[derive(Debug, Serialize)]
struct Body {
    detail: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
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
        let body = Body {
            detail: self.detail,
        };
        (self.status, Json(body)).into_response()
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
