//! `archonctl completions`: scripts that complete the command line.

use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::Shell;

use super::error::{CliError, ExitStatus};
use super::output::write_out;

const EXAMPLES: &str = "\
Examples:
  archonctl completions bash > ~/.local/share/bash-completion/completions/archonctl
  archonctl completions zsh > ~/.zfunc/_archonctl
  archonctl completions fish > ~/.config/fish/completions/archonctl.fish";

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum, required_unless_present = "out")]
    shell: Option<Shell>,

    /// Write the scripts of all shells into this directory
    #[arg(long, value_name = "DIR", hide = true, conflicts_with = "shell")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitStatus, CliError> {
    if let Some(dir) = &args.out {
        for shell in Shell::value_variants() {
            let file = dir.join(clap_complete::Generator::file_name(shell, "archonctl"));
            std::fs::write(&file, script(*shell)).map_err(|error| {
                CliError::io(&format!("cannot write {}", file.display()), &error)
            })?;
        }
    } else if let Some(shell) = args.shell {
        write_out(&script(shell))?;
    }
    Ok(ExitStatus::Done)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "archonctl", &mut script);
    script
}
