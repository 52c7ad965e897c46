//! Answers turned into bytes: one file for each format.
//!
//! Owns how an answer looks. Everything here is a function from values to bytes: it opens nothing, asks the terminal
//! nothing (`View` says what is known of it) and writes nothing.

mod csv;
mod human;
mod json;
mod jsonl;
mod layout;
mod table;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::cli::error::CliError;
use crate::model::{Cost, Timestamp};

pub(crate) use human::{duration, relative};
pub(crate) use table::line;
pub(crate) use text::escape;

/// The forms an answer can be printed in. (No documentation on the values: clap would print it, and help would no
/// longer fit one line for each option.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Wide,
    Json,
    Jsonl,
    Yaml,
    Csv,
}

impl Format {
    /// Whether people read it; else a program does.
    pub(crate) const fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// Whether columns can be chosen.
    pub(crate) const fn has_columns(self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Csv)
    }
}

/// How tables show instants: `5m ago`, or `2026-07-28T10:00:00Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TimeStyle {
    #[default]
    Relative,
    Iso,
}

/// How the reader wants it, and what is known of the place it goes to.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct View {
    pub(crate) format: Format,
    /// Columns by name, if the reader chose any.
    pub(crate) columns: Option<Vec<String>>,
    /// Whether tables and CSV have a header.
    pub(crate) headers: bool,
    /// Ids only.
    pub(crate) ids_only: bool,
    pub(crate) time: TimeStyle,
    /// Whether to colour.
    pub(crate) colour: bool,
    /// Whether the locale is UTF-8.
    pub(crate) utf8: bool,
    /// Width to fit tables into; `None` off a terminal or when nothing is to be cut.
    pub(crate) width: Option<usize>,
    /// The present, for relative times.
    pub(crate) now: Timestamp,
}

/// What a value means to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Faint,
}

/// One value of a row. Tables show it for people, CSV for programs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Empty,
    Text(String),
    /// A word with a meaning; coloured where colour is wanted.
    Word(String, Tone),
    Int(i64),
    Bytes(i64),
    Seconds(i64),
    /// A mean of seconds.
    Mean(f64),
    Millis(i64),
    Time(Timestamp),
    /// An instant that may be still to come, and is meant to be.
    Due(Timestamp),
    Money(Cost),
}

impl Field {
    /// The field for a value that may be unknown.
    pub(crate) fn maybe<T>(value: Option<T>, field: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Empty, field)
    }

    /// The field for a text that may be unknown.
    pub(crate) fn text(value: Option<&str>) -> Self {
        Self::maybe(value, |text| Self::Text(text.to_owned()))
    }
}

/// What may happen to a column on a terminal that is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Nothing: an id cut short could not be passed on, and coloured words keep their end.
    Keep,
    /// Its content is cut, down to this width.
    Shrink(u16),
    /// It is left out of default tables; the highest number goes first.
    Drop(u8),
}

/// A column of rows of `R`.
pub(crate) struct Column<R> {
    /// What `--columns` and the header of CSV call it; the JSON field where there is one.
    pub(crate) name: &'static str,
    pub(crate) header: &'static str,
    pub(crate) fit: Fit,
    pub(crate) value: fn(&R) -> Field,
}

/// A column without its rows' type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) name: &'static str,
    pub(crate) header: &'static str,
    pub(crate) fit: Fit,
}

/// Rows and columns, not yet chosen from.
#[derive(Debug)]
pub(crate) struct Grid {
    pub(crate) heads: Vec<Head>,
    pub(crate) rows: Vec<Vec<Field>>,
    /// Names of the columns a table has.
    pub(crate) default: &'static [&'static str],
    /// Names of those a wide table has as well.
    pub(crate) wide: &'static [&'static str],
    /// Name of the column `--quiet` prints.
    pub(crate) id: Option<&'static str>,
}

impl Grid {
    /// A grid over `rows`.
    pub(crate) fn new<R>(
        columns: &[Column<R>],
        default: &'static [&'static str],
        wide: &'static [&'static str],
        rows: &[R],
    ) -> Self {
        let heads = columns.iter().map(|column| Head {
            name: column.name,
            header: column.header,
            fit: column.fit,
        });
        let cells = |row: &R| columns.iter().map(|c| (c.value)(row)).collect();
        Self {
            heads: heads.collect(),
            rows: rows.iter().map(cells).collect(),
            default,
            wide,
            id: None,
        }
    }

    /// The same grid, whose rows are named by the column `id`.
    pub(crate) fn with_id(mut self, id: &'static str) -> Self {
        self.id = Some(id);
        self
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.heads.iter().position(|head| head.name == name)
    }

    /// Positions of the columns to show.
    fn chosen(&self, view: &View) -> Result<Vec<usize>, CliError> {
        let positions = |names: &[&str]| names.iter().filter_map(|n| self.position(n)).collect();
        match (&view.columns, view.format) {
            (Some(names), _) => {
                let mut chosen = Vec::new();
                for name in names {
                    let plain = name.trim().to_lowercase().replace(['-', ' '], "_");
                    chosen.push(self.position(&plain).ok_or_else(|| {
                        let valid: Vec<_> = self.heads.iter().map(|head| head.name).collect();
                        CliError::usage("unknown_column", format!("unknown column '{name}'"))
                            .with_hint(format!("valid columns: {}", valid.join(", ")))
                    })?);
                }
                Ok(chosen)
            }
            (None, Format::Table) => Ok(positions(self.default)),
            (None, Format::Wide) => Ok(positions(&[self.default, self.wide].concat())),
            (None, _) => Ok((0..self.heads.len()).collect()),
        }
    }
}

/// What JSON, JSON lines and YAML are made of.
pub(crate) trait Data: Serialize {
    /// One JSON text for each line of JSON lines.
    fn lines(&self) -> Result<Vec<String>, serde_json::Error>;
}

/// Data that is a list: a line for each element.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct List<'a, T>(pub(crate) &'a [T]);

impl<T: Serialize> Data for List<'_, T> {
    fn lines(&self) -> Result<Vec<String>, serde_json::Error> {
        self.0.iter().map(serde_json::to_string).collect()
    }
}

/// Data that is one thing: one line.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Single<'a, T>(pub(crate) &'a T);

impl<T: Serialize> Data for Single<'_, T> {
    fn lines(&self) -> Result<Vec<String>, serde_json::Error> {
        Ok(vec![serde_json::to_string(self.0)?])
    }
}

/// An answer, in all the shapes a format may need.
pub(crate) struct Answer<D, M> {
    pub(crate) data: D,
    pub(crate) meta: M,
    /// Above the table: names and values of one thing.
    pub(crate) facts: Vec<(&'static str, Field)>,
    pub(crate) grid: Grid,
    /// Below the table: sentences that belong to the answer.
    pub(crate) footer: Vec<String>,
    /// On standard error, for people: what is left out, or what to do when nothing was found.
    pub(crate) notes: Vec<String>,
}

/// The document that JSON and YAML print.
#[derive(Serialize)]
struct Envelope<'a, D, M> {
    schema_version: u32,
    data: &'a D,
    meta: &'a M,
}

/// What goes where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// For standard output.
    pub(crate) out: Vec<u8>,
    /// Lines for standard error; none where a program reads.
    pub(crate) notes: Vec<String>,
}

/// Prints `answer` the way `view` says.
pub(crate) fn render<D: Data, M: Serialize>(
    answer: &Answer<D, M>,
    view: &View,
) -> Result<Rendered, CliError> {
    // A column that does not exist is an error in every format that has columns, also when there are no rows.
    let chosen = answer.grid.chosen(view)?;
    let envelope = Envelope {
        schema_version: 1,
        data: &answer.data,
        meta: &answer.meta,
    };
    let out = match view.format {
        Format::Json => json::render(&envelope)?,
        Format::Jsonl => jsonl::render(&answer.data)?,
        Format::Yaml => yaml::render(&envelope)?,
        Format::Csv => csv::render(&answer.grid, &chosen, view.headers)?,
        Format::Table | Format::Wide => return Ok(table::render(answer, chosen, view)),
    };
    let notes = match view.format {
        Format::Csv => answer.notes.clone(),
        _ => Vec::new(),
    };
    Ok(Rendered { out, notes })
}
