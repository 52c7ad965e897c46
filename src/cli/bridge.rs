//! `archonctl bridge`: a server over HTTP for clients that speak only stdio. Turns flags into options and hands them over.

use std::path::PathBuf;
use std::time::Duration;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::StoreArgs;
use super::run::{TimeArgs, named};
use crate::config::{Header, HeaderError, header_argument, header_file, name_of_url, server_url};
use crate::daemon::BridgeTo;
use crate::model::parse_duration;

const EXAMPLES: &str = "\
Examples:
  archonctl bridge http://127.0.0.1:8052/mcp
  archonctl bridge https://mcp.example.com/mcp --header 'Authorization: Bearer env:TOKEN'
  archonctl bridge https://mcp.example.com/mcp --header-file headers.txt --retry-for 1m";

const ELSEWHERE: &str = "\
In a client's configuration:
\"command\": \"archonctl\", \"args\": [\"bridge\", \"https://mcp.example.com/mcp\"].

Client and server speak the revision of MCP that they agree on, of either era; what HTTP wants
beside it is added: sessions, headers, streams. For a client of the era before 2026-07-28 and a
server that knows only later revisions, requests are translated. A server that was restarted is
found again, and a session that it has forgotten is begun anew behind the client's back. What
cannot be helped is answered with a JSON-RPC error.

Secrets do not belong into arguments, which every user of the machine can read: env:VARIABLE and
file:PATH stand for a value, alone or behind a word such as Bearer, and ${VARIABLE} anywhere in
it. A file of headers has one NAME: VALUE on each line and may hold values openly.

No daemon has to run; `archonctl sessions list` shows the session.";

/// Be a stdio server that forwards to an MCP server over HTTP, and track its session
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = ELSEWHERE)]
pub(crate) struct Args {
    /// The MCP server; /mcp is added to a URL without a path
    #[arg(value_name = "URL", value_hint = clap::ValueHint::Url)]
    url: String,

    /// A header to send with every request; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<String>,

    /// A file with headers, one on each line
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    header_file: Option<PathBuf>,

    /// The name its session is stored under [default: made from the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// How long a server that cannot be reached is tried before a request is answered with an error
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = parse_duration)]
    retry_for: Duration,

    #[command(flatten)]
    times: TimeArgs,

    #[command(flatten)]
    store: StoreArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    // Checked here and not by clap, which would repeat a URL with its password.
    let url = server_url(&args.url).map_err(|(reason, hint)| {
        let hint = hint.unwrap_or_else(|| "write it as http://127.0.0.1:8052/mcp".to_owned());
        CliError::usage("url", reason).with_hint(hint)
    })?;
    let name = named(args.name.as_deref())?.unwrap_or_else(|| name_of_url(&url));
    let options = args.times.settings(&args.store, context)?.stdio_options()?;
    let of_file = args
        .header_file
        .as_deref()
        .map(|path| header_file(path, &context.sources));
    let mut headers: Vec<Header> = of_file.transpose().map_err(refused)?.unwrap_or_default();
    for text in &args.header {
        headers.push(header_argument(text, &context.sources).map_err(refused)?);
    }
    crate::daemon::init_quiet_logging(options.log);
    let to = BridgeTo {
        name,
        url,
        headers,
        retry_for: args.retry_for,
    };
    crate::daemon::run_bridge(to, &options).map_err(|error| CliError::of_daemon(&error))?;
    Ok(ExitStatus::Done)
}

fn refused(error: HeaderError) -> CliError {
    CliError::usage("header", error.reason).with_hint(error.hint)
}
