//! JSON lines: one object on each line, no envelope.

use super::Data;
use crate::cli::error::CliError;

pub(super) fn render(data: &impl Data) -> Result<Vec<u8>, CliError> {
    let lines = data.lines().map_err(|e| CliError::internal(&e))?;
    let mut out = Vec::new();
    for line in lines {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}
