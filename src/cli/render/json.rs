//! One JSON document, indented, with every field in the order of the types.

use serde::Serialize;

use crate::cli::error::CliError;

pub(super) fn render(document: &impl Serialize) -> Result<Vec<u8>, CliError> {
    let mut out = serde_json::to_vec_pretty(document).map_err(|e| CliError::internal(&e))?;
    out.push(b'\n');
    Ok(out)
}
