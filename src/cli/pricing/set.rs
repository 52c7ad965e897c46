//! `archonctl pricing set`: one price.

use chrono::NaiveDate;
use clap::ArgGroup;

use super::rows::{CHANGED, Row};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Grid, List};
use crate::cli::store::{Place, block_on, open_store};
use crate::model::{Cost, Price};
use crate::store::{NewPrice, PriceChange};

const EXAMPLES: &str = "\
Examples:
  archonctl pricing set gpt-5 --provider OpenAI --input-per-1m 1.25 --output-per-1m 10
  archonctl pricing set my-model --provider local --input-per-1k 0 --output-per-1k 0
  archonctl pricing set gpt-5 --provider OpenAI --input-per-1m 1 --output-per-1m 8 --since 2027-01-01";

/// Set what a model costs from a day on, in US dollars
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
#[command(group = ArgGroup::new("input").required(true).args(["input_per_1m", "input_per_1k"]))]
#[command(group = ArgGroup::new("price_of_output").required(true).args(["output_per_1m", "output_per_1k"]))]
pub(crate) struct Args {
    /// The model
    #[arg(value_name = "MODEL")]
    model: String,

    /// Who offers it
    #[arg(long, value_name = "NAME")]
    provider: String,

    /// Price of 1,000,000 tokens of input
    #[arg(long, value_name = "USD")]
    input_per_1m: Option<String>,

    /// Price of 1,000,000 tokens of output
    #[arg(long, value_name = "USD")]
    output_per_1m: Option<String>,

    /// Price of 1,000 tokens of input
    #[arg(long, value_name = "USD")]
    input_per_1k: Option<String>,

    /// Price of 1,000 tokens of output
    #[arg(long, value_name = "USD")]
    output_per_1k: Option<String>,

    /// The day it takes effect, UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<String>,

    /// Where the price is from, or other remarks
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,

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
    let fields = Fields {
        model_name: Some(args.model.clone()),
        provider: Some(args.provider.clone()),
        input_price_per_1m: args.input_per_1m.clone(),
        output_price_per_1m: args.output_per_1m.clone(),
        input_price_per_1k: args.input_per_1k.clone(),
        output_price_per_1k: args.output_per_1k.clone(),
        effective_date: args.since.clone(),
        notes: args.notes.clone(),
    };
    let new = fields.read(&super::today(context)).map_err(|reason| {
        CliError::usage("price", reason)
            .with_hint("prices are plain decimals, such as 1.25; days are written 2026-11-24")
    })?;
    let place = args.store.place(context)?;
    let changes = set(&place, std::slice::from_ref(&new), args.dry_run)?;
    let rows = changed(vec![new], &changes);
    args.output.print(&answer(&rows, args.dry_run), &view)?;
    Ok(ExitStatus::Done)
}

/// A price as somebody wrote it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) model_name: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) input_price_per_1m: Option<String>,
    pub(super) output_price_per_1m: Option<String>,
    pub(super) input_price_per_1k: Option<String>,
    pub(super) output_price_per_1k: Option<String>,
    pub(super) effective_date: Option<String>,
    pub(super) notes: Option<String>,
}

/// Dearest price of 1,000 tokens: what the oldest tables hold.
const DEAREST: Cost = Cost::from_micros(9_999_999_999);

impl Fields {
    /// The price, if it is one.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn read(self, today: &str) -> Result<NewPrice, String> {
        let name = |name: Option<String>, what: &str, longest: usize| {
            let name = name.map(|name| name.trim().to_owned()).unwrap_or_default();
            if name.is_empty() {
                Err(format!("{what} is missing"))
            } else if name.chars().count() > longest {
                Err(format!("{what} is longer than {longest} characters"))
            } else if name.chars().any(char::is_control) {
                Err(format!("{what} holds characters that are not text"))
            } else {
                Ok(name)
            }
        };
        let from = self.effective_date.as_deref().map(str::trim);
        let from = from.filter(|day| !day.is_empty()).unwrap_or(today);
        let day = NaiveDate::parse_from_str(from, "%Y-%m-%d")
            .ok()
            .filter(|day| day.format("%Y-%m-%d").to_string() == from);
        if day.is_none() {
            return Err(format!(
                "effective_date: '{from}' is no day; YYYY-MM-DD is expected"
            ));
        }
        let notes = self.notes.map(|notes| notes.trim().to_owned());
        if notes.as_ref().is_some_and(|notes| notes.contains('\0')) {
            return Err("notes hold a NUL character".to_owned());
        }
        Ok(NewPrice {
            price: Price {
                model: name(self.model_name, "model_name", 100)?,
                provider: name(self.provider, "provider", 50)?,
                input: amount(
                    "input_price",
                    self.input_price_per_1k.as_deref(),
                    self.input_price_per_1m.as_deref(),
                )?,
                output: amount(
                    "output_price",
                    self.output_price_per_1k.as_deref(),
                    self.output_price_per_1m.as_deref(),
                )?,
                from: from.to_owned(),
            },
            notes: notes.filter(|notes| !notes.is_empty()),
        })
    }
}

/// A price of 1,000 tokens, said by the thousand, by the million, or in both ways alike.
fn amount(what: &str, thousand: Option<&str>, million: Option<&str>) -> Result<Cost, String> {
    let given = |text: Option<&str>| {
        let text = text?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let read = |text: Option<String>, unit: &str, divisor: i64| {
        text.map(|text| {
            let price = Cost::from_decimal(&text, divisor)
                .map_err(|reason| format!("{what}_per_{unit}: {reason}"))?;
            if price > DEAREST {
                return Err(format!(
                    "{what}_per_{unit}: '{text}' is more than the table holds"
                ));
            }
            Ok(price)
        })
        .transpose()
    };
    let thousand = read(given(thousand), "1k", 1)?;
    let million = read(given(million), "1m", 1_000)?;
    match (thousand, million) {
        (Some(one), Some(other)) if one != other => Err(format!(
            "{what}_per_1k and {what}_per_1m are not the same price"
        )),
        (Some(price), _) | (None, Some(price)) => Ok(price),
        (None, None) => Err(format!("{what}_per_1k or {what}_per_1m is missing")),
    }
}

/// Sets `prices`, or says what that would do.
pub(super) fn set(
    place: &Place,
    prices: &[NewPrice],
    rehearse: bool,
) -> Result<Vec<PriceChange>, CliError> {
    block_on(async {
        let store = open_store(place).await?;
        store.check_schema().await?;
        Ok(store.set_prices(prices, rehearse).await?)
    })
}

/// What was set, as rows.
pub(super) fn changed(prices: Vec<NewPrice>, changes: &[PriceChange]) -> Vec<Row> {
    let rows = prices.into_iter().zip(changes);
    rows.map(|(new, change)| Row {
        model_name: new.price.model,
        provider: new.price.provider,
        input_price_per_1k: new.price.input,
        output_price_per_1k: new.price.output,
        effective_date: new.price.from,
        in_force: None,
        set_by: None,
        change: Some(*change),
        notes: new.notes,
    })
    .collect()
}

pub(super) fn answer(rows: &[Row], dry_run: bool) -> Answer<List<'_, Row>, serde_json::Value> {
    let count = |change| rows.iter().filter(|row| row.change == Some(change)).count();
    let (added, changed) = (count(PriceChange::Added), count(PriceChange::Changed));
    let mut notes = Vec::new();
    if dry_run {
        notes.push("Nothing was set: this was a rehearsal.".to_owned());
    } else if added + changed > 0 {
        notes.push(
            "Calls from now on cost this; what is stored already keeps its estimate.".to_owned(),
        );
    }
    Answer {
        data: List(rows),
        meta: serde_json::json!({
            "added": added,
            "changed": changed,
            "unchanged": rows.len() - added - changed,
            "dry_run": dry_run,
            "currency": "USD",
        }),
        facts: Vec::new(),
        grid: Grid::new(
            CHANGED,
            &[
                "model_name",
                "provider",
                "input_price_per_1m",
                "output_price_per_1m",
                "effective_date",
                "change",
            ],
            &["notes"],
            rows,
        )
        .with_id("model_name"),
        footer: Vec::new(),
        notes,
    }
}
