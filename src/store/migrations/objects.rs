//! Names and definitions of the things a schema is made of, and sets of them.
//!
//! A definition is a text that is equal where the things are: made by the readers of the two catalogs, written down in the
//! probes. Reads nothing itself.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::tokens::identifier;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// A table, with its row security and options.
    Table,
    /// A column: type, nullability, default.
    Column,
    /// A constraint.
    Constraint,
    /// An index that belongs to no constraint.
    Index,
    /// A sequence that belongs to no column.
    Sequence,
    /// A function or procedure.
    Function,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// A policy of row security.
    Policy,
    /// What a role other than the owner may do with a table, a view or a function.
    Grant,
    /// A question about the schema whose answer has to be yes.
    Check,
}

/// Every kind, in the order schemas are told in.
const KINDS: [(ObjectKind, &str); 11] = [
    (ObjectKind::Table, "table"),
    (ObjectKind::Column, "column"),
    (ObjectKind::Constraint, "constraint"),
    (ObjectKind::Index, "index"),
    (ObjectKind::Sequence, "sequence"),
    (ObjectKind::Function, "function"),
    (ObjectKind::View, "view"),
    (ObjectKind::Trigger, "trigger"),
    (ObjectKind::Policy, "policy"),
    (ObjectKind::Grant, "grant"),
    (ObjectKind::Check, "check"),
];

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = KINDS.iter().find(|(kind, _)| kind == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

/// A thing's name in its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// What it is.
    pub kind: ObjectKind,
    /// The table it belongs to: of columns, constraints, triggers, policies. Of grants what is granted on.
    pub on: Option<String>,
    /// Its own name; of functions with the types of their arguments, of grants the role.
    pub name: String,
}

impl ObjectName {
    /// A thing that belongs to nothing else.
    pub(super) fn alone(kind: ObjectKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            on: None,
            name: name.into(),
        }
    }

    /// A thing of a table.
    pub(super) fn of(kind: ObjectKind, table: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            on: Some(table.into()),
            name: name.into(),
        }
    }

    /// The name without the arguments of a function.
    pub(super) fn plain_name(&self) -> &str {
        match self.kind {
            ObjectKind::Function => self.name.split('(').next().unwrap_or(&self.name),
            _ => &self.name,
        }
    }
}

/// As people read it and probes have it: `column archon_mcp_sessions.user_id`, `policy t."Own rows"`.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        match &self.on {
            // What is granted on may be a function.
            Some(on) if self.kind == ObjectKind::Grant && on.ends_with(')') => write!(f, "{on}.")?,
            Some(on) => write!(f, "{}.", identifier(on))?,
            None => {}
        }
        match self.kind {
            ObjectKind::Function => f.write_str(&self.name),
            _ => f.write_str(&identifier(&self.name)),
        }
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads what `Display` writes.
impl FromStr for ObjectName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no name of a thing in a schema");
        let (word, rest) = text.split_once(' ').ok_or_else(wrong)?;
        let kind = KINDS.iter().find(|(_, known)| *known == word);
        let kind = kind.map(|(kind, _)| *kind).ok_or_else(wrong)?;
        if kind == ObjectKind::Function {
            let whole = !rest.starts_with('(') && !rest.is_empty();
            return whole.then(|| Self::alone(kind, rest)).ok_or_else(wrong);
        }
        let (first, rest) = match rest.find(").") {
            Some(end) if kind == ObjectKind::Grant => (rest[..=end].to_owned(), &rest[end + 1..]),
            _ => part(rest).ok_or_else(wrong)?,
        };
        let name = match rest {
            "" => Self::alone(kind, first),
            rest => {
                let (name, end) = rest.strip_prefix('.').and_then(part).ok_or_else(wrong)?;
                if !end.is_empty() {
                    return Err(wrong());
                }
                Self::of(kind, first, name)
            }
        };
        Ok(name)
    }
}

/// The identifier that `text` begins with, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut at = 0;
    loop {
        at += inside.get(at..)?.find('"')?;
        if inside[at + 1..].starts_with('"') {
            at += 2;
        } else {
            return Some((inside[..at].replace("\"\"", "\""), &inside[at + 1..]));
        }
    }
}

/// A schema, or the part of it that is ours: each thing with its definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Catalog(pub(super) BTreeMap<ObjectName, String>);

impl Catalog {
    /// Its definition, if it is there.
    pub(super) fn get(&self, name: &ObjectName) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The tables there are.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.0.keys().filter(|name| name.kind == ObjectKind::Table);
        tables.map(|name| name.name.as_str())
    }

    pub(super) fn has(&self, name: &ObjectName) -> bool {
        self.0.contains_key(name)
    }

    /// The functions of this name, whatever their arguments; of everything else the one thing.
    pub(super) fn matching<'c>(
        &'c self,
        target: &'c ObjectName,
    ) -> impl Iterator<Item = (&'c ObjectName, &'c str)> {
        let found = self.0.iter().filter(|(name, _)| matches(target, name));
        found.map(|(name, definition)| (name, definition.as_str()))
    }
}

/// Whether `name` is what a statement means with `target`: functions are named without their arguments there, and SQLite
/// drops triggers without their tables.
pub(super) fn matches(target: &ObjectName, name: &ObjectName) -> bool {
    target.kind == name.kind
        && target.plain_name() == name.plain_name()
        && (target.on == name.on || target.on.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_they_are_written() {
        for name in [
            ObjectName::alone(ObjectKind::Table, "archon_mcp_sessions"),
            ObjectName::alone(ObjectKind::Index, "Odd \"one\""),
            ObjectName::of(ObjectKind::Column, "t", "total_duration"),
            ObjectName::of(
                ObjectKind::Policy,
                "t",
                "Users can read: their own (sessions).",
            ),
            ObjectName::alone(ObjectKind::Function, "f(uuid, timestamp with time zone)"),
            ObjectName::alone(ObjectKind::Function, "f()"),
            ObjectName::alone(ObjectKind::Function, "f"),
            ObjectName::of(ObjectKind::Constraint, "t", "check (length(a.b) = 16)"),
            ObjectName::of(ObjectKind::Grant, "f(uuid, numeric)", "PUBLIC"),
        ] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for wrong in [
            "",
            "table",
            "thing x",
            "column a.b.c",
            "policy t.\"open",
            "function (uuid)",
            "table ",
        ] {
            assert!(wrong.parse::<ObjectName>().is_err(), "{wrong}");
        }
    }
}
