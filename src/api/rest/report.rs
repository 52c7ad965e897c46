//! What servers say of their own sessions: the bodies of the write endpoints, and what may stand in them.
//!
//! A bound stands at one place: the type of the field, which reads it and describes it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::error::InputError;
use super::{ApiError, TokenCounter};
use crate::model::{DisconnectReason, OperationStatus, RequestId, Timestamp, UserContext};
use crate::tracking::{NewSession, Report};

/// Bytes of a body.
pub(super) const LONGEST_BODY: usize = 16 << 20;
/// Requests in one array.
pub(super) const MOST_REQUESTS: usize = 1_000;
/// What PostgreSQL's column of tokens adds up without overflow.
const MOST_TOKENS: u32 = (1 << 30) - 1;
/// Milliseconds; what PostgreSQL's column of durations holds.
const LONGEST_DURATION: f64 = i32::MAX as f64;
/// Bytes of a client's capabilities.
const LONGEST_CAPABILITIES: usize = 16 << 10;
/// How far ahead of this machine's a server's clock may be.
const CLOCKS_DIFFER: Duration = Duration::from_mins(1);
/// How old a request may be that is reported.
const OLDEST: Duration = Duration::from_hours(30 * 24);
/// The name of a server that does not say it.
const SOME_SERVER: &str = "reported";

/// A text of 1 to `MOST` characters, without NUL (which PostgreSQL cannot hold).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<const MOST: usize>(pub(super) String);

impl<'de, const MOST: usize> Deserialize<'de> for Text<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains('\0') {
            return Err(D::Error::custom("a NUL character is not allowed"));
        }
        match text.chars().count() {
            0 => Err(D::Error::custom(format_args!(
                "is empty; 1 to {MOST} characters are allowed"
            ))),
            length if length > MOST => Err(D::Error::custom(format_args!(
                "has {length} characters; 1 to {MOST} are allowed"
            ))),
            _ => Ok(Self(text)),
        }
    }
}

impl<const MOST: usize> JsonSchema for Text<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": MOST, "pattern": "^[^\\u0000]*$"})
    }
}

impl<const MOST: usize> From<Text<MOST>> for Box<str> {
    fn from(text: Text<MOST>) -> Self {
        text.0.into()
    }
}

/// A count of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens(u32);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let whole = number.as_u64().or_else(|| {
            // JSON does not tell 5 from 5.0.
            let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
            format!("{float}").parse().ok()
        });
        let fits = whole.and_then(|whole| u32::try_from(whole).ok());
        let fits = fits.filter(|whole| *whole <= MOST_TOKENS);
        fits.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "{number} is no whole number from 0 to {MOST_TOKENS}"
            ))
        })
    }
}

impl JsonSchema for Tokens {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Tokens".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0, "maximum": MOST_TOKENS})
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Milliseconds(f64);

impl<'de> Deserialize<'de> for Milliseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if (0.0..=LONGEST_DURATION).contains(&number) {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format_args!(
            "{number} is no number from 0 to {LONGEST_DURATION}"
        )))
    }
}

impl JsonSchema for Milliseconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Milliseconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": i32::MAX})
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(OperationStatus);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By way of a text: of a number where an enum has to be, serde_json says that it is no JSON.
        let text = String::deserialize(deserializer)?;
        OperationStatus::deserialize(text.into_deserializer()).map(Self)
    }
}

impl JsonSchema for Status {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        OperationStatus::json_schema(generator)
    }
}

/// One of the reasons why sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason(DisconnectReason);

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            let all: Vec<_> = DisconnectReason::all().map(|r| r.to_string()).collect();
            D::Error::custom(format_args!("'{text}' is none of: {}", all.join(", ")))
        })
    }
}

impl JsonSchema for Reason {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all: Vec<_> = DisconnectReason::all().map(|r| r.to_string()).collect();
        json_schema!({"type": "string", "enum": all})
    }
}

/// Whether any text or name in `value` has a NUL. No JSON Schema can say that.
fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(members) => members.iter().any(holds_nul),
        serde_json::Value::Object(members) => {
            let mut members = members.iter();
            members.any(|(name, member)| name.contains('\0') || holds_nul(member))
        }
        _ => false,
    }
}

/// A JSON object that is kept as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Capabilities(Box<str>);

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = serde_json::Map::deserialize(deserializer)?;
        let object = serde_json::Value::from(map);
        if holds_nul(&object) {
            return Err(D::Error::custom("a NUL character is not allowed"));
        }
        let text = object.to_string();
        if text.len() > LONGEST_CAPABILITIES {
            return Err(D::Error::custom(format_args!(
                "takes {} bytes; {LONGEST_CAPABILITIES} are allowed",
                text.len()
            )));
        }
        Ok(Self(text.into()))
    }
}

impl JsonSchema for Capabilities {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Capabilities".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

/// The client of a session, as it said in `initialize` or in `_meta`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "ClientInfo")]
pub(super) struct ClientInfoBody {
    /// `clientInfo.name`.
    name: Option<Text<255>>,
    /// `clientInfo.version`.
    version: Option<Text<255>>,
    /// The client's capabilities, at most 16 KiB.
    capabilities: Option<Capabilities>,
}

/// Whose a session is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "UserContext")]
#[expect(clippy::struct_field_names, reason = "as the contract has them")]
pub(super) struct UserContextBody {
    /// The user's id.
    user_id: Option<Uuid>,
    /// The user's e-mail address.
    user_email: Option<Text<255>>,
    /// The user's name.
    user_name: Option<Text<255>>,
}

/// A session that begins.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "NewSession")]
pub(super) struct NewSessionBody {
    /// Its client.
    client_info: Option<ClientInfoBody>,
    /// Whose it is.
    user_context: Option<UserContextBody>,
    /// The name of the server that reports it; `reported` where it is not given.
    server: Option<Text<255>>,
    /// The protocol revision that client and server agreed on.
    protocol_version: Option<Text<64>>,
}

impl From<NewSessionBody> for NewSession {
    fn from(body: NewSessionBody) -> Self {
        let client = body.client_info.unwrap_or_default();
        let user = body.user_context.unwrap_or_default();
        let server = body.server.map(Into::into);
        Self {
            server: server.unwrap_or_else(|| SOME_SERVER.into()),
            client: (client.name.map(Into::into), client.version.map(Into::into)),
            capabilities: client.capabilities.map(|Capabilities(text)| text),
            protocol_version: body.protocol_version.map(Into::into),
            user: UserContext {
                user_id: user.user_id,
                user_email: user.user_email.map(Into::into),
                user_name: user.user_name.map(Into::into),
            },
        }
    }
}

/// Why a session is closed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "CloseSession")]
pub(super) struct CloseBody {
    /// The reason; `client_disconnect` where it is not given.
    reason: Option<Reason>,
}

impl CloseBody {
    pub(super) fn reason(&self) -> DisconnectReason {
        let given = self.reason.map(|Reason(reason)| reason);
        given.unwrap_or(DisconnectReason::ClientDisconnect)
    }
}

/// A request that was answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
#[schemars(rename = "NewRequest")]
pub(super) struct RequestBody {
    /// An id of the server's own: a request that is reported again under it counts once.
    request_id: Option<Uuid>,
    /// JSON-RPC method, such as `tools/call`.
    method: Text<255>,
    /// The tool that was called.
    tool_name: Option<Text<255>>,
    /// Tokens of the arguments. Not together with `prompt_text`.
    prompt_tokens: Option<Tokens>,
    /// Tokens of the result. Not together with `completion_text`.
    completion_tokens: Option<Tokens>,
    /// The arguments, whose tokens are counted here. The text is not kept.
    prompt_text: Option<String>,
    /// The result, whose tokens are counted here. The text is not kept.
    completion_text: Option<String>,
    /// The model that the tokens are of; the cost is estimated from its price.
    model: Option<Text<255>>,
    /// Milliseconds; without it the request counts in no average.
    duration_ms: Option<Milliseconds>,
    /// How it ended; `success` where it is not given.
    status: Option<Status>,
    /// What went wrong. Only with `error` and `timeout`.
    error_message: Option<Text<2000>>,
    /// When it began; where it is not given, `duration_ms` ago. Not older than 30 days.
    timestamp: Option<Timestamp>,
}

/// The body of a report: what [`requests`] reads.
#[derive(JsonSchema)]
#[schemars(rename = "NewRequests", untagged)]
#[expect(
    dead_code,
    reason = "it is read member by member, so that each is named that is refused"
)]
pub(super) enum RequestsBody {
    /// One request.
    One(RequestBody),
    /// Up to 1,000 at once.
    Many(#[schemars(length(min = 1, max = 1000))] Vec<RequestBody>),
}

impl RequestBody {
    /// The request as it is recorded, or what is wrong with it.
    fn check(self, now: Timestamp, count: Option<&TokenCounter>) -> Result<Report, String> {
        let duration = self
            .duration_ms
            .map(|Milliseconds(ms)| Duration::from_secs_f64(ms / 1e3));
        let started_at = match self.timestamp {
            None => now.minus(duration.unwrap_or_default()),
            Some(at) if at < now.minus(OLDEST) => {
                return Err(format!("timestamp: {at} is more than 30 days ago"));
            }
            Some(at) if at.plus(duration.unwrap_or_default()) > now.plus(CLOCKS_DIFFER) => {
                return Err(format!(
                    "timestamp: a request that began at {at} and took so long is not over yet; it is {now}"
                ));
            }
            Some(at) => at,
        };
        let status = self.status.map(|Status(status)| status);
        let status = status.unwrap_or(OperationStatus::Success);
        if status == OperationStatus::Success && self.error_message.is_some() {
            return Err(
                "error_message: goes with status 'error' or 'timeout' only, and this one is 'success'".to_owned(),
            );
        }
        let model = self.model.map(|Text(model)| model);
        let tokens = |name: &str, given: Option<Tokens>, text: Option<String>| match (given, text) {
            (Some(_), Some(_)) => Err(format!(
                "{name}_text: goes without {name}_tokens; leave one of them out"
            )),
            (Some(Tokens(tokens)), None) => Ok(Some(tokens)),
            (None, Some(text)) => match count {
                Some(count) => match count(&text, model.as_deref()) {
                    Some(tokens) => Ok(Some(tokens.min(MOST_TOKENS))),
                    None => Err(format!(
                        "{name}_text: its tokens cannot be counted; send {name}_tokens"
                    )),
                },
                None => Err(format!(
                    "{name}_text: this version does not count the tokens of texts; send {name}_tokens"
                )),
            },
            (None, None) => Ok(None),
        };
        Ok(Report {
            request_id: self.request_id.map(RequestId),
            method: self.method.into(),
            tool: self.tool_name.map(Into::into),
            started_at,
            duration,
            status,
            error_message: self.error_message.map(Into::into),
            prompt_tokens: tokens("prompt", self.prompt_tokens, self.prompt_text)?,
            completion_tokens: tokens("completion", self.completion_tokens, self.completion_text)?,
            model: model.map(Into::into),
        })
    }
}

/// A body whose length is within bounds, as JSON: by its own word, or where it says nothing of what it is and is empty.
pub(super) fn json(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, ApiError> {
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        let detail = if status == StatusCode::PAYLOAD_TOO_LARGE {
            format!("the body is longer than {LONGEST_BODY} bytes")
        } else {
            "the body did not come to its end".to_owned()
        };
        ApiError::new(status, detail)
    })?;
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.map(|kind| kind.to_str().unwrap_or_default());
    let named = kind.map(|kind| {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    });
    if named == Some(true) || (named.is_none() && body.is_empty()) {
        return Ok(body);
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body has to be JSON, with Content-Type: application/json",
    ))
}

/// One object; an empty body is one without any field.
pub(super) fn object<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    read(body).map_err(ApiError::parameter)
}

/// Refuses a body where none is wanted; an empty object says as little.
pub(super) fn nothing(body: &[u8]) -> Result<(), ApiError> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object")]
    struct Nothing {}
    object::<Nothing>(body).map(|_| ())
}

/// The requests of a body: one object, or an array of them. None is taken where one is not what it may be.
pub(super) fn requests(
    body: &[u8],
    now: Timestamp,
    count: Option<&TokenCounter>,
) -> Result<Vec<Report>, ApiError> {
    if body.trim_ascii_start().first() != Some(&b'[') {
        let one: RequestBody = read(body).map_err(ApiError::parameter)?;
        let one = one.check(now, count).map_err(ApiError::parameter)?;
        return Ok(vec![one]);
    }
    let members: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| ApiError::parameter(format!("the body is no JSON: {error}")))?;
    if members.is_empty() || members.len() > MOST_REQUESTS {
        return Err(ApiError::parameter(format!(
            "the array has {} requests; 1 to {MOST_REQUESTS} are allowed",
            members.len()
        )));
    }
    let (mut reports, mut errors) = (Vec::with_capacity(members.len()), Vec::new());
    let mut ids = HashMap::new();
    for (index, raw) in members.into_iter().enumerate() {
        let read = read::<RequestBody>(raw.get().as_bytes());
        let checked = read.and_then(|request| {
            if let Some(id) = request.request_id
                && let Some(first) = ids.insert(id, index)
            {
                return Err(format!("request_id: {id} is that of request {first} too"));
            }
            request.check(now, count)
        });
        match checked {
            Ok(report) => reports.push(report),
            Err(detail) => errors.push(InputError { index, detail }),
        }
    }
    match errors.first() {
        None => Ok(reports),
        Some(first) => {
            let detail = format!(
                "request {}: {} ({} of the array are refused; none was recorded)",
                first.index,
                first.detail,
                errors.len()
            );
            Err(ApiError::members(detail, errors))
        }
    }
}

/// Reads JSON; says where in it which value is not what it may be.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut deserializer);
    let read = read.map_err(|error| {
        let path = error.path().to_string();
        let said = error.inner().to_string();
        if !error.inner().is_data() {
            return format!("the body is no JSON: {said}");
        }
        // The place in the text says less than the path.
        let said = said
            .rsplit_once(" at line ")
            .map_or(&*said, |(said, _)| said);
        if path == "." {
            said.to_owned()
        } else {
            format!("{path}: {said}")
        }
    })?;
    let end = deserializer.end();
    end.map_err(|error| format!("the body is no JSON: {error}"))?;
    Ok(read)
}
