//! Parameters of queries and paths, as the document has them.

use serde_json::{Value, json};

/// What a parameter may be. The bounds are those that the handlers hold it against; a test compares the two.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Kind {
    /// A whole number: default, least, most.
    Whole(Option<u64>, u64, u64),
    /// One of some words, and which stands for none.
    Word(&'static [&'static str], Option<&'static str>),
    /// Some of some words, with commas between them.
    Words(&'static [&'static str]),
    /// A text.
    Text,
    /// The id of an event.
    Event,
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
    place: Place,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Query,
    Path,
    Header,
}

impl Parameter {
    pub(super) fn query(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            about,
            place: Place::Query,
        }
    }

    pub(super) fn header(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            place: Place::Header,
            ..Self::query(name, kind, about)
        }
    }

    pub(super) fn session() -> Self {
        Self {
            name: "session_id",
            kind: Kind::Session,
            about: "The session",
            place: Place::Path,
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
            Kind::Words(words) => (
                json!({"type": "array", "items": {"type": "string", "enum": words}, "minItems": 1}),
                None,
            ),
            Kind::Event => (
                json!({"type": "string", "pattern": "^[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,9}$"}),
                None,
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
        let mut document = json!({
            "name": self.name,
            "in": match self.place {
                Place::Query => "query",
                Place::Path => "path",
                Place::Header => "header",
            },
            "required": self.place == Place::Path,
            "description": self.about,
            "schema": self.schema(),
        });
        if let Kind::Words(_) = self.kind {
            // Commas between them, and not one parameter for each.
            document["style"] = json!("form");
            document["explode"] = json!(false);
        }
        document
    }
}
