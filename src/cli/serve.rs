//! `archonctl serve`: the tracking daemon. Turns flags into options and hands them over.

use super::error::CliError;
use super::output::StoreArgs;
use super::{Context, ExitStatus};
use crate::config::{Flags, Key, Settings};

const EXAMPLES: &str = "\
Examples:
  archonctl serve --upstream http://127.0.0.1:8052/mcp
  archonctl serve --upstream docs=http://127.0.0.1:8052 --upstream tools=http://127.0.0.1:8053/mcp
  archonctl serve --upstream https://mcp.example.com/mcp --listen 0.0.0.0:8051 --log-format json
  archonctl serve --upstream http://127.0.0.1:8052/mcp --session-timeout 2h --idle-after 10m
  archonctl token create grafana --scope read && archonctl serve --api-listen 0.0.0.0:8181";

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

    /// Where the REST API listens; elsewhere than on loopback it asks for a token; 'off' for none [default: 127.0.0.1:8181]
    #[arg(long, value_name = "HOST:PORT")]
    api_listen: Option<String>,

    #[command(flatten)]
    access: AccessArgs,

    /// An MCP server to relay to, served at /mcp/NAME, the first one also at /mcp; can be given more than once; /mcp
    /// is added to a URL without a path
    #[arg(long, value_name = "[NAME=]URL", value_hint = clap::ValueHint::Url)]
    upstream: Vec<String>,

    /// The name for sessions of a server given without one [default: default]
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

    /// How long a connection to the server may take to come about [default: 10s]
    #[arg(long, value_name = "DURATION")]
    connect_timeout: Option<String>,

    /// Longest head of a request; a longer one gets 431 [default: 64KiB]
    #[arg(long, value_name = "SIZE")]
    max_head: Option<String>,

    /// Longest body of a request; a longer one gets 413 [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    max_body: Option<String>,

    /// Connections at the same time; one more gets 503 [default: 20000]
    #[arg(long, value_name = "N")]
    max_connections: Option<String>,

    /// Streams held open at the same time; one more gets 503 [default: 10000]
    #[arg(long, value_name = "N")]
    max_streams: Option<String>,

    /// How long a connection may stay open without a request [default: 2m]
    #[arg(long, value_name = "DURATION")]
    keep_alive_timeout: Option<String>,

    /// How long the head of a request may take to arrive; then 408 [default: 30s]
    #[arg(long, value_name = "DURATION")]
    head_timeout: Option<String>,

    /// How long a client may take to send the next piece of a body; then 408 [default: 30s]
    #[arg(long, value_name = "DURATION")]
    body_timeout: Option<String>,

    /// How long a client may take to read a piece of an answer [default: 60s]
    #[arg(long, value_name = "DURATION")]
    write_timeout: Option<String>,

    /// A name that may stand in Host, beside loopback's own (name, host:port, *.domain, *); can be given more than once
    #[arg(long = "allowed-hosts", value_name = "HOST")]
    allowed_hosts: Vec<String>,

    /// A site that may stand in Origin, beside this machine's own (https://app.example.com, *); can be given more than once
    #[arg(long = "allowed-origins", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,

    /// Where clients reach the daemon, if that is not what they write into Host (https://mcp.example.com)
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// How long requests in flight may take to finish at the end [default: 10s]
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<String>,

    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<String>,

    /// How long an instance counts as alive without another word [default: 30s]
    #[arg(long, value_name = "DURATION")]
    instance_timeout: Option<String>,

    /// How much of the disk records may fill that the store has not taken [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    journal_bound: Option<String>,

    /// Have records on the disk itself before an answer ends, so that a loss of power loses none
    #[arg(long)]
    journal_fsync: bool,

    #[command(flatten)]
    cost: CostArgs,

    /// An OpenTelemetry collector that spans and metrics are sent to (OTLP over HTTP, such as http://127.0.0.1:4318);
    /// OTEL_EXPORTER_OTLP_ENDPOINT and its kin are understood
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    otlp_endpoint: Option<String>,

    /// Form of the log: text or json; what is logged is ARCHONCTL_LOG's to say [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,

    /// Apply pending migrations to a PostgreSQL store before serving; the embedded one is always migrated
    #[arg(long)]
    migrate: bool,

    #[command(flatten)]
    store: StoreArgs,
}

/// Who gets into the API.
#[derive(Debug, clap::Args)]
pub(crate) struct AccessArgs {
    /// Let everybody into the API who can reach it, wherever it listens
    #[arg(long)]
    no_auth: bool,

    /// A site whose pages may use the API (https://app.example.com); can be given more than once [default: none]
    #[arg(long = "api-cors-origin", value_name = "ORIGIN")]
    api_cors_origin: Vec<String>,

    /// A file of public keys that JWTs for the API are verified with, PEM or JWKS: RS256, ES256, EdDSA
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    jwt_key_file: Option<String>,

    /// A file with a secret that JWTs for the API are verified with: HS256
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    jwt_secret_file: Option<String>,

    /// What the claim iss of a JWT has to be
    #[arg(long, value_name = "ISSUER")]
    jwt_issuer: Option<String>,

    /// What has to be in the claim aud of a JWT
    #[arg(long, value_name = "AUDIENCE")]
    jwt_audience: Option<String>,
}

impl AccessArgs {
    /// `flags`, and these.
    fn flags(self, flags: Flags) -> Flags {
        flags
            .with(Key::NoAuth, self.no_auth.then(|| "true".to_owned()))
            .with_all(Key::ApiCorsOrigin, &self.api_cors_origin)
            .with(Key::JwtKeyFile, self.jwt_key_file)
            .with(Key::JwtSecretFile, self.jwt_secret_file)
            .with(Key::JwtIssuer, self.jwt_issuer)
            .with(Key::JwtAudience, self.jwt_audience)
    }
}

/// How costs are estimated.
#[derive(Debug, clap::Args)]
pub(crate) struct CostArgs {
    /// How much of one text is counted in tokens, the rest is taken to be like it; 0 estimates all by length [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    max_counted_text: Option<String>,

    /// The model that costs are estimated for, where nothing else says one
    #[arg(long, value_name = "MODEL")]
    default_model: Option<String>,

    /// The model behind sessions with a server; can be given more than once
    #[arg(long = "upstream-models", value_name = "NAME=MODEL")]
    upstream_models: Vec<String>,

    /// The model behind sessions of a client, by its name or type; can be given more than once
    #[arg(long = "client-models", value_name = "CLIENT=MODEL")]
    client_models: Vec<String>,
}

impl CostArgs {
    /// `flags`, and these.
    pub(crate) fn flags(self, flags: Flags) -> Flags {
        flags
            .with(Key::MaxCountedText, self.max_counted_text)
            .with(Key::DefaultModel, self.default_model)
            .with_all(Key::UpstreamModels, &self.upstream_models)
            .with_all(Key::ClientModels, &self.client_models)
    }
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    // Values are checked with the settings, not by clap, which would repeat a URL with its password.
    let flags = args
        .store
        .flags()
        .with(Key::Listen, args.listen)
        .with(Key::ApiListen, args.api_listen)
        .with_all(Key::Upstream, &args.upstream)
        .with(Key::UpstreamName, args.upstream_name)
        .with(Key::SessionTimeout, args.session_timeout)
        .with(Key::IdleAfter, args.idle_after)
        .with(Key::DisconnectGrace, args.disconnect_grace)
        .with(Key::RequestTimeout, args.request_timeout)
        .with(Key::ConnectTimeout, args.connect_timeout)
        .with(Key::MaxHead, args.max_head)
        .with(Key::MaxBody, args.max_body)
        .with(Key::MaxConnections, args.max_connections)
        .with(Key::MaxStreams, args.max_streams)
        .with(Key::KeepAliveTimeout, args.keep_alive_timeout)
        .with(Key::HeadTimeout, args.head_timeout)
        .with(Key::BodyTimeout, args.body_timeout)
        .with(Key::WriteTimeout, args.write_timeout)
        .with_all(Key::AllowedHosts, &args.allowed_hosts)
        .with_all(Key::AllowedOrigins, &args.allowed_origins)
        .with(Key::PublicUrl, args.public_url)
        .with(Key::DrainTimeout, args.drain_timeout)
        .with(Key::Workers, args.workers)
        .with(Key::InstanceTimeout, args.instance_timeout)
        .with(Key::JournalBound, args.journal_bound)
        .with(
            Key::JournalFsync,
            args.journal_fsync.then(|| "true".to_owned()),
        )
        .with(Key::OtlpEndpoint, args.otlp_endpoint)
        .with(Key::LogFormat, args.log_format);
    let flags = args.access.flags(args.cost.flags(flags));
    let mut options =
        Settings::resolve(&context.sources, flags)?.serve_options(&context.sources)?;
    options.migrate = args.migrate;
    crate::daemon::init_logging(options.log);
    crate::daemon::run(&options).map_err(|error| CliError::of_daemon(&error))?;
    Ok(ExitStatus::Done)
}
