//! The example in `examples`: an MCP server in Rust that tracks itself by the library, with real clients, over HTTP and over
//! stdio; stopped, left and killed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{
    Client, Driver, Lines, Owned, PATIENCE, StdioClient, StdioDriver, journals, lines,
    new_data_dir, send_signal, sessions_until,
};

/// The example, built as it stands: `cargo test --test integration` alone does not build examples.
fn example() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile_dir = Path::new(env!("CARGO_BIN_EXE_archonctl"))
            .parent()
            .expect("a folder");
        let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--offline",
                "--example",
                "tracked_server",
            ])
            .args(["--profile", profile, "--target-dir"])
            .arg(profile_dir.parent().expect("a folder"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.expect("cargo runs").success(), "the example builds");
        profile_dir.join("examples").join("tracked_server")
    })
}

/// The example over HTTP.
struct Served {
    child: Owned,
    url: String,
}

impl Served {
    fn start(data_dir: &Path) -> Self {
        let mut child = Owned(
            Command::new(example())
                .args(["--listen", "127.0.0.1:0", "--data-dir"])
                .arg(data_dir)
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the example starts"),
        );
        let log = lines(child.0.stderr.take().expect("piped"));
        loop {
            let line = log.recv_timeout(PATIENCE).expect("it gets ready");
            if let Some((_, url)) = line.split_once("serving ") {
                let url = url.to_owned();
                return Self { child, url };
            }
        }
    }

    fn stop(mut self) {
        send_signal(&self.child.0, "TERM");
        assert!(self.child.0.wait().expect("it ends").success());
    }

    fn kill(mut self) {
        self.child.0.kill().expect("killed");
        self.child.0.wait().expect("it ends");
    }
}

fn stdio_command(data_dir: &Path) -> Vec<OsString> {
    vec![
        example().into(),
        "--stdio".into(),
        "--data-dir".into(),
        data_dir.into(),
    ]
}

/// The members that tell how a session went.
fn told(session: &Value) -> Value {
    let members = [
        "client_name",
        "server",
        "derivation",
        "status",
        "total_requests",
        "failed_requests",
        "disconnect_reason",
    ];
    let of = |member: &&str| ((*member).to_owned(), session[*member].clone());
    Value::Object(members.iter().map(of).collect())
}

fn expected(client: &str, derivation: &str, requests: u64, ended: Option<&str>) -> Value {
    let status = if ended.is_some() {
        "disconnected"
    } else {
        "active"
    };
    json!({"client_name": client, "server": "tracked-server", "derivation": derivation, "status": status,
        "total_requests": requests, "failed_requests": 1, "disconnect_reason": ended})
}

/// Waits until the sessions, by the names of their clients, are as `wanted`.
fn until(data_dir: &Path, what: &str, wanted: &[Value]) {
    let key = |told: &Value| told["client_name"].as_str().map(str::to_owned);
    let mut wanted = wanted.to_vec();
    wanted.sort_by_key(key);
    sessions_until(data_dir, what, |sessions| {
        let mut seen: Vec<_> = sessions.iter().map(told).collect();
        seen.sort_by_key(key);
        seen == wanted
    });
}

#[test]
fn a_server_over_http_tracks_itself_and_its_sessions_end_for_their_reasons() {
    let (_root, data_dir) = new_data_dir();
    let server = Served::start(&data_dir);
    Client::run(Driver::TsLegacy, &server.url, "polite", &[]);
    Client::run(Driver::PyModern, &server.url, "polite", &[]);
    let staying = Client::start(Driver::PyLegacy, &server.url, "hang", &[]);
    staying.until_ready();
    let left = expected("ts-legacy-driver", "protocol", 7, Some("client_disconnect"));
    until(
        &data_dir,
        "what is there while it runs",
        &[
            left.clone(),
            expected("py-modern-driver", "inferred", 7, None),
            expected("py-legacy-driver", "protocol", 7, None),
        ],
    );
    server.stop();
    // Nothing is left to be settled.
    assert_eq!(journals(&data_dir), 0);
    until(
        &data_dir,
        "the ends",
        &[
            left,
            expected("py-modern-driver", "inferred", 7, Some("server_shutdown")),
            expected("py-legacy-driver", "protocol", 7, Some("server_shutdown")),
        ],
    );
    staying.kill();
}

#[test]
fn a_killed_server_loses_no_call_that_was_answered() {
    let (_root, data_dir) = new_data_dir();
    let server = Served::start(&data_dir);
    let staying = Client::start(Driver::TsLegacy, &server.url, "hang", &[]);
    staying.until_ready();
    server.kill();
    let crashed = Some("error:ServerCrash");
    until(
        &data_dir,
        "the crash",
        &[expected("ts-legacy-driver", "protocol", 7, crashed)],
    );
    staying.kill();
}

#[test]
fn a_server_over_stdio_tracks_itself() {
    let (_root, data_dir) = new_data_dir();
    for driver in [StdioDriver::PyLegacy, StdioDriver::PyModern] {
        StdioClient::run(driver, "polite", &[], &stdio_command(&data_dir));
    }
    let left = Some("client_disconnect");
    until(
        &data_dir,
        "both clients",
        &[
            expected("py-legacy-driver", "process", 7, left),
            expected("py-modern-driver", "process", 7, left),
        ],
    );
    assert_eq!(journals(&data_dir), 0);
}

#[test]
fn a_server_over_stdio_that_is_told_to_stop_says_so() {
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::start(&stdio_command(&data_dir));
    client.initialize("hand");
    let sum = client.call(1, "add", &json!({"a": 2, "b": 3}));
    assert_eq!(sum["result"]["content"][0]["text"], "5");
    let failed = client.call(2, "fail", &json!({}));
    assert_eq!(failed["result"]["isError"], true);
    client.signal("TERM");
    // Its input is still open.
    let (status, said, _) = client.wait();
    assert!(status.success() && said.is_empty(), "{status} {said:?}");
    until(
        &data_dir,
        "the end",
        &[expected("hand", "process", 2, Some("server_shutdown"))],
    );
}
