//! The JSON document as YAML.

use serde::Serialize;

use crate::cli::error::CliError;

pub(super) fn render(document: &impl Serialize) -> Result<Vec<u8>, CliError> {
    serde_yaml_ng::to_string(document)
        .map(String::into_bytes)
        .map_err(|e| CliError::internal(&e))
}
