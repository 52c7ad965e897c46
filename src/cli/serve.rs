//! `archonctl serve`: the tracking daemon. Turns flags into options and hands them over.

use super::error::CliError;
use super::output::StoreArgs;
use super::{Context, ExitStatus};
use crate::config::{Key, Settings};

const EXAMPLES: &str = "\
Examples:
  archonctl serve --upstream http://127.0.0.1:8052/mcp
  archonctl serve --upstream https://mcp.example.com/mcp --listen 0.0.0.0:8051 --log-format json
  archonctl serve --upstream http://127.0.0.1:8052/mcp --session-timeout 2h --idle-after 10m";

const ELSEWHERE: &str = "\
Every flag can also be set in the environment (ARCHONCTL_LISTEN for --listen), in archonctl.toml in
the working directory or in the user's config.toml (listen = \"127.0.0.1:8051\");
`archonctl config show --origin` says which value comes from where.";

/// Relay MCP traffic to a server and track its sessions
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = ELSEWHERE)]
pub(crate) struct Args {
    /// Where to listen [default: 127.0.0.1:8051]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,

    /// Where the REST API listens, an address of this machine's loopback; 'off' for none [default: 127.0.0.1:8181]
    #[arg(long, value_name = "HOST:PORT")]
    api_listen: Option<String>,

    /// The MCP server to relay to; /mcp is added to a URL without a path
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    upstream: Option<String>,

    /// The name its sessions are stored under [default: default]
    #[arg(long, value_name = "NAME")]
    upstream_name: Option<String>,

    /// Time without activity that ends a session [default: 3600s]
    #[arg(long, value_name = "DURATION")]
    session_timeout: Option<String>,

    /// Time without activity after which a session counts as idle [default: 5m]
    #[arg(long, value_name = "DURATION")]
    idle_after: Option<String>,

    /// How long a client that dropped its stream may take to come back [default: 30s]
    #[arg(long, value_name = "DURATION")]
    disconnect_grace: Option<String>,

    /// How long the server may take to answer [default: 300s]
    #[arg(long, value_name = "DURATION")]
    request_timeout: Option<String>,

    /// How long requests in flight may take to finish at the end [default: 10s]
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<String>,

    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<String>,

    /// Form of the log: text or json; what is logged is ARCHONCTL_LOG's to say [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,

    /// Apply pending migrations to a PostgreSQL store before serving; the embedded one is always migrated
    #[arg(long)]
    migrate: bool,

    #[command(flatten)]
    store: StoreArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    // Values are checked with the settings, not by clap, which would repeat a URL with its password.
    let flags = args
        .store
        .flags()
        .with(Key::Listen, args.listen)
        .with(Key::ApiListen, args.api_listen)
        .with(Key::Upstream, args.upstream)
        .with(Key::UpstreamName, args.upstream_name)
        .with(Key::SessionTimeout, args.session_timeout)
        .with(Key::IdleAfter, args.idle_after)
        .with(Key::DisconnectGrace, args.disconnect_grace)
        .with(Key::RequestTimeout, args.request_timeout)
        .with(Key::DrainTimeout, args.drain_timeout)
        .with(Key::Workers, args.workers)
        .with(Key::LogFormat, args.log_format);
    let mut options = Settings::resolve(&context.sources, flags)?.serve_options()?;
    options.migrate = args.migrate;
    crate::daemon::init_logging(options.log);
    crate::daemon::run(&options).map_err(|error| CliError::of_daemon(&error))?;
    Ok(ExitStatus::Done)
}
