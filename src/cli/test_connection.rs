//! `archonctl test-connection`: does an MCP server answer, and is what it did tracked?

use std::path::PathBuf;
use std::time::Duration;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::{DataDirArgs, OutputArgs};
use super::render::View;
use crate::model::parse_duration;

const EXAMPLES: &str = "\
Examples:
  archonctl test-connection
  archonctl test-connection http://127.0.0.1:8052/mcp --timeout 3s
  archonctl test-connection https://mcp.example.com/mcp --no-store-check -o json";

/// Test that an MCP server answers, and that its session is tracked
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The endpoint
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8051/mcp", value_hint = clap::ValueHint::Url)]
    url: String,

    /// How long each step may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    timeout: Duration,

    /// Do not look for the session in the store
    #[arg(long)]
    no_store_check: bool,

    #[command(flatten)]
    data_dir: DataDirArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let data_dir = if args.no_store_check {
        None
    } else {
        Some(args.data_dir.resolve(context)?)
    };
    probe(&args, data_dir, &view)
}

/// Runs the test; `data_dir` is where the session is looked for afterwards.
fn probe(args: &Args, data_dir: Option<PathBuf>, _view: &View) -> Result<ExitStatus, CliError> {
    let Args {
        url: _, timeout, ..
    } = args;
    let store = if data_dir.is_some() {
        "the store"
    } else {
        "nothing else"
    };
    let message =
        format!("this build has no connection test yet ({timeout:?} a step, then {store})");
    Err(CliError::new(ExitStatus::Failure, "not_available", message))
}
