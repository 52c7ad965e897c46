//! The command line: what can be asked, how answers are printed, how the process ends.
//!
//! The only folder that prints. A command is one file with a `run` that returns how the process ends; what it prints is
//! made by `render` from values, without a terminal. Decides nothing about sessions: that is `reports`.

mod bridge;
mod completions;
mod config;
mod doctor;
mod error;
mod man;
mod migrate;
mod output;
mod period;
mod pricing;
mod render;
mod run;
mod schema;
mod serve;
mod sessions;
mod source;
mod store;
mod terminal;
mod test_connection;
mod token;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::error::{CliError, ErrorForm};
use self::terminal::Terminal;
use crate::config::Sources;
use crate::model::{Clock, SystemClock, Timestamp};

pub use self::error::ExitStatus;

const EXAMPLES: &str = "\
Examples:
  archonctl serve --upstream http://127.0.0.1:8052/mcp   # track what passes to this server
  archonctl run -- npx -y @acme/files-mcp                # the same for a server on stdio
  archonctl sessions list                                # who is working with it
  archonctl sessions disconnected --days 7               # who left, and why
  archonctl test-connection http://127.0.0.1:8051/mcp    # does it answer?";

/// Sessions, calls and disconnect reasons for people who run MCP servers
#[derive(Debug, Parser)]
#[command(
    name = "archonctl",
    bin_name = "archonctl",
    version,
    before_help = EXAMPLES,
    arg_required_else_help = true,
    subcommand_required = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Args>),
    Run(run::Args),
    Bridge(bridge::Args),
    Sessions(sessions::Args),
    TestConnection(test_connection::Args),
    Migrate(migrate::Args),
    Doctor(doctor::Args),
    Pricing(pricing::Args),
    Token(token::Args),
    Config(config::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// What commands know of the world around them.
struct Context {
    terminal: Terminal,
    sources: Sources,
    now: Timestamp,
}

/// Runs the command line of this process and says how it ends.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if run::guards(&args) {
        return ExitCode::SUCCESS;
    }
    let terminal = Terminal::of_process();
    let form = ErrorForm::from_args(&args, &terminal);
    let context = Context {
        terminal,
        sources: Sources::process(),
        now: SystemClock.now(),
    };
    match run(args, &context) {
        Ok(status) => status.into(),
        Err(error) => {
            error.report(form);
            error.status().into()
        }
    }
}

fn run(args: Vec<OsString>, context: &Context) -> Result<ExitStatus, CliError> {
    let parsed = command()
        .try_get_matches_from(args)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    match cli.command {
        Command::Serve(args) => serve::run(*args, context),
        Command::Run(args) => run::run(args, context),
        Command::Bridge(args) => bridge::run(args, context),
        Command::Sessions(args) => sessions::run(args, context),
        Command::TestConnection(args) => test_connection::run(&args, context),
        Command::Migrate(args) => migrate::run(args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Pricing(args) => pricing::run(args, context),
        Command::Token(args) => token::run(args, context),
        Command::Config(args) => config::run(args, context),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// What clap stopped at: help and version are answers, everything else is a mistake.
fn refused(error: &clap::Error) -> Result<ExitStatus, CliError> {
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::closed_pipe_is_fine(error.print())?;
            Ok(ExitStatus::Done)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::closed_pipe_is_fine(error.print())?;
            Ok(ExitStatus::Usage)
        }
        _ => Err(CliError::from_clap(error)),
    }
}

/// The whole command line as clap has it, with the order help is given in: what, examples, usage, options.
fn command() -> clap::Command {
    fn ordered(command: clap::Command) -> clap::Command {
        command
            .help_template(
                "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}",
            )
            .max_term_width(100)
            .mut_subcommands(ordered)
    }
    ordered(Cli::command())
}
