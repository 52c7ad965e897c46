//! Bodies larger than any buffer, sides slower than the other, many connections.

use std::io::Write;

use crate::support::{Peer, sessions_until};

use super::{Relay, answer_call, call, id_of, one_call, post, result};

const MIB: usize = 1 << 20;

/// More than all sockets on the way hold together.
const LARGE: usize = 40 * MIB;

/// Without counting, so that nothing else takes memory; and with it, where beginnings of texts are kept.
const SETTINGS: [&[&str]; 2] = [&["--max-counted-text", "0"], &[]];

fn large_post(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// The memory of the daemon at its peak, in bytes; `None` where the system does not tell.
fn peak(relay: &Relay) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", relay.daemon.pid())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Starts a relay that has counted a call, if it counts any: the vocabulary that is loaded for the first one takes more
/// memory than all bodies may. Its peak is measured from here on.
fn counting_already(settings: &[&str]) -> Relay {
    let relay = Relay::start(settings);
    if settings.is_empty() {
        let mut client = relay.client();
        client.write(post("", &call(1)));
        let mut server = relay.upstream.accept();
        answer_call(&mut client, &mut server, 1);
        sessions_until(&relay.data_dir, "the call in the store", |sessions| {
            sessions
                .iter()
                .any(|session| session["total_requests"] == 1)
        });
        // Where the system has no such file it tells no peak either.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", relay.daemon.pid()), "5");
    }
    relay
}

/// Rule: transparency/no-whole-bodies
#[test]
fn a_large_body_streams_to_a_slow_server_in_bounded_memory() {
    for settings in SETTINGS {
        large_bodies(&counting_already(settings));
    }
}

fn large_bodies(relay: &Relay) {
    let before = peak(relay);
    for (path, coded) in [("/mcp", false), ("/else", false), ("/mcp", true)] {
        let mut client = relay.client();
        let data = vec![b'x'; LARGE / 2];
        if coded {
            client.write(format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{LARGE:x}\r\n"));
        } else {
            client.write(large_post(path, LARGE));
        }
        client.write(&data[..5]);
        let mut server = relay.upstream.accept();
        let head = server.head().expect("a head");
        if coded {
            server
                .exactly(format!("{LARGE:x}\r\n").len())
                .expect("a size");
        }
        // The beginning is there before the client has sent the end.
        assert_eq!(server.exactly(5).expect("the beginning"), b"xxxxx");
        assert!(head.start.contains(path));
        let mut writer = client.writer();
        let end = if coded { "\r\n0\r\nA: b\r\n\r\n" } else { "" };
        let sending = std::thread::spawn(move || {
            for part in [&data[5..], &data, end.as_bytes()] {
                writer.write_all(part).expect("written");
            }
        });
        // All that the sockets hold is written before the server reads on.
        let mut left = LARGE - 5;
        while left > 0 {
            let count = left.min(100_000);
            assert!(
                server
                    .exactly(count)
                    .expect("more")
                    .iter()
                    .all(|byte| *byte == b'x')
            );
            left -= count;
        }
        assert_eq!(server.exactly(end.len()).expect("the end"), end.as_bytes());
        sending.join().expect("all sent");
        server.write(result(1));
        assert_eq!(client.message().expect("an answer").0.status(), 200);
        // Both connections go on with the next request.
        one_call(&mut client, &mut server, 2);
    }
    if let (Some(before), Some(after)) = (before, peak(relay)) {
        assert!(after - before < 8 * MIB, "{} KiB", (after - before) >> 10);
    }
}

#[test]
fn the_end_of_a_body_reaches_a_server_that_reads_only_then() {
    let relay = Relay::start(&[]);
    let (mut client, mut small) = (relay.client(), relay.client());
    // Grows until nothing more fits: then the last piece waits in the relay.
    for length in [MIB, 3 * MIB, 5 * MIB, 7 * MIB, 9 * MIB] {
        client.write(large_post("/mcp", length));
        let mut writer = client.writer();
        let sending = std::thread::spawn(move || writer.write_all(&vec![b'y'; length]));
        let mut server = relay.upstream.accept();
        let head = server.head().expect("a head");
        // Another client is served meanwhile: the worker is not held up.
        small.write(post("", &call(1)));
        let mut other = relay.upstream.accept();
        answer_call(&mut small, &mut other, 1);
        drop(other);
        assert_eq!(server.body(&head).expect("all of it").0.len(), length);
        sending.join().expect("no panic").expect("all sent");
        server.write(result(2));
        assert_eq!(client.message().expect("an answer").0.status(), 200);
        drop(server);
    }
}

#[test]
fn a_large_answer_streams_to_a_slow_client_in_bounded_memory() {
    for settings in SETTINGS {
        large_answers(&counting_already(settings));
    }
}

fn large_answers(relay: &Relay) {
    let before = peak(relay);
    for chunked in [false, true] {
        let mut client = relay.client();
        client.write(post("", &call(1)));
        let mut server = relay.upstream.accept();
        server.message().expect("a request");
        let framing = if chunked {
            "Transfer-Encoding: chunked".to_owned()
        } else {
            format!("Content-Length: {LARGE}")
        };
        server.write(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{framing}\r\n\r\n"
        ));
        let mut writer = server.writer();
        let sending = std::thread::spawn(move || {
            let piece = vec![b'z'; MIB];
            for _ in 0..LARGE / MIB {
                if chunked {
                    writer
                        .write_all(format!("{MIB:x}\r\n").as_bytes())
                        .expect("written");
                }
                writer.write_all(&piece).expect("written");
                if chunked {
                    writer.write_all(b"\r\n").expect("written");
                }
            }
            writer
                .write_all(if chunked { b"0\r\n\r\n" } else { b"" })
                .expect("written");
        });
        let (_, body) = client.message().expect("an answer");
        sending.join().expect("all sent");
        assert!(body.len() == LARGE && body.iter().all(|byte| *byte == b'z'));
        one_call(&mut client, &mut server, 2);
        drop(server);
    }
    if let (Some(before), Some(after)) = (before, peak(relay)) {
        assert!(after - before < 8 * MIB, "{} KiB", (after - before) >> 10);
    }
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let relay = Relay::start(&[]);
    // The server closes with the body unread, which resets its connection, or leaves it open and reads no more.
    for closes in [true, false, true, false] {
        let mut client = relay.client();
        client.write(large_post("/mcp", LARGE));
        client.write(vec![b'x'; 300_000]);
        let mut server = relay.upstream.accept();
        server.head().expect("a head");
        server.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        let open = if closes {
            drop(server);
            None
        } else {
            Some(server)
        };
        let (head, body) = client.message().expect("an answer");
        assert_eq!((head.status(), body.as_slice()), (413, &b"big"[..]));
        assert_eq!(head.header("connection"), Some("close"));
        // It goes on sending for a while: that goes nowhere, least of all into a request.
        let _ = client.try_write(post("", &call(9)));
        client.end();
        assert!(client.is_closed());
        drop(open);
        assert!(relay.upstream.is_quiet());
    }
    let mut client = relay.client();
    client.write(post("", &call(1)));
    answer_call(&mut client, &mut relay.upstream.accept(), 1);
}

#[test]
fn a_large_early_answer_does_not_stop_the_request_on_its_way() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(large_post("/mcp", LARGE));
    let mut server = relay.upstream.accept();
    let head = server.head().expect("a head");
    let mut writer = server.writer();
    // The server answers before it reads, the client reads only once it has sent everything.
    let answering = std::thread::spawn(move || {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
        writer
            .write_all(head.as_bytes())
            .and_then(|()| writer.write_all(&vec![b'a'; LARGE]))
    });
    let reading = std::thread::spawn(move || server.body(&head).expect("the request").0.len());
    client.write(vec![b'q'; LARGE]);
    assert_eq!(reading.join().expect("read"), LARGE);
    assert_eq!(client.message().expect("an answer").1.len(), LARGE);
    answering.join().expect("no panic").expect("written");
}

#[test]
fn five_hundred_idle_connections_all_answer() {
    const MANY: u32 = 500;
    let Relay {
        daemon,
        upstream,
        data_dir,
        _root,
    } = Relay::start(&[]);
    upstream.each(|mut server| {
        while let Ok((_, body)) = server.message() {
            let id = id_of(&body)
                .as_u64()
                .and_then(|id| u32::try_from(id).ok())
                .expect("an id");
            server.write(result(id));
        }
    });
    let mut clients: Vec<Peer> = (0..MANY).map(|_| Peer::connect(&daemon.url)).collect();
    for _ in 0..2 {
        for (client, id) in clients.iter_mut().zip(1..) {
            client.write(post("", &call(id)));
        }
        for (client, id) in clients.iter_mut().zip(1_u32..) {
            let (_, body) = client.message().expect("an answer");
            assert_eq!(id_of(&body), id);
        }
    }
    let all = |sessions: &[serde_json::Value]| {
        let total: u64 = sessions
            .iter()
            .filter_map(|session| session["total_requests"].as_u64())
            .sum();
        total == u64::from(2 * MANY)
    };
    sessions_until(&data_dir, "every call", all);
}
