//! The name of a server that nobody has named: made from the command that starts it, or from its URL.

use std::ffi::OsString;

use crate::model::{LONGEST_SERVER_NAME, fits_a_server_name};

/// Programs that run the program that is meant.
const LAUNCHERS: [&str; 22] = [
    "bun", "bunx", "cmd", "deno", "docker", "env", "node", "nodejs", "npm", "npx", "pipx", "pnpm",
    "pnpx", "podman", "py", "python", "python3", "tsx", "uv", "uvx", "yarn", "time",
];
/// Words of theirs that are no program.
const VERBS: [&str; 8] = [
    "run",
    "exec",
    "dlx",
    "x",
    "tool",
    "start",
    "container",
    "create",
];
/// File and folder names that say nothing.
const COMMON: [&str; 12] = [
    "index", "main", "server", "app", "cli", "dist", "build", "src", "lib", "bin", "out", "start",
];
const ENDINGS: [&str; 8] = [".js", ".mjs", ".cjs", ".ts", ".py", ".sh", ".exe", ".jar"];

/// A name for the server that `command` starts: `npx -y @acme/files-mcp@1.2 /tmp` is `files-mcp`. What gives none is
/// `stdio`.
#[must_use]
pub fn name_of_command(command: &[OsString]) -> String {
    let words: Vec<_> = command
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let said = words
        .iter()
        .find(|word| !is_wrapping(word))
        .or_else(|| words.first())
        .map_or("", String::as_str);
    fitting(telling_part(said), "stdio")
}

/// A name for the server at `url`: `https://mcp.example.com/v1` is `mcp.example.com`, and a port goes behind the host.
#[must_use]
pub fn name_of_url(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    fitting(authority, "http")
}

/// `said` as a name; `otherwise` if there is nothing in it.
fn fitting(said: &str, otherwise: &str) -> String {
    let name: String = said
        .chars()
        .map(|c| if fits_a_server_name(c) { c } else { '-' })
        .take(LONGEST_SERVER_NAME)
        .collect();
    let name = name.trim_matches(['-', '.', '_']);
    if name.is_empty() {
        otherwise.to_owned()
    } else {
        name.to_owned()
    }
}

/// Whether a word stands in front of the program that is meant: a launcher, its verb, an option, a variable.
fn is_wrapping(word: &str) -> bool {
    let base = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let base = base.strip_suffix(".exe").unwrap_or(base);
    // python3.12
    let plain = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_variable = || {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    word.is_empty()
        || word.starts_with('-')
        || LAUNCHERS.contains(&base)
        || LAUNCHERS.contains(&plain)
        || VERBS.contains(&word)
        || is_variable()
}

/// The part of a path, a package or an image that tells what it is.
fn telling_part(said: &str) -> &str {
    let mut parts = said
        .split(['/', '\\'])
        .filter(|part| !part.is_empty())
        .rev();
    let first = parts.next().unwrap_or(said);
    let bare = without_ending(first);
    if bare.len() == first.len() && !COMMON.contains(&bare) {
        return bare;
    }
    if !COMMON.contains(&bare) {
        return bare;
    }
    parts.find(|part| !COMMON.contains(part)).unwrap_or(bare)
}

/// A file's name without what tells its kind, a package's without its version, an image's without its tag.
fn without_ending(name: &str) -> &str {
    let name = name.trim_start_matches('@');
    let name = name.split(['@', ':']).next().unwrap_or(name);
    ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gives_a_name_that_people_recognise() {
        for (command, name) in [
            (
                "npx -y @modelcontextprotocol/server-everything stdio",
                "server-everything",
            ),
            ("npx -y @acme/files-mcp@1.2.3 /tmp", "files-mcp"),
            (
                "node node_modules/@modelcontextprotocol/server-everything/dist/index.js stdio",
                "server-everything",
            ),
            ("/usr/bin/python3.12 -m mcp_server_git", "mcp_server_git"),
            ("uv run --quiet server.py", "server"),
            ("uvx mcp-server-fetch==1.0", "mcp-server-fetch--1.0"),
            ("/opt/tools/github-mcp-server stdio", "github-mcp-server"),
            (
                "docker run -i --rm ghcr.io/github/github-mcp-server:latest",
                "github-mcp-server",
            ),
            ("env TOKEN=x ./serve", "serve"),
            ("node", "node"),
            ("", "stdio"),
            ("ünïcode", "n-code"),
        ] {
            let words: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            assert_eq!(name_of_command(&words), name, "{command}");
        }
    }

    #[test]
    fn a_url_gives_its_host() {
        for (url, name) in [
            ("https://mcp.example.com/v1/mcp", "mcp.example.com"),
            ("http://127.0.0.1:3001/mcp", "127.0.0.1-3001"),
            ("http://[::1]:80?x", "1--80"),
            ("", "http"),
        ] {
            assert_eq!(name_of_url(url), name, "{url}");
        }
    }

    #[test]
    fn every_name_made_is_a_name() {
        let long = "x".repeat(200);
        for command in [
            "--", "...", "@", "a b", "=", "/", "\\", "a@b", "é", &long, "-x",
        ] {
            let name = name_of_command(&[command.into()]);
            assert!(
                crate::model::server_name(&name).is_ok(),
                "{command}: {name}"
            );
        }
    }
}
