//! `archonctl man`: manual pages.

use std::path::{Path, PathBuf};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::error::{CliError, ExitStatus};
use super::output::write_out;

const EXAMPLES: &str = "\
Examples:
  archonctl man | man -l -
  archonctl man --out ~/.local/share/man/man1";

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write the pages of all commands into this directory instead
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitStatus, CliError> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    match &args.out {
        Some(dir) => write_all(command, dir)?,
        None => write_out(
            &page(command)
                .map_err(|error| CliError::io("cannot make the page", &error))?
                .1,
        )?,
    }
    Ok(ExitStatus::Done)
}

fn write_all(command: clap::Command, dir: &Path) -> Result<(), CliError> {
    for command in command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        write_all(command.clone(), dir)?;
    }
    let unwritten = |error| {
        CliError::io(
            &format!("cannot write pages into {}", dir.display()),
            &error,
        )
    };
    let (name, text) = page(command).map_err(unwritten)?;
    std::fs::write(dir.join(name), text).map_err(unwritten)
}

/// File name and text of a page. Like `Man::render`, which knows nothing of examples.
fn page(command: clap::Command) -> std::io::Result<(String, Vec<u8>)> {
    let examples = command.get_before_help().map(ToString::to_string);
    let has_options = command.get_arguments().any(|arg| !arg.is_hide_set());
    let has_commands = command
        .get_subcommands()
        .any(|command| !command.is_hide_set());
    let man = Man::new(command).manual("archonctl manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    if let Some(examples) = examples {
        let mut roff = Roff::new();
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.lines().skip(1) {
            roff.text([roman(line.trim_start())]);
        }
        roff.control("fi", []).to_writer(&mut text)?;
    }
    if has_options {
        man.render_options_section(&mut text)?;
    }
    if has_commands {
        man.render_subcommands_section(&mut text)?;
    }
    Ok((man.get_filename(), text))
}
