//! What a handler answers, told from its type.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::super::ApiError;

/// What a handler answers when all is well.
pub(in super::super) trait Outcome {
    /// The HTTP status.
    const STATUS: u16;
    /// The body's media type.
    const KIND: &'static str = "application/json";

    /// The body, if there is one.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;

    /// The data of one event, where the body is a stream of them.
    fn schema_of_one(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<A: JsonSchema> Outcome for Json<A> {
    const STATUS: u16 = 200;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<A>())
    }
}

/// 201: there is something new.
pub(in super::super) struct Created<A>(pub(in super::super) A);

/// 202: it is in the journal.
pub(in super::super) struct Accepted<A>(pub(in super::super) A);

/// 204: done, and nothing to tell.
pub(in super::super) struct NoContent;

impl<A: JsonSchema> Outcome for Created<A> {
    const STATUS: u16 = 201;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<A>())
    }
}

impl<A: JsonSchema> Outcome for Accepted<A> {
    const STATUS: u16 = 202;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<A>())
    }
}

impl Outcome for NoContent {
    const STATUS: u16 = 204;

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<A: Serialize> IntoResponse for Created<A> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<A: Serialize> IntoResponse for Accepted<A> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// A handler whose type says what it answers. `Arguments` are the types it takes.
pub(in super::super) trait Describe<Arguments> {
    /// What it answers when all is well.
    type Outcome: Outcome;
}

macro_rules! describe {
    ($($argument:ident)*) => {
        impl<F, Fut, O, $($argument),*> Describe<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut,
            Fut: Future<Output = Result<O, ApiError>>,
            O: Outcome,
        {
            type Outcome = O;
        }
    };
}

describe!();
describe!(A);
describe!(A B);
describe!(A B C);
describe!(A B C D);
describe!(A B C D E);
