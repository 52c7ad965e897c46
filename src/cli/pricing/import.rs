//! `archonctl pricing import`: many prices from a file, all or none.
//!
//! Reads what `archonctl pricing list -o csv` and `-o json` print, and plain tables of the same columns.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::set::{Fields, answer, changed, set};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::store::NewPrice;

const EXAMPLES: &str = "\
Examples:
  archonctl pricing import prices.csv
  archonctl pricing import prices.json --dry-run
  archonctl pricing list --provider openai -o csv | archonctl pricing import -";

const FORM: &str = "\
A CSV file with a header, or a JSON list of objects. Columns: model_name, provider, input_price_per_1k
and output_price_per_1k (or …_per_1m), effective_date (today if it is left out), notes. Prices are US
dollars. Columns that `archonctl pricing list` adds are left aside. With a mistake anywhere nothing is
imported, and every mistake is told with its line.";

/// What a file says besides prices, in lists that this program printed.
const LEFT_ASIDE: [&str; 4] = ["id", "in_force", "set_by", "change"];
const KNOWN: &str = "model_name, provider, input_price_per_1k, output_price_per_1k, input_price_per_1m, \
    output_price_per_1m, effective_date, notes";

/// Largest file that is read.
const LARGEST: u64 = 16 << 20;
/// Mistakes that are told one by one.
const TOLD: usize = 20;

/// Set prices from a CSV or JSON file, all or none
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = FORM)]
pub(crate) struct Args {
    /// The file; - for standard input
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,

    /// Say what would be set, and set nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let shown = if args.file.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        args.file.display().to_string()
    };
    let text = read(&args.file).map_err(|error| {
        CliError::io(&format!("cannot read {shown}"), &error)
            .with_hint("a CSV or JSON file of at most 16 MiB is expected, in UTF-8")
    })?;
    let prices =
        prices(&text, &super::today(context)).map_err(|mistakes| refused(&shown, &mistakes))?;
    let place = args.store.place(context)?;
    let changes = set(&place, &prices, args.dry_run)?;
    let rows = changed(prices, &changes);
    args.output.print(&answer(&rows, args.dry_run), &view)?;
    Ok(ExitStatus::Done)
}

fn read(file: &PathBuf) -> std::io::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?
            .take(LARGEST + 1)
            .read_to_string(&mut text)?;
    }
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is longer than 16 MiB"));
    }
    Ok(text)
}

fn refused(shown: &str, mistakes: &[String]) -> CliError {
    let count = mistakes.len();
    let mut told: Vec<&str> = mistakes.iter().take(TOLD).map(String::as_str).collect();
    let more = format!("and {} more", count.saturating_sub(TOLD));
    if count > TOLD {
        told.push(&more);
    }
    CliError::usage(
        "import",
        format!("nothing was imported from {shown}: {}", told.join("; ")),
    )
    .with_hint("`archonctl pricing import --help` shows the form; `archonctl pricing list -o csv` prints an example")
    .with_details(serde_json::json!({ "mistakes": mistakes }))
}

/// The prices in `text`.
///
/// # Errors
/// All mistakes there are.
pub(super) fn prices(text: &str, today: &str) -> Result<Vec<NewPrice>, Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let entries = if text.trim_start().starts_with(['[', '{']) {
        from_json(text)?
    } else {
        from_csv(text)?
    };
    if entries.is_empty() {
        return Err(vec!["there are no prices in it".to_owned()]);
    }
    let (mut prices, mut mistakes) = (Vec::new(), Vec::new());
    let mut seen: HashMap<(String, String, String), String> = HashMap::new();
    for (place, fields) in entries {
        let read = fields.and_then(|fields| fields.read(today));
        match read {
            Ok(new) => {
                let price = &new.price;
                let key = (
                    price.model.to_lowercase(),
                    price.provider.to_lowercase(),
                    price.from.clone(),
                );
                if let Some(first) = seen.insert(key, place.clone()) {
                    mistakes.push(format!(
                        "{place}: the same model, provider and day as {first}"
                    ));
                }
                prices.push(new);
            }
            Err(reason) => mistakes.push(format!("{place}: {reason}")),
        }
    }
    if mistakes.is_empty() {
        Ok(prices)
    } else {
        Err(mistakes)
    }
}

/// Entries, each with its place in the file.
type Entries = Vec<(String, Result<Fields, String>)>;

fn from_csv(text: &str) -> Result<Entries, Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| vec![format!("line 1: {error}")])?
        .clone();
    let mut known = Vec::new();
    for header in &headers {
        if known.contains(&header) {
            return Err(vec![format!("line 1: the column {header} is there twice")]);
        }
        slot(&mut Fields::default(), header).map_err(|reason| vec![format!("line 1: {reason}")])?;
        known.push(header);
    }
    let mut entries = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                entries.push((format!("line {line}"), Err(csv_reason(&error))));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let mut fields = Fields::default();
        for (header, value) in headers.iter().zip(&record) {
            if let Ok(Some(slot)) = slot(&mut fields, header) {
                *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
            }
        }
        entries.push((format!("line {line}"), Ok(fields)));
    }
    Ok(entries)
}

fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} values where the header has {expected_len}"),
        _ => error.to_string(),
    }
}

fn from_json(text: &str) -> Result<Entries, Vec<String>> {
    type Object = BTreeMap<String, Box<RawValue>>;
    /// What this program prints.
    #[derive(serde::Deserialize)]
    struct Document {
        data: Vec<Box<RawValue>>,
    }
    let list = if text.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<Box<RawValue>>>(text)
    } else {
        serde_json::from_str::<Document>(text).map(|document| document.data)
    };
    let list = list.map_err(|error| vec![format!("it is no JSON list of prices: {error}")])?;
    let entry = |raw: &RawValue| {
        let object: Object = serde_json::from_str(raw.get())
            .map_err(|_| "an object with the fields of a price is expected".to_owned())?;
        let mut fields = Fields::default();
        for (name, value) in object {
            if let Some(slot) = slot(&mut fields, &name)? {
                *slot = scalar(&name, value.get())?;
            }
        }
        Ok(fields)
    };
    let entries = list.iter().zip(1..);
    Ok(entries
        .map(|(raw, number)| (format!("entry {number}"), entry(raw)))
        .collect())
}

/// A JSON value as text: a string, or a number digit for digit, since a float would not hold it.
fn scalar(name: &str, raw: &str) -> Result<Option<String>, String> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw)
            .map(Some)
            .map_err(|error| format!("{name}: {error}")),
        Some(b'n') => Ok(None),
        Some(b'-' | b'0'..=b'9') => Ok(Some(raw.to_owned())),
        _ => Err(format!("{name}: a text or a number is expected")),
    }
}

/// Where the value of column `name` goes; nowhere for those left aside.
fn slot<'f>(fields: &'f mut Fields, name: &str) -> Result<Option<&'f mut Option<String>>, String> {
    Ok(Some(match name {
        "model_name" => &mut fields.model_name,
        "provider" => &mut fields.provider,
        "input_price_per_1k" => &mut fields.input_price_per_1k,
        "output_price_per_1k" => &mut fields.output_price_per_1k,
        "input_price_per_1m" => &mut fields.input_price_per_1m,
        "output_price_per_1m" => &mut fields.output_price_per_1m,
        "effective_date" => &mut fields.effective_date,
        "notes" => &mut fields.notes,
        _ if LEFT_ASIDE.contains(&name) => return Ok(None),
        _ => return Err(format!("unknown column '{name}'; valid: {KNOWN}")),
    }))
}
