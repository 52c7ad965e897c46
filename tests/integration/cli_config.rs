//! Where settings come from, which of two wins, and what is said about a wrong one.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use archonctl::config::{ConfigError, Flags, Key, LogFormat, Origin, Settings, Sources, Upstream};

fn resolve(variables: &[(&str, &str)], dir: &Path, flags: Flags) -> Result<Settings, ConfigError> {
    Settings::resolve(&Sources::made_up(variables, dir), flags)
}

/// Neither variables nor files.
fn none() -> Sources {
    Sources::made_up(&[], Path::new("/nowhere"))
}

fn origin_of(settings: &Settings, key: Key) -> Origin {
    let shown = settings.shown().into_iter().find(|shown| shown.key == key);
    shown.expect("every key is shown").origin
}

fn refusal(variables: &[(&str, &str)]) -> ConfigError {
    let all = [&[("HOME", "/home/me")], variables].concat();
    let settings = resolve(&all, Path::new("/nowhere"), Flags::default()).expect("layers");
    settings
        .serve_options(&Sources::made_up(&all, Path::new("/nowhere")))
        .expect_err("a wrong value")
}

#[test]
fn defaults_are_what_the_documents_say() {
    let settings = resolve(
        &[("HOME", "/home/me")],
        Path::new("/nowhere"),
        Flags::default(),
    )
    .expect("layers");
    let options = settings.serve_options(&none()).expect("defaults");
    assert_eq!(
        options.data_dir,
        PathBuf::from("/home/me/.local/share/archonctl")
    );
    assert_eq!(options.listen, "127.0.0.1:8051");
    assert_eq!(options.upstreams, Vec::new());
    assert_eq!(options.session_timeout, Duration::from_hours(1));
    assert_eq!(options.idle_after, Duration::from_mins(5));
    assert_eq!(options.disconnect_grace, Duration::from_secs(30));
    assert_eq!(options.request_timeout, Duration::from_mins(5));
    assert_eq!(options.drain_timeout, Duration::from_secs(10));
    assert_eq!(options.workers, None);
    assert_eq!(options.log, LogFormat::Text);
}

#[test]
fn each_layer_beats_the_one_below_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let user = dir.path().join("xdg/archonctl");
    std::fs::create_dir_all(&user).expect("a directory");
    std::fs::write(
        user.join("config.toml"),
        "idle_after = \"1m\"\nrequest_timeout = \"1m\"\ndrain_timeout = \"1m\"\nworkers = 1\n",
    )
    .expect("user file");
    std::fs::write(
        dir.path().join("archonctl.toml"),
        "request_timeout = \"2m\"\ndrain_timeout = 120\nworkers = 2\n",
    )
    .expect("project file");
    let xdg = dir.path().join("xdg");
    let variables = [
        ("HOME", "/home/me"),
        ("XDG_CONFIG_HOME", xdg.to_str().expect("UTF-8")),
        ("ARCHONCTL_DRAIN_TIMEOUT", "3m"),
        ("ARCHONCTL_WORKERS", "3"),
        ("ARCHONCTL_LOG_FORMAT", ""),
    ];
    let flags = Flags::default().with(Key::Workers, Some("4".to_owned()));
    let settings = resolve(&variables, dir.path(), flags).expect("layers");
    let options = settings.serve_options(&none()).expect("options");
    assert_eq!(options.idle_after, Duration::from_mins(1));
    assert_eq!(options.request_timeout, Duration::from_mins(2));
    assert_eq!(options.drain_timeout, Duration::from_mins(3));
    assert_eq!(options.workers, NonZeroUsize::new(4));
    assert_eq!(
        origin_of(&settings, Key::LogFormat),
        Origin::Default,
        "an empty variable is not set"
    );
    assert_eq!(
        origin_of(&settings, Key::IdleAfter),
        Origin::UserFile(user.join("config.toml"))
    );
    assert_eq!(
        origin_of(&settings, Key::RequestTimeout),
        Origin::ProjectFile(dir.path().join("archonctl.toml"))
    );
    assert_eq!(
        origin_of(&settings, Key::DrainTimeout),
        Origin::Environment("ARCHONCTL_DRAIN_TIMEOUT".to_owned())
    );
    assert_eq!(
        origin_of(&settings, Key::Workers),
        Origin::Flag("--workers".to_owned())
    );
}

#[test]
fn legacy_variables_count_only_while_nothing_newer_speaks() {
    let old = [
        ("HOME", "/h"),
        ("ARCHON_HOST", "0.0.0.0"),
        ("ARCHON_MCP_PORT", "9000"),
    ];
    let listen = |variables: &[(&str, &str)], dir: &Path| {
        let settings = resolve(variables, dir, Flags::default()).expect("layers");
        settings.serve_options(&none()).expect("options").listen
    };
    let nowhere = Path::new("/nowhere");
    assert_eq!(listen(&old, nowhere), "0.0.0.0:9000");
    assert_eq!(listen(&old[..2], nowhere), "0.0.0.0:8051");
    assert_eq!(listen(&[old[0], old[2]], nowhere), "127.0.0.1:9000");
    assert_eq!(
        listen(&[old[0], ("ARCHON_HOST", "::1")], nowhere),
        "[::1]:8051"
    );
    let newer = [&old[..], &[("ARCHONCTL_LISTEN", "127.0.0.1:1")]].concat();
    assert_eq!(listen(&newer, nowhere), "127.0.0.1:1");
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(
        dir.path().join("archonctl.toml"),
        "listen = \"127.0.0.1:2\"",
    )
    .expect("file");
    assert_eq!(listen(&old, dir.path()), "127.0.0.1:2");
}

#[test]
fn an_unknown_key_names_the_file_and_the_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("archonctl.toml");
    std::fs::write(&file, "listne = \"127.0.0.1:1\"").expect("file");
    let error = resolve(&[("HOME", "/h")], dir.path(), Flags::default()).expect_err("unknown key");
    assert_eq!(
        error.to_string(),
        format!("{}: unknown key 'listne'", file.display())
    );
    assert!(error.hint().contains("listen"), "{}", error.hint());
}

#[test]
fn broken_files_name_the_line_and_do_not_quote_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("archonctl.toml");
    std::fs::write(
        &file,
        "log_format = \"text\"\nupstream = \"http://me:hunter2@h\n",
    )
    .expect("file");
    let error = resolve(&[("HOME", "/h")], dir.path(), Flags::default()).expect_err("no TOML");
    let said = format!("{error} {error:?}");
    assert!(said.contains("line 2"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::write(&file, "upstream = { url = \"http://h\" }").expect("file");
    let error = resolve(&[("HOME", "/h")], dir.path(), Flags::default()).expect_err("a table");
    assert!(error.to_string().contains("not a table"), "{error}");
}

#[test]
fn the_data_directory_follows_the_xdg_specification() {
    let data_dir = |variables: &[(&str, &str)]| {
        resolve(variables, Path::new("/nowhere"), Flags::default())
            .expect("layers")
            .data_dir()
    };
    let both = [("HOME", "/home/me"), ("XDG_DATA_HOME", "/data")];
    assert_eq!(
        data_dir(&both).expect("dir"),
        PathBuf::from("/data/archonctl")
    );
    let relative = [("HOME", "/home/me"), ("XDG_DATA_HOME", "data")];
    assert_eq!(
        data_dir(&relative).expect("dir"),
        PathBuf::from("/home/me/.local/share/archonctl")
    );
    let error = data_dir(&[]).expect_err("nowhere to go");
    assert!(matches!(error, ConfigError::NoDataDir), "{error}");
    assert!(error.hint().contains("--data-dir"), "{}", error.hint());
    assert_eq!(
        data_dir(&[("ARCHONCTL_DATA_DIR", "/srv")]).expect("dir"),
        PathBuf::from("/srv")
    );
    assert!(data_dir(&[("ARCHONCTL_DATA_DIR", "~/x")]).is_err());
}

#[test]
fn a_relative_data_directory_in_a_file_starts_at_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("archonctl.toml"), "data_dir = \"state\"").expect("file");
    let settings = resolve(&[], dir.path(), Flags::default()).expect("layers");
    assert_eq!(settings.data_dir().expect("dir"), dir.path().join("state"));
}

#[test]
fn wrong_values_name_the_setting_and_the_place() {
    for (variable, value, said) in [
        (
            "ARCHONCTL_LISTEN",
            "8051",
            "listen (from ARCHONCTL_LISTEN): '8051' is no host:port",
        ),
        ("ARCHONCTL_LISTEN", "::1:8051", "is no host:port"),
        ("ARCHONCTL_LISTEN", "host:99999", "'99999' is no port"),
        ("ARCHONCTL_IDLE_AFTER", "soon", "'soon' is no duration"),
        ("ARCHONCTL_SESSION_TIMEOUT", "0", "longer than nothing"),
        ("ARCHONCTL_WORKERS", "0", "1 or more"),
        ("ARCHONCTL_LOG_FORMAT", "xml", "neither 'text' nor 'json'"),
        ("ARCHONCTL_UPSTREAM", "host:1", "an http:// or https:// URL"),
        ("ARCHONCTL_UPSTREAM_NAME", "a b", "is no name"),
        (
            "ARCHON_MCP_PORT",
            "x",
            "listen (from ARCHON_MCP_PORT): 'x' is no port",
        ),
    ] {
        let error = refusal(&[(variable, value)]).to_string();
        assert!(error.contains(said), "{variable}={value}: {error}");
    }
}

#[test]
fn credentials_in_the_upstream_are_refused_and_never_repeated() {
    let variables = [
        ("HOME", "/h"),
        ("ARCHONCTL_UPSTREAM", "http://me:hunter2@host/mcp?k=hunter3"),
    ];
    let settings = resolve(&variables, Path::new("/nowhere"), Flags::default()).expect("layers");
    let error = settings.serve_options(&none()).expect_err("credentials");
    let said = format!("{error} {error:?} {} {settings:?}", error.hint());
    assert!(said.contains("take the name and password out"), "{said}");
    assert!(!said.contains("hunter"), "{said}");
    let upstream = Upstream::new("x", "http://host/mcp?token=hunter2".to_owned());
    assert!(!format!("{upstream:?}").contains("hunter2"));
}

/// Settings of a project file with `text`, in its folder with a file `token`.
fn of_file(
    text: &str,
    variables: &[(&str, &str)],
    flags: Flags,
) -> Result<(Settings, Vec<Upstream>), ConfigError> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("archonctl.toml"), text).expect("file");
    std::fs::write(dir.path().join("token"), "hunter-file\n").expect("file");
    let all = [&[("HOME", "/h")], variables].concat();
    let sources = Sources::made_up(&all, dir.path());
    let settings = Settings::resolve(&sources, flags)?;
    let upstreams = settings.serve_options(&sources)?.upstreams;
    Ok((settings, upstreams))
}

#[test]
fn several_servers_have_names_and_the_flags_come_first() {
    let file = "[upstreams.docs]\nurl = \"http://file/mcp\"\nrequest_timeout = \"7s\"\n\
        headers = { X-Team = \"tools\", X-Key = { env = \"KEY\" } }\nbearer = { file = \"token\" }\n\
        tls = { ca_file = \"ca.pem\" }\n[upstreams.a]\nurl = \"http://a\"\nconnect_timeout = 3\n";
    let flags = [
        "tools=https://t/x?k=hunter2",
        "docs=http://flag",
        "http://bare",
    ]
    .map(str::to_owned);
    let flags = Flags::default().with_all(Key::Upstream, &flags);
    let (settings, upstreams) = of_file(file, &[("KEY", "hunter-env")], flags).expect("settings");
    let urls: Vec<_> = upstreams.iter().map(|u| (&*u.name, &*u.url)).collect();
    assert_eq!(
        urls,
        [
            ("tools", "https://t/x?k=hunter2"),
            ("docs", "http://flag/mcp"),
            ("default", "http://bare/mcp"),
            ("a", "http://a/mcp"),
        ]
    );
    let docs = &upstreams[1];
    assert_eq!(docs.request_timeout, Some(Duration::from_secs(7)));
    assert_eq!(upstreams[3].connect_timeout, Some(Duration::from_secs(3)));
    assert!(
        docs.ca_file
            .as_ref()
            .is_some_and(|file| file.is_absolute() && file.ends_with("ca.pem"))
    );
    let headers: Vec<_> = docs
        .headers
        .iter()
        .map(|(name, value)| (&**name, &*value.0))
        .collect();
    assert_eq!(
        headers,
        [
            ("X-Team", "tools"),
            ("X-Key", "hunter-env"),
            ("Authorization", "Bearer hunter-file")
        ]
    );
    let shown = format!(
        "{settings:?} {:?} {upstreams:?}",
        settings.shown_upstreams()
    );
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(
        shown.contains("upstreams.docs.headers.X-Team") && shown.contains("environment: KEY"),
        "{shown}"
    );
}

#[test]
fn what_is_wrong_with_a_server_is_said_with_the_way_out() {
    let url = "url = \"http://h\"\n";
    for (text, said, hint) in [
        (
            "upstreams = 1".to_owned(),
            "a table for each server",
            "[upstreams.docs]",
        ),
        (
            "[upstreams.docs]\n".to_owned() + "ulr = \"x\"",
            "upstreams.docs.ulr",
            "valid keys: url",
        ),
        (
            "[upstreams.\"a b\"]\n".to_owned() + url,
            "'a b' is no name",
            "/mcp/NAME",
        ),
        (
            "[upstreams.docs]\nrequest_timeout = 1".to_owned(),
            "it has no url",
            "add url",
        ),
        (
            format!("[upstreams.docs]\n{url}request_timeout = \"soon\""),
            "upstreams.docs.request_timeout",
            "30s",
        ),
        (
            format!("[upstreams.docs]\n{url}bearer = \"hunter2\""),
            "where the token is kept",
            "env",
        ),
        (
            format!("[upstreams.docs]\n{url}bearer = {{ env = \"GONE\" }}"),
            "GONE is not set",
            "set GONE",
        ),
        (
            format!("[upstreams.docs]\n{url}bearer = {{ file = \"gone\" }}"),
            "cannot be read",
            "make the file",
        ),
        (
            format!("[upstreams.docs]\n{url}headers = {{ Host = \"x\" }}"),
            "belongs to HTTP",
            "take it out",
        ),
        (
            format!("[upstreams.docs]\n{url}headers = {{ \"a b\" = \"x\" }}"),
            "no name of a header",
            "headers =",
        ),
        (
            format!("[upstreams.docs]\n{url}headers = {{ X = \"hunter2\\n\" , x = \"y\" }}"),
            "set twice",
            "capitals",
        ),
        (
            format!("[upstreams.docs]\n{url}tls = {{ cert = \"x\" }}"),
            "unknown key",
            "ca_file",
        ),
        (
            "[upstreams.docs]\nurl = \"http://me:hunter2@h\"".to_owned(),
            "credentials in the URL",
            "take the name",
        ),
        (
            "upstream = [\"docs=http://a\", \"docs=http://b\"]".to_owned(),
            "two servers are named 'docs'",
            "--upstream docs=URL",
        ),
        (
            "upstream = [\"http://a\", \"http://b\"]".to_owned(),
            "two servers are named 'default'",
            "name of its own",
        ),
    ] {
        let error = of_file(&text, &[], Flags::default()).expect_err(&text);
        assert!(error.to_string().contains(said), "{text}: {error}");
        assert!(error.hint().contains(hint), "{text}: {}", error.hint());
        assert!(
            !format!("{error} {error:?} {}", error.hint()).contains("hunter"),
            "{text}"
        );
    }
}

#[test]
fn limits_have_defaults_and_bounds() {
    let settings = resolve(&[("HOME", "/h")], Path::new("/nowhere"), Flags::default());
    let limits = settings
        .and_then(|s| s.serve_options(&none()))
        .expect("defaults")
        .limits;
    assert_eq!((limits.max_head, limits.max_body), (64 << 10, 64 << 20));
    assert_eq!(
        (limits.max_connections, limits.max_streams),
        (20_000, 10_000)
    );
    assert_eq!(limits.keep_alive_timeout, Duration::from_mins(2));
    for (variable, value, said) in [
        ("ARCHONCTL_MAX_HEAD", "12", "out of bounds"),
        ("ARCHONCTL_MAX_BODY", "big", "is no size"),
        ("ARCHONCTL_MAX_CONNECTIONS", "0", "1 or more"),
        ("ARCHONCTL_HEAD_TIMEOUT", "0", "longer than nothing"),
        ("ARCHONCTL_ALLOWED_HOSTS", "https://x", "is no host"),
        ("ARCHONCTL_ALLOWED_ORIGINS", "x.example", "is no origin"),
        ("ARCHONCTL_PUBLIC_URL", "https://x/path", "is no origin"),
    ] {
        let error = refusal(&[(variable, value)]).to_string();
        assert!(error.contains(said), "{variable}={value}: {error}");
    }
}

#[test]
fn models_are_said_by_client_by_server_or_for_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("archonctl.toml");
    let text = "default_model = \"gpt-5\"\nclient_models = [\"Visual Studio Code=gpt-6-sol\", \"Claude=claude-opus-5-5\"]\n\
                max_counted_text = \"4KiB\"\n[upstreams.docs]\nurl = \"http://127.0.0.1:1/mcp\"\nmodel = \"anthropic/claude-sonnet-5-5\"\n";
    std::fs::write(&file, text).expect("written");
    let variables = [
        ("HOME", "/home/me"),
        ("ARCHONCTL_DEFAULT_MODEL", "gpt-5-mini"),
    ];
    let flags = Flags::default().with_all(
        Key::UpstreamModels,
        &["tools=gpt-4.1".to_owned(), "docs=gpt-5-nano".to_owned()],
    );
    let settings = resolve(&variables, dir.path(), flags).expect("layers");
    let cost = settings.cost().expect("models");
    assert_eq!(cost.counted_text, 4 << 10);
    let model = |server, client_type, name| cost.models.model_of(server, client_type, name);
    assert_eq!(
        model("docs", "Unknown", None),
        Some("gpt-5-nano"),
        "the flag"
    );
    assert_eq!(
        model("docs", "VS Code", Some("visual studio code")),
        Some("gpt-6-sol")
    );
    assert_eq!(
        model("docs", "Claude", Some("claude-code")),
        Some("claude-opus-5-5")
    );
    assert_eq!(
        model("other", "Unknown", None),
        Some("gpt-5-mini"),
        "the environment"
    );
    assert_eq!(
        origin_of(&settings, Key::DefaultModel),
        Origin::Environment("ARCHONCTL_DEFAULT_MODEL".to_owned())
    );
    assert_eq!(
        origin_of(&settings, Key::UpstreamModels),
        Origin::Flag("--upstream-models".to_owned())
    );
    assert_eq!(
        origin_of(&settings, Key::ClientModels),
        Origin::ProjectFile(file.clone())
    );
    let shown = settings.shown_upstreams();
    let shown: Vec<_> = shown.iter().map(|s| (&*s.key, &*s.value)).collect();
    assert!(
        shown.contains(&("upstreams.docs.model", "anthropic/claude-sonnet-5-5")),
        "{shown:?}"
    );
    let without = resolve(&variables, dir.path(), Flags::default()).expect("layers");
    let models = without.cost().expect("models").models;
    assert_eq!(
        models.model_of("docs", "", None),
        Some("anthropic/claude-sonnet-5-5")
    );
}

#[test]
fn wrong_models_and_sizes_are_refused_with_the_place() {
    for (variable, value, said) in [
        ("ARCHONCTL_DEFAULT_MODEL", "two words", "is no model"),
        ("ARCHONCTL_CLIENT_MODELS", "Cursor", "has no model"),
        ("ARCHONCTL_UPSTREAM_MODELS", "a=b a=c", "has two models"),
        ("ARCHONCTL_MAX_COUNTED_TEXT", "2MiB", "more than 1MiB"),
        ("ARCHONCTL_MAX_COUNTED_TEXT", "much", "is no size"),
    ] {
        let text = refusal(&[(variable, value)]).to_string();
        assert!(text.contains(said) && text.contains(variable), "{text}");
    }
}
