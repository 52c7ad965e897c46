//! An MCP server in this process, called like one behind a connection.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;

use super::BoxError;

/// A body on its way to or from a server in this process.
pub type LocalBody = BoxBody<Bytes, BoxError>;

/// What answers the requests for a server in this process.
pub type LocalService = Box<
    dyn Fn(Request<LocalBody>) -> Pin<Box<dyn Future<Output = Response<LocalBody>> + Send>>
        + Send
        + Sync,
>;
