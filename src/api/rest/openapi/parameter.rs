//! Parameters of queries and paths, as the document has them.

use serde_json::{Value, json};

/// What a parameter may be. The bounds are those that the handlers hold it against; a test compares the two.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Kind {
    /// A whole number: default, least, most.
    Whole(Option<u64>, u64, u64),
    /// One of some words, and which stands for none.
    Word(&'static [&'static str], Option<&'static str>),
    /// A text.
    Text,
    /// A session's id.
    Session,
    /// An instant of RFC 3339.
    Instant,
    /// `true` or `false`, and which stands for none.
    Flag(bool),
}

/// One parameter.
#[derive(Debug)]
pub(in super::super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    about: &'static str,
    in_path: bool,
}

impl Parameter {
    pub(super) fn query(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            about,
            in_path: false,
        }
    }

    pub(super) fn session() -> Self {
        Self {
            name: "session_id",
            kind: Kind::Session,
            about: "The session",
            in_path: true,
        }
    }

    fn schema(&self) -> Value {
        let (mut schema, default) = match self.kind {
            Kind::Whole(default, least, most) => (
                json!({"type": "integer", "minimum": least, "maximum": most}),
                default.map(Value::from),
            ),
            Kind::Word(words, default) => (
                json!({"type": "string", "enum": words}),
                default.map(Value::from),
            ),
            // NUL is in no text of the store.
            Kind::Text => (json!({"type": "string", "pattern": "^[^\\u0000]*$"}), None),
            Kind::Session => (json!({"type": "string", "format": "uuid"}), None),
            Kind::Instant => (json!({"type": "string", "format": "date-time"}), None),
            Kind::Flag(default) => (json!({"type": "boolean"}), Some(default.into())),
        };
        if let Some(default) = default {
            schema["default"] = default;
        }
        schema
    }

    /// The parameter as OpenAPI has it.
    pub(super) fn document(&self) -> Value {
        json!({
            "name": self.name,
            "in": if self.in_path { "path" } else { "query" },
            "required": self.in_path,
            "description": self.about,
            "schema": self.schema(),
        })
    }
}
