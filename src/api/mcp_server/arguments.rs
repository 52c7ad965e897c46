//! What a tool may be told: one declaration from which both its JSON Schema and the check of its arguments come.
//!
//! Owns reading and refusing arguments. Clamps nothing and guesses nothing: what is out of bounds is refused with
//! a sentence that says what is allowed. Knows no tool.

use std::collections::HashMap;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::model::SessionId;

/// What one parameter accepts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number from `min` to `max`, both included.
    Integer {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
        /// What holds when it is left out; `None` where leaving it out means something of its own.
        default: Option<u32>,
    },
    /// True or false, false when left out.
    Flag,
    /// One of these words, the first when left out.
    Choice(&'static [&'static str]),
    /// Any text that is not empty.
    Text,
    /// A session's id, which cannot be left out.
    SessionId,
}

/// One parameter of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does, for the model that reads the schema.
    pub(super) about: &'static str,
    /// What it accepts.
    pub(super) kind: Kind,
}

impl Parameter {
    const fn required(self) -> bool {
        matches!(self.kind, Kind::SessionId)
    }

    fn schema(self) -> Value {
        let mut schema = match self.kind {
            Kind::Integer { min, max, default } => {
                let mut schema = json!({"type": "integer", "minimum": min, "maximum": max});
                if let Some(default) = default {
                    schema["default"] = default.into();
                }
                schema
            }
            Kind::Flag => json!({"type": "boolean", "default": false}),
            Kind::Choice(words) => {
                json!({"type": "string", "enum": words, "default": words.first()})
            }
            Kind::Text => json!({"type": "string", "minLength": 1}),
            Kind::SessionId => json!({"type": "string", "format": "uuid"}),
        };
        schema["description"] = self.about.into();
        schema
    }

    /// What is allowed, as the end of a sentence.
    fn allowed(self) -> String {
        match self.kind {
            Kind::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
            Kind::Flag => "true or false".to_owned(),
            Kind::Choice(words) => format!("one of: {}", words.join(", ")),
            Kind::Text => "a text that is not empty".to_owned(),
            Kind::SessionId => "a session's id, a UUID such as list_sessions shows them".to_owned(),
        }
    }

    fn read(self, value: &Value) -> Option<Argument> {
        match self.kind {
            Kind::Integer { min, max, .. } => whole_number(value)
                .filter(|number| (min..=max).contains(number))
                .map(Argument::Integer),
            Kind::Flag => value.as_bool().map(Argument::Flag),
            Kind::Choice(words) => {
                let word = value.as_str()?;
                let known = words.iter().find(|known| **known == word)?;
                Some(Argument::Word(known))
            }
            Kind::Text => {
                let text = value.as_str()?.trim();
                (!text.is_empty()).then(|| Argument::Text(text.to_owned()))
            }
            Kind::SessionId => value.as_str()?.parse().ok().map(Argument::SessionId),
        }
    }
}

/// `7` and `7.0` are the same number in JSON Schema (draft 2020-12, section 4.2.3), and some clients send the latter.
fn whole_number(value: &Value) -> Option<u32> {
    if let Some(number) = value.as_u64() {
        return u32::try_from(number).ok();
    }
    let number = value.as_f64()?;
    let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked just above"
    )]
    whole.then_some(number as u32)
}

/// The JSON Schema of a tool's arguments.
pub(super) fn schema(parameters: &[Parameter]) -> JsonObject {
    let properties: JsonObject = parameters
        .iter()
        .map(|parameter| (parameter.name.to_owned(), parameter.schema()))
        .collect();
    let required: Vec<Value> = parameters
        .iter()
        .filter(|parameter| parameter.required())
        .map(|parameter| parameter.name.into())
        .collect();
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Integer(u32),
    Flag(bool),
    Word(&'static str),
    Text(String),
    SessionId(SessionId),
}

/// Arguments that were found to be allowed.
#[derive(Debug, Default)]
pub(super) struct Arguments(HashMap<&'static str, Argument>);

impl Arguments {
    /// Checks `given` against `parameters`. `null` counts as left out: some clients send it for every optional one.
    ///
    /// # Errors
    /// One sentence for every argument that is unknown, missing or not allowed.
    pub(super) fn check(
        parameters: &[Parameter],
        given: Option<&JsonObject>,
    ) -> Result<Self, String> {
        let mut accepted = HashMap::new();
        let mut faults = Vec::new();
        for (name, value) in given.into_iter().flatten() {
            let Some(parameter) = parameters.iter().find(|known| known.name == name) else {
                faults.push(unknown(name, parameters));
                continue;
            };
            if value.is_null() {
                continue;
            }
            match parameter.read(value) {
                Some(argument) => {
                    accepted.insert(parameter.name, argument);
                }
                None => faults.push(format!(
                    "{name}: {} is not allowed; give {}",
                    shortened(value),
                    parameter.allowed()
                )),
            }
        }
        for parameter in parameters.iter().filter(|known| known.required()) {
            let given = given.and_then(|given| given.get(parameter.name));
            if given.is_none_or(Value::is_null) {
                faults.push(format!(
                    "{} is missing; give {}",
                    parameter.name,
                    parameter.allowed()
                ));
            }
        }
        if !faults.is_empty() {
            return Err(faults.join("\n"));
        }
        for parameter in parameters {
            let default = match parameter.kind {
                Kind::Integer { default, .. } => default.map(Argument::Integer),
                Kind::Flag => Some(Argument::Flag(false)),
                Kind::Choice(words) => words.first().map(|word| Argument::Word(word)),
                Kind::Text | Kind::SessionId => None,
            };
            if let Some(default) = default {
                accepted.entry(parameter.name).or_insert(default);
            }
        }
        Ok(Self(accepted))
    }

    /// A whole number; `None` if it was left out and has no default.
    pub(super) fn integer(&self, name: &str) -> Option<u32> {
        match self.0.get(name) {
            Some(Argument::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a flag was set.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Argument::Flag(true)))
    }

    /// The word chosen.
    pub(super) fn word(&self, name: &str) -> Option<&'static str> {
        match self.0.get(name) {
            Some(Argument::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// A text, if it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A session's id.
    pub(super) fn session_id(&self, name: &str) -> Option<SessionId> {
        match self.0.get(name) {
            Some(Argument::SessionId(id)) => Some(*id),
            _ => None,
        }
    }
}

fn unknown(name: &str, parameters: &[Parameter]) -> String {
    let known: Vec<_> = parameters.iter().map(|parameter| parameter.name).collect();
    if known.is_empty() {
        format!("{name} is no argument of this tool, which takes none")
    } else {
        format!(
            "{name} is no argument of this tool; it takes: {}",
            known.join(", ")
        )
    }
}

/// `value` as JSON, cut where it grows long: it is shown back to whoever sent it.
fn shortened(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: &[Parameter] = &[
        Parameter {
            name: "days",
            about: "How far back.",
            kind: Kind::Integer {
                min: 1,
                max: 30,
                default: Some(7),
            },
        },
        Parameter {
            name: "status",
            about: "Which.",
            kind: Kind::Choice(&["open", "all"]),
        },
        Parameter {
            name: "with_calls",
            about: "Whether.",
            kind: Kind::Flag,
        },
        Parameter {
            name: "client_type",
            about: "Whose.",
            kind: Kind::Text,
        },
    ];

    fn check(given: &Value) -> Result<Arguments, String> {
        Arguments::check(PARAMETERS, given.as_object())
    }

    #[test]
    fn what_is_left_out_takes_its_default() {
        for given in [json!({}), json!({"days": null, "status": null})] {
            let arguments = check(&given).expect("all are optional");
            assert_eq!(arguments.integer("days"), Some(7));
            assert_eq!(arguments.word("status"), Some("open"));
            assert!(!arguments.flag("with_calls"));
            assert_eq!(arguments.text("client_type"), None);
        }
        assert!(Arguments::check(PARAMETERS, None).is_ok());
    }

    #[test]
    fn bounds_are_inside_and_nothing_beyond_is_clamped() {
        for inside in [json!(1), json!(30), json!(30.0)] {
            assert!(check(&json!({"days": inside})).is_ok(), "{inside}");
        }
        for outside in [
            json!(0),
            json!(31),
            json!(-1),
            json!(1.5),
            json!("7"),
            json!(1e300),
        ] {
            let error = check(&json!({"days": outside})).expect_err("not allowed");
            assert!(error.contains("a whole number from 1 to 30"), "{error}");
        }
    }

    #[test]
    fn every_fault_is_named_and_says_what_is_allowed() {
        let error =
            check(&json!({"status": "gone", "day": 3, "client_type": " ", "with_calls": 1}))
                .expect_err("four faults");
        for part in [
            "status: \"gone\" is not allowed; give one of: open, all",
            "day is no argument of this tool; it takes: days, status, with_calls, client_type",
            "client_type: \" \" is not allowed; give a text that is not empty",
            "with_calls: 1 is not allowed; give true or false",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_missing_session_id_and_one_that_is_none_are_refused() {
        let parameters = [Parameter {
            name: "session_id",
            about: "Which.",
            kind: Kind::SessionId,
        }];
        for given in [
            json!({}),
            json!({"session_id": null}),
            json!({"session_id": "7"}),
        ] {
            let error = Arguments::check(&parameters, given.as_object()).expect_err("no id");
            assert!(error.contains("a UUID"), "{error}");
        }
        assert_eq!(schema(&parameters)["required"], json!(["session_id"]));
    }

    #[test]
    fn long_values_are_shown_cut() {
        let error = check(&json!({"status": "ä".repeat(500)})).expect_err("no such word");
        assert!(error.len() < 250, "{error}");
    }

    #[test]
    fn the_schema_carries_bounds_defaults_and_descriptions() {
        let schema = schema(PARAMETERS);
        assert_eq!(
            schema["properties"]["days"],
            json!({"type": "integer", "minimum": 1, "maximum": 30, "default": 7, "description": "How far back."})
        );
        assert_eq!(
            schema["properties"]["status"]["enum"],
            json!(["open", "all"])
        );
        assert_eq!(schema["additionalProperties"], false);
        assert!(!schema.contains_key("required"));
    }
}
