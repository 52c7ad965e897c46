//! Prices as rows of an answer: for people by the million tokens, as they are published; for programs by both measures.

use serde::Serialize;

use crate::cli::render::{Column, Field, Fit, Tone};
use crate::model::Cost;
use crate::store::{PriceChange, PriceRow};

/// A price of the table.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) model_name: String,
    pub(super) provider: String,
    pub(super) input_price_per_1k: Cost,
    pub(super) output_price_per_1k: Cost,
    /// `YYYY-MM-DD`.
    pub(super) effective_date: String,
    /// `yes`, `later`, or `no` where a newer one has taken its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_force: Option<&'static str>,
    /// `archonctl` for what came with the program, `you` for what somebody set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set_by: Option<&'static str>,
    /// What setting it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<PriceChange>,
    pub(super) notes: Option<String>,
}

/// The price of a million, from that of a thousand.
fn million(thousand: Cost) -> Field {
    Field::Money(Cost::from_micros(
        thousand.as_micros().saturating_mul(1_000),
    ))
}

macro_rules! columns {
    ($($more:expr),* $(,)?) => {
        &[
            Column { name: "model_name", header: "MODEL", fit: Fit::Keep, value: |r| Field::text(Some(&r.model_name)) },
            Column { name: "provider", header: "PROVIDER", fit: Fit::Keep, value: |r| Field::text(Some(&r.provider)) },
            Column { name: "input_price_per_1m", header: "INPUT/1M", fit: Fit::Keep, value: |r| million(r.input_price_per_1k) },
            Column { name: "output_price_per_1m", header: "OUTPUT/1M", fit: Fit::Keep, value: |r| million(r.output_price_per_1k) },
            Column { name: "input_price_per_1k", header: "INPUT/1K", fit: Fit::Keep, value: |r| Field::Money(r.input_price_per_1k) },
            Column { name: "output_price_per_1k", header: "OUTPUT/1K", fit: Fit::Keep, value: |r| Field::Money(r.output_price_per_1k) },
            Column { name: "effective_date", header: "SINCE", fit: Fit::Keep, value: |r| Field::text(Some(&r.effective_date)) },
            $($more,)*
            Column { name: "notes", header: "NOTES", fit: Fit::Shrink(16), value: |r| Field::text(r.notes.as_deref()) },
        ]
    };
}

/// The columns of the list.
pub(super) const LISTED: &[Column<Row>] = columns![
    Column {
        name: "in_force",
        header: "IN FORCE",
        fit: Fit::Keep,
        value: |r| {
            let tone = if r.in_force == Some("yes") {
                Tone::Good
            } else {
                Tone::Faint
            };
            Field::maybe(r.in_force, |word| Field::Word(word.to_owned(), tone))
        },
    },
    Column {
        name: "set_by",
        header: "SET BY",
        fit: Fit::Drop(1),
        value: |r| Field::text(r.set_by),
    },
];

/// The columns of what was set.
pub(super) const CHANGED: &[Column<Row>] = columns![Column {
    name: "change",
    header: "CHANGE",
    fit: Fit::Keep,
    value: |r| {
        Field::maybe(r.change, |change| match change {
            PriceChange::Added => Field::Word("added".to_owned(), Tone::Good),
            PriceChange::Changed => Field::Word("changed".to_owned(), Tone::Warn),
            PriceChange::Unchanged => Field::Word("unchanged".to_owned(), Tone::Faint),
        })
    },
}];

/// `prices` as rows of the list, told which of them count on the day `today`.
pub(super) fn listed(prices: Vec<PriceRow>, today: &str) -> Vec<Row> {
    let in_force: Vec<_> = prices
        .iter()
        .map(|price| {
            if *price.effective_date > *today {
                return "later";
            }
            let newer = prices.iter().any(|other| {
                let same = other.model_name.eq_ignore_ascii_case(&price.model_name)
                    && other.provider.eq_ignore_ascii_case(&price.provider);
                same && *other.effective_date <= *today
                    && other.effective_date > price.effective_date
            });
            if newer { "no" } else { "yes" }
        })
        .collect();
    let rows = prices.into_iter().zip(in_force);
    rows.map(|(price, in_force)| Row {
        model_name: price.model_name,
        provider: price.provider,
        input_price_per_1k: price.input_price_per_1k,
        output_price_per_1k: price.output_price_per_1k,
        effective_date: price.effective_date,
        in_force: Some(in_force),
        set_by: Some(if price.seeded { "archonctl" } else { "you" }),
        change: None,
        notes: price.notes,
    })
    .collect()
}
