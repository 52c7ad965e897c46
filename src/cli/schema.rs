//! `archonctl schema`: the REST API in the words of tools.

use clap::ValueEnum;
use serde_json::Value;

use super::error::{CliError, ExitStatus};
use super::output::write_out;
use crate::api::rest;

const EXAMPLES: &str = "\
Examples:
  archonctl schema openapi > openapi.json      # every endpoint, for generators and test tools
  archonctl schema typescript > archonctl.ts   # the types, for dashboards
  archonctl schema json-schema                 # the types, for validators";

/// In which words
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// OpenAPI 3.1: every endpoint with what it takes and answers
    Openapi,
    /// TypeScript: the types, and which endpoint takes and answers which
    Typescript,
    /// JSON Schema 2020-12: the types
    JsonSchema,
}

/// Print a description of the REST API
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// In which words
    #[arg(value_enum)]
    form: Form,
}

pub(crate) fn run(args: &Args) -> Result<ExitStatus, CliError> {
    let text = match args.form {
        Form::Openapi => pretty(&rest::openapi_document()),
        Form::Typescript => rest::typescript(),
        Form::JsonSchema => pretty(&rest::json_schema()),
    };
    write_out(text.as_bytes())?;
    Ok(ExitStatus::Done)
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}
