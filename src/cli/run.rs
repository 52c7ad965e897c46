//! `archonctl run`: a stdio server with tracking in between. Turns flags into options and hands them over.

use std::ffi::OsString;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::StoreArgs;
use crate::config::{Key, Settings, name_of_command, server_name};
use crate::proxy::stdio::{GUARD, SpawnError, guard};

const EXAMPLES: &str = "\
Examples:
  archonctl run -- npx -y @modelcontextprotocol/server-everything
  archonctl run --name files -- uvx mcp-server-filesystem /srv/docs
  archonctl run --data-dir /var/lib/archonctl -- docker run -i --rm ghcr.io/acme/files-mcp";

const ELSEWHERE: &str = "\
In a client's configuration, put it in front of what is there:
\"command\": \"archonctl\", \"args\": [\"run\", \"--\", \"npx\", \"-y\", \"@acme/files-mcp\"].

Everything passes unchanged: standard input and output byte for byte, standard error, signals, and
the exit code (128 + N when signal N ended the command, 127 when it was not found, 126 when it
cannot be run). When the client leaves, the command and all it started are ended.

No daemon has to run; `archonctl sessions list` shows the session. Settings are those of
`archonctl serve`, from the environment (ARCHONCTL_DATA_DIR) and from files too, but clients pass
on few variables: name a data directory with --data-dir if it is not the default.";

/// Run an MCP server over stdio and track its session
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = ELSEWHERE, override_usage = "archonctl run [OPTIONS] -- <COMMAND>...")]
pub(crate) struct Args {
    /// The name its session is stored under [default: made from the command]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    times: TimeArgs,

    #[command(flatten)]
    store: StoreArgs,

    /// The server, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

/// The times of commands that relay one client.
#[derive(Debug, clap::Args)]
pub(crate) struct TimeArgs {
    /// Time without activity that ends a session [default: 3600s]
    #[arg(long, value_name = "DURATION")]
    session_timeout: Option<String>,

    /// Time without activity after which a session counts as idle [default: 5m]
    #[arg(long, value_name = "DURATION")]
    idle_after: Option<String>,

    /// How long the server may take to answer [default: 300s]
    #[arg(long, value_name = "DURATION")]
    request_timeout: Option<String>,

    /// How long answers may still take when the client has left [default: 10s]
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<String>,

    /// The model that costs are estimated for
    #[arg(long, value_name = "MODEL")]
    default_model: Option<String>,
}

impl TimeArgs {
    /// The settings that these flags and those of `store` make.
    pub(crate) fn settings(
        self,
        store: &StoreArgs,
        context: &Context,
    ) -> Result<Settings, CliError> {
        let flags = store
            .flags()
            .with(Key::SessionTimeout, self.session_timeout)
            .with(Key::IdleAfter, self.idle_after)
            .with(Key::RequestTimeout, self.request_timeout)
            .with(Key::DrainTimeout, self.drain_timeout)
            .with(Key::DefaultModel, self.default_model);
        Ok(Settings::resolve(&context.sources, flags)?)
    }
}

/// The name that `--name` gives.
pub(crate) fn named(name: Option<&str>) -> Result<Option<String>, CliError> {
    let checked = name.map(server_name).transpose();
    checked.map_err(|reason| {
        CliError::usage("server_name", format!("--name: {reason}"))
            .with_hint("the name stands in tables and filters: choose a short one, such as files")
    })
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    let name = named(args.name.as_deref())?.unwrap_or_else(|| name_of_command(&args.command));
    let options = args.times.settings(&args.store, context)?.stdio_options()?;
    crate::daemon::init_quiet_logging(options.log);
    let ended = crate::daemon::run_stdio(&name, &args.command, &options);
    ended.map(ExitStatus::OfCommand).map_err(|error| {
        error
            .downcast_ref::<SpawnError>()
            .map_or_else(|| CliError::of_daemon(&error), not_started)
    })
}

fn not_started(error: &SpawnError) -> CliError {
    let status = ExitStatus::OfCommand(error.exit_code());
    let (code, hint) = match error {
        SpawnError::NotFound(_) => (
            "command_not_found",
            "is it installed, and in a directory of PATH? a client may start servers with another PATH than a shell: \
             write the whole path",
        ),
        SpawnError::NotExecutable { .. } => (
            "command_not_executable",
            "it must be a program with the right to be run (chmod +x), and the interpreter that a script names in its \
             first line must be there",
        ),
    };
    CliError::new(status, code, error.to_string()).with_hint(hint)
}

/// Whether this process was started to guard a process group, which it has done then.
pub(crate) fn guards(args: &[OsString]) -> bool {
    match args {
        [_, word, group] if word == GUARD => {
            guard(&group.to_string_lossy());
            true
        }
        _ => false,
    }
}
