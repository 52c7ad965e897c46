//! Comma-separated values (RFC 4180): raw values, for programs. Unknown values are empty.

use super::{Field, Grid};
use crate::cli::error::CliError;

pub(super) fn render(grid: &Grid, chosen: &[usize], headers: bool) -> Result<Vec<u8>, CliError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if headers {
        let names = chosen.iter().filter_map(|at| grid.heads.get(*at));
        writer
            .write_record(names.map(|head| head.name))
            .map_err(|e| CliError::internal(&e))?;
    }
    for row in &grid.rows {
        let fields = chosen.iter().filter_map(|at| row.get(*at));
        writer
            .write_record(fields.map(raw))
            .map_err(|e| CliError::internal(&e))?;
    }
    writer.into_inner().map_err(|e| CliError::internal(&e))
}

/// The value as JSON has it, without quotes.
fn raw(field: &Field) -> String {
    match field {
        Field::Empty => String::new(),
        Field::Text(text) | Field::Word(text, _) => text.clone(),
        Field::Int(n) | Field::Bytes(n) | Field::Seconds(n) | Field::Millis(n) => n.to_string(),
        Field::Mean(seconds) => seconds.to_string(),
        Field::Time(at) | Field::Due(at) => at.to_string(),
        Field::Money(cost) => cost.to_string(),
    }
}
