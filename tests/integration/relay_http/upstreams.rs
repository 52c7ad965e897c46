//! Several servers behind one daemon, their headers, their certificates, and the document that names their URL.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use crate::support::{
    Daemon, Peer, Upstream, eventually, json as query, new_data_dir, sessions_until,
};

use super::{call, post, result};

/// Rule: stored/not-connections
#[test]
fn each_server_has_its_path_its_pool_and_its_sessions() {
    let (docs, tools) = (Upstream::start(), Upstream::start());
    let (_root, data_dir) = new_data_dir();
    let flags = [format!("docs={}", docs.url), format!("tools={}", tools.url)];
    let daemon = Daemon::start(
        &data_dir,
        &[
            "--workers",
            "1",
            "--upstream",
            &flags[0],
            "--upstream",
            &flags[1],
        ],
    );
    let mut client = Peer::connect(&daemon.url);
    let (mut first, mut second) = (None, None);
    for (id, path) in (1..).zip([
        "/mcp",
        "/mcp/docs",
        "/mcp/tools",
        "/mcp/docs/",
        "/mcp/tools",
    ]) {
        client.write(post("", &call(id)).replacen("/mcp", path, 1));
        let (upstream, server) = if path.contains("tools") {
            (&tools, &mut second)
        } else {
            (&docs, &mut first)
        };
        let server = server.get_or_insert_with(|| upstream.accept());
        let (head, _) = server.message().expect("a request");
        assert_eq!(head.start, "POST /mcp HTTP/1.1", "{path}");
        server.write(result(id));
        assert_eq!(client.message().expect("an answer").0.status(), 200);
    }
    client.write(post("", &call(9)).replacen("/mcp", "/mcp/nobody", 1));
    assert_eq!(client.message().expect("an answer").0.status(), 404);
    let sessions = sessions_until(&data_dir, "both sessions", |sessions| sessions.len() == 2);
    let mut servers: Vec<_> = sessions
        .iter()
        .map(|session| session["server"].to_string())
        .collect();
    servers.sort();
    assert!(
        servers[0].contains("docs") && servers[1].contains("tools"),
        "{servers:?}"
    );
    client.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (_, body) = client.message().expect("health");
    let health: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let names: Vec<_> = health["health"]["upstreams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["docs", "tools"]);
}

#[test]
fn headers_of_the_settings_stand_in_for_the_clients() {
    let upstream = Upstream::start();
    let (root, data_dir) = new_data_dir();
    let config = root.path().join("xdg/archonctl");
    std::fs::create_dir_all(&config).expect("a folder");
    std::fs::write(config.join("key"), "from-file\n").expect("a file");
    let text = format!(
        "[upstreams.docs]\nurl = \"{}\"\nheaders = {{ X-Team = \"ours\" }}\nbearer = {{ file = \"key\" }}\n",
        upstream.url
    );
    std::fs::write(config.join("config.toml"), text).expect("a file");
    let xdg = root.path().join("xdg");
    let daemon = Daemon::start_with(
        &data_dir,
        &[],
        &[("XDG_CONFIG_HOME", xdg.to_str().expect("UTF-8"))],
    );
    let mut client = Peer::connect(&daemon.url);
    client.write(post(
        "authorization: Bearer client\r\nx-team: theirs\r\nX-Other: 1\r\n",
        &call(1),
    ));
    let mut server = upstream.accept();
    let (head, _) = server.message().expect("a request");
    let values = |name: &str| -> Vec<_> {
        head.headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    };
    assert_eq!(values("authorization"), ["Bearer from-file"]);
    assert_eq!(values("x-team"), ["ours"]);
    assert_eq!(values("x-other"), ["1"]);
}

/// Rule: transparency/resource-metadata
#[test]
fn only_the_servers_own_url_is_rewritten_in_its_metadata() {
    let upstream = Upstream::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(
        &data_dir,
        &["--upstream", &format!("docs={}", upstream.url)],
    );
    let known = "/.well-known/oauth-protected-resource";
    let mut client = Peer::connect(&daemon.url);
    client.write(
        post("", &call(1))
            .replacen("/mcp", "/mcp/docs", 1)
            .replace("Host: localhost", "Host: localhost:9"),
    );
    let mut server = upstream.accept();
    server.message().expect("a request");
    let origin = upstream.url.trim_end_matches("/mcp");
    server.write(format!("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\", resource_metadata=\"{origin}{known}/mcp\"\r\nContent-Length: 0\r\n\r\n"));
    let (head, _) = client.message().expect("an answer");
    let told =
        format!("Bearer realm=\"x\", resource_metadata=\"http://localhost:9{known}/mcp/docs\"");
    assert_eq!(
        (head.status(), head.header("www-authenticate")),
        (401, Some(&*told))
    );
    for chunked in [false, true] {
        client.write(format!(
            "GET {known}/mcp/docs HTTP/1.1\r\nHost: localhost:9\r\nAccept-Encoding: gzip\r\n\r\n"
        ));
        let (head, _) = server.message().expect("a request");
        assert_eq!(head.start, format!("GET {known}/mcp HTTP/1.1"));
        assert_eq!(head.header("accept-encoding"), Some("identity"));
        let document = format!(
            "{{ \"resource\":\"{origin}/mcp\", \"authorization_servers\": [\"{origin}/as\"], \"x\":1.0}}"
        );
        let length = document.len();
        if chunked {
            server.write(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{document}\r\n0\r\n\r\n"));
        } else {
            server.write(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{document}"
            ));
        }
        let (_, body) = client.message().expect("an answer");
        let ours = document.replace(&format!("{origin}/mcp"), "http://localhost:9/mcp/docs");
        assert_eq!(String::from_utf8_lossy(&body), ours);
    }
    // Nothing else is.
    client.write(
        "GET /.well-known/oauth-authorization-server/mcp/docs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    let (head, _) = server.message().expect("a request");
    assert_eq!(
        head.start,
        "GET /.well-known/oauth-authorization-server/mcp HTTP/1.1"
    );
    let document = format!("{{\"resource\":\"{origin}\"}}");
    server.write(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{document}",
        document.len()
    ));
    assert_eq!(client.message().expect("an answer").1, document.as_bytes());
}

/// An authority of our own, and its certificate as PEM.
fn authority() -> (rcgen::Issuer<'static, rcgen::KeyPair>, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("a certificate").pem();
    (rcgen::Issuer::new(params, key), pem)
}

/// A certificate for `name`.
fn signed(
    by: &(rcgen::Issuer<'static, rcgen::KeyPair>, String),
    name: &str,
) -> rcgen::CertifiedKey<rcgen::KeyPair> {
    let signing_key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let cert = params
        .signed_by(&signing_key, &by.0)
        .expect("a certificate");
    rcgen::CertifiedKey { cert, signing_key }
}

/// A server behind TLS that answers every request with a result; gives its port.
fn tls_server(certificate: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    let key = rustls::pki_types::PrivateKeyDer::try_from(certificate.signing_key.serialize_der())
        .expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)
        .expect("a certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let config = config.clone();
            std::thread::spawn(move || {
                let session = rustls::ServerConnection::new(config).expect("a session");
                let mut stream = BufReader::new(rustls::StreamOwned::new(session, stream));
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|count| count > 0) {
                    // The body is the last line and has no end: the id in it is not looked at.
                    if line == "\r\n" && stream.get_mut().write_all(result(1).as_bytes()).is_err() {
                        break;
                    }
                    line.clear();
                }
            });
        }
    });
    port
}

#[test]
fn a_server_behind_tls_is_reached_if_its_certificate_is_trusted() {
    let (ours, theirs) = (authority(), authority());
    let good = signed(&ours, "localhost");
    let other = signed(&ours, "other.example");
    let stranger = signed(&theirs, "localhost");
    let (root, data_dir) = new_data_dir();
    let file = root.path().join("ca.pem");
    std::fs::write(&file, &ours.1).expect("a file");
    let config = root.path().join("xdg/archonctl");
    std::fs::create_dir_all(&config).expect("a folder");
    let mut text = String::new();
    for (name, server) in [("good", &good), ("named", &other), ("stranger", &stranger)] {
        let port = tls_server(server);
        let table = format!(
            "[upstreams.{name}]\nurl = \"https://localhost:{port}/mcp\"\ntls = {{ ca_file = \"{}\" }}\n",
            file.display()
        );
        text.push_str(&table);
    }
    std::fs::write(config.join("config.toml"), text).expect("a file");
    let xdg = root.path().join("xdg");
    let daemon = Daemon::start_with(
        &data_dir,
        &[],
        &[("XDG_CONFIG_HOME", xdg.to_str().expect("UTF-8"))],
    );
    for (name, status, said) in [
        ("good", 200, "result"),
        ("named", 502, "it is for another name"),
        (
            "stranger",
            502,
            "nobody that is trusted here has signed it; name its issuer with tls.ca_file",
        ),
    ] {
        let mut client = Peer::connect(&daemon.url);
        client.write(post("", &call(1)).replacen("/mcp", &format!("/mcp/{name}"), 1));
        let (head, body) = client.message().expect("an answer");
        let body = String::from_utf8_lossy(&body);
        assert_eq!(head.status(), status, "{name}: {body}");
        assert!(body.contains(said), "{name}: {body}");
    }
    daemon.logged("nobody that is trusted here has signed it");
}

#[test]
fn a_server_that_closes_idle_connections_costs_no_call() {
    let node = r"
        const server = require('http').createServer((request, answer) => {
            let body = ''; request.on('data', d => body += d);
            request.on('end', () => { answer.setHeader('content-type', 'application/json');
                answer.end(JSON.stringify({jsonrpc: '2.0', id: JSON.parse(body).id, result: {content: []}})); });
        });
        server.keepAliveTimeout = 5000;
        server.listen(0, '127.0.0.1', () => console.log(server.address().port));
        process.stdin.on('data', () => { server.closeIdleConnections(); console.log('closed'); });
        process.stdin.on('end', () => process.exit());";
    let mut child = std::process::Command::new("node")
        .args(["-e", node])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node starts");
    let mut command = child.stdin.take().expect("piped");
    let mut said = BufReader::new(child.stdout.take().expect("piped")).lines();
    let port = said.next().expect("a line").expect("a port");
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(
        &data_dir,
        &[
            "--workers",
            "1",
            "--upstream",
            &format!("http://127.0.0.1:{port}/mcp"),
        ],
    );
    let mut client = Peer::connect(&daemon.url);
    for id in 1..=50 {
        client.write(post("", &call(id)));
        let (head, body) = client.message().expect("an answer");
        assert_eq!((head.status(), super::id_of(&body)), (200, id.into()));
        if id % 2 == 0 {
            // What the end of the five seconds does, without waiting for it; the next call races with it.
            command.write_all(b"close\n").expect("written");
            if id % 4 == 0 {
                said.next().expect("a line").expect("closed");
            }
        }
    }
    drop(command);
    child.wait().expect("it ends");
    eventually("every call", || {
        let sessions = query(&data_dir, &["sessions", "list"]);
        sessions.to_string().contains("50").then_some(())
    });
}
