//! The API as an OpenAPI 3.1 document, made from the handlers: what each answers is read from its type.
//!
//! Owns how an endpoint is described and how descriptions become documents (OpenAPI, JSON Schema, TypeScript). Which endpoints
//! there are is [`super::endpoints`]' business.

mod describe;
mod document;
mod parameter;
mod typescript;

pub(super) use describe::{Accepted, Created, Describe, NoContent, Outcome};
pub(super) use document::json_schema;
pub(super) use parameter::{Kind, Parameter};
pub(super) use typescript::typescript;

use axum::extract::RawQuery;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};
use axum::{Json, Router};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::access::is_open;
use super::error::Problem;
use super::parameters::Parameters;
use super::{Api, ApiError, Arc};

/// An answer that an endpoint gives.
#[derive(Debug)]
struct Reply {
    status: u16,
    description: String,
    kind: &'static str,
    /// `None` where there is no body.
    schema: Option<Schema>,
    /// The data of one event, where the body is a stream of them.
    of_one: Option<Schema>,
}

const JSON: &str = "application/json";

/// What is sent to an endpoint.
#[derive(Clone, Copy, Debug)]
struct Body {
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// Whether there has to be one.
    required: bool,
}

/// What is said of an endpoint beside what its handler's type says.
#[derive(Debug)]
pub(super) struct Operation {
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    refusals: Vec<(u16, &'static str)>,
    /// The answer 503 has the same body as 200.
    unready: bool,
}

impl Operation {
    /// An endpoint by the name `id`, which answers what `summary` says.
    pub(super) fn new(id: &'static str, summary: &'static str) -> Self {
        let refusals = vec![
            (
                403,
                "Sent by a page of another site, or with a token that may not do this",
            ),
            (422, "A parameter is not what it may be"),
        ];
        Self {
            id,
            summary,
            parameters: Vec::new(),
            body: None,
            refusals,
            unready: false,
        }
    }

    /// A parameter of the query.
    pub(super) fn query(mut self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.parameters.push(Parameter::query(name, kind, about));
        self
    }

    /// A parameter that stands in a header.
    pub(super) fn header(mut self, name: &'static str, kind: Kind, about: &'static str) -> Self {
        self.parameters.push(Parameter::header(name, kind, about));
        self
    }

    /// The session in the path, which may be unknown.
    pub(super) fn of_session(mut self) -> Self {
        self.parameters.push(Parameter::session());
        self.refusals.push((404, "No session has this id"));
        self
    }

    /// It asks the store, or the journal, which may not answer.
    pub(super) fn of_store(mut self) -> Self {
        self.refusals.push((
            503,
            "The store or the journal does not answer at the moment",
        ));
        self
    }

    /// A session that is not as it has to be.
    pub(super) fn conflicts(mut self, why: &'static str) -> Self {
        self.refusals.push((409, why));
        self
    }

    /// A body, which has to be there where it is `required`.
    pub(super) fn body<T: JsonSchema>(mut self, required: bool) -> Self {
        self.body = Some(Body {
            schema: |generator| generator.subschema_for::<T>(),
            required,
        });
        self.refusals.push((413, "The body is too long"));
        self.refusals.push((415, "The body is not said to be JSON"));
        self
    }

    /// A body that says nothing: an empty one, or an empty object.
    pub(super) fn no_body(mut self) -> Self {
        self.refusals.push((413, "The body is too long"));
        self.refusals.push((415, "The body is not said to be JSON"));
        self
    }

    /// Answers 503 as 200, with why it is not ready.
    pub(super) fn may_be_unready(mut self) -> Self {
        self.unready = true;
        self
    }
}

/// One endpoint.
#[derive(Debug)]
struct Described {
    method: Method,
    path: &'static str,
    operation: Operation,
    body: Option<Schema>,
    replies: Vec<Reply>,
}

/// Endpoints, served and described at once.
pub(super) struct Endpoints {
    router: Router<Arc<Api>>,
    described: Vec<Described>,
    /// Of what is answered.
    answers: SchemaGenerator,
    /// Of what is sent.
    bodies: SchemaGenerator,
}

impl Endpoints {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        Self {
            router: Router::new(),
            described: Vec::new(),
            answers: settings().for_serialize().into_generator(),
            bodies: settings().for_deserialize().into_generator(),
        }
    }

    /// An endpoint that is asked.
    pub(super) fn get<H, T, A>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Api>> + Describe<A>,
        T: 'static,
    {
        let served = routing::get(handler);
        self.add::<H::Outcome>(Method::GET, path, served, operation)
    }

    /// An endpoint that is written to.
    pub(super) fn post<H, T, A>(self, path: &'static str, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, Arc<Api>> + Describe<A>,
        T: 'static,
    {
        let served = routing::post(handler);
        self.add::<H::Outcome>(Method::POST, path, served, operation)
    }

    /// A page for people, which is in no document.
    pub(super) fn get_page<H, T>(mut self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>>,
        T: 'static,
    {
        self.router = self.router.route(path, routing::get(handler));
        self
    }

    fn add<O: Outcome>(
        mut self,
        method: Method,
        path: &'static str,
        served: MethodRouter<Arc<Api>>,
        operation: Operation,
    ) -> Self {
        let good = Reply {
            status: O::STATUS,
            description: operation.summary.to_owned(),
            kind: O::KIND,
            schema: O::schema(&mut self.answers),
            of_one: O::schema_of_one(&mut self.answers),
        };
        let mut replies = vec![good];
        let mut operation = operation;
        if !is_open(path) {
            operation.refusals.extend([
                (
                    401,
                    "A token or a JWT is needed here, another one than was sent",
                ),
                (429, "There were too many wrong tokens from this address"),
            ]);
            operation.refusals.sort_by_key(|(status, _)| *status);
        }
        if operation.unready {
            replies.push(Reply {
                status: 503,
                description: "Not now, and why".to_owned(),
                kind: O::KIND,
                schema: O::schema(&mut self.answers),
                of_one: None,
            });
        }
        for (status, why) in &operation.refusals {
            let problem = self.answers.subschema_for::<Problem>();
            replies.push(Reply {
                status: *status,
                description: (*why).to_owned(),
                kind: JSON,
                schema: Some(problem),
                of_one: None,
            });
        }
        let body = operation.body.map(|body| (body.schema)(&mut self.bodies));
        self.described.push(Described {
            method,
            path,
            operation,
            body,
            replies,
        });
        self.router = self.router.route(path, served);
        self
    }

    /// What serves them.
    pub(super) fn into_router(self) -> Router<Arc<Api>> {
        self.router
    }
}

/// `GET /api/openapi.json`.
pub(super) async fn openapi(RawQuery(query): RawQuery) -> Result<Json<Value>, ApiError> {
    Parameters::none(query.as_deref())?;
    Ok(Json(super::openapi_document()))
}
