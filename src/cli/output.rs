//! The options every query shares, and the one place that writes to standard output.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::Context;
use super::error::CliError;
use super::render::{Answer, Data, Format, TimeStyle, View, escape, render};
use super::store::Place;
use super::terminal::Colour;
use crate::config::{Flags, Key, Settings};

/// How the answer is to be printed.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct OutputArgs {
    /// Form of the answer; wide has more columns, csv has all [default: table]
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        conflicts_with = "json"
    )]
    output: Option<Format>,

    /// Short for -o json
    #[arg(long)]
    json: bool,

    /// Columns to show, in this order (table, wide, csv); a wrong name lists the right ones
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,

    /// Leave out the header of tables and CSV
    #[arg(long)]
    no_headers: bool,

    /// Cut nothing and leave nothing out to fit the terminal
    #[arg(long)]
    no_trunc: bool,

    /// Only ids, one on each line, for tables that have them; no remarks on standard error
    #[arg(short, long)]
    quiet: bool,

    /// When to colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: Colour,

    /// How tables show times; the other formats have RFC 3339 in UTC [default: relative]
    #[arg(long, value_enum, value_name = "STYLE")]
    time: Option<TimeStyle>,
}

impl OutputArgs {
    /// What these options come to here. Checked before anything is asked of the store.
    pub(crate) fn view(&self, context: &Context) -> Result<View, CliError> {
        let format = if self.json {
            Format::Json
        } else {
            self.output.unwrap_or_default()
        };
        if !self.columns.is_empty() && !format.has_columns() {
            let message =
                "--columns chooses columns of table, wide and csv; JSON and YAML have every field";
            return Err(
                CliError::usage("usage", message).with_hint("leave out --columns, or use -o csv")
            );
        }
        if self.time == Some(TimeStyle::Relative) && !format.is_table() {
            let message = "--time relative is for tables; the other formats have RFC 3339 times";
            return Err(CliError::usage("usage", message).with_hint("leave out --time"));
        }
        let terminal = &context.terminal;
        Ok(View {
            format,
            columns: Some(self.columns.clone()).filter(|names| !names.is_empty()),
            headers: !self.no_headers,
            ids_only: self.quiet,
            time: self.time.unwrap_or_default(),
            colour: terminal.colour_out(self.color),
            utf8: terminal.utf8(),
            width: terminal.width().filter(|_| !self.no_trunc),
            now: context.now,
        })
    }

    /// Whether only ids are wanted, and no remarks.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints the answer: data on standard output, remarks on standard error.
    pub(crate) fn print<D: Data, M: Serialize>(
        &self,
        answer: &Answer<D, M>,
        view: &View,
    ) -> Result<(), CliError> {
        let rendered = render(answer, view)?;
        write_out(&rendered.out)?;
        if !self.quiet {
            remark(&rendered.notes);
        }
        Ok(())
    }
}

/// Where the data is.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Store options")]
pub(crate) struct StoreArgs {
    /// Where journals and the embedded store are
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    data_dir: Option<String>,

    /// Another database: postgres://USER@HOST/DATABASE or sqlite:FILE; no password here
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    database_url: Option<String>,

    /// A file that holds this URL, with the password
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    database_url_file: Option<String>,

    /// The schema with our tables, for PostgreSQL [default: the role's own]
    #[arg(long, value_name = "NAME")]
    database_schema: Option<String>,
}

impl StoreArgs {
    /// The settings as flags.
    pub(crate) fn flags(&self) -> Flags {
        Flags::default()
            .with(Key::DataDir, self.data_dir.clone())
            .with(Key::DatabaseUrl, self.database_url.clone())
            .with(Key::DatabaseUrlFile, self.database_url_file.clone())
            .with(Key::DatabaseSchema, self.database_schema.clone())
    }

    /// The directory and the database, by flag, environment, file or default; and what settling dead instances in it
    /// takes.
    pub(crate) fn place(&self, context: &Context) -> Result<Place, CliError> {
        let settings = Settings::resolve(&context.sources, self.flags())?;
        Place::of(&settings, context.now)
    }
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    closed_pipe_is_fine(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Every failure to write but a closed pipe.
pub(crate) fn closed_pipe_is_fine(written: std::io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::io("cannot write the answer", &error))
        }
        _ => Ok(()),
    }
}

/// Writes lines to standard error; if that fails there is nowhere left to say so.
pub(crate) fn remark(lines: &[String]) {
    let mut err = std::io::stderr().lock();
    for line in lines {
        let _ = writeln!(err, "{}", escape(line));
    }
}
