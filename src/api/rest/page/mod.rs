//! `/docs`: a page to read the API on and to try it. It is in the binary as it stands here and fetches nothing from elsewhere.

use axum::http::header;
use axum::response::IntoResponse;

/// What the page may do: run the script and the style beside it, and ask this API.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

fn served(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}

pub(super) async fn html() -> impl IntoResponse {
    served("text/html; charset=utf-8", include_str!("page.html"))
}

pub(super) async fn script() -> impl IntoResponse {
    served("text/javascript; charset=utf-8", include_str!("page.js"))
}

pub(super) async fn style() -> impl IntoResponse {
    served("text/css; charset=utf-8", include_str!("page.css"))
}
