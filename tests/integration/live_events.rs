//! Live events of running daemons: what a real client does is told in order, readers go on where they were, daemons on one
//! store tell the same, and nobody waits for a reader.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::postgres::{Version, plain};
use crate::support::{
    Client, Daemon, Driver, Everything, HttpMessage, eventually, new_data_dir, send,
};

/// One event.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

impl Event {
    fn session(&self) -> &str {
        let id = self.data["session"]["session_id"].as_str();
        id.expect("a session")
    }

    /// What it tells in a few words.
    fn words(&self) -> String {
        let more = match self.name.as_str() {
            "operation_finished" => {
                let request = &self.data["request"];
                let tool = request["tool_name"].as_str();
                tool.or(request["method"].as_str()).unwrap_or_default()
            }
            "session_closed" => self.data["disconnect_reason"].as_str().unwrap_or_default(),
            _ => "",
        };
        format!("{} {more}", self.name).trim_end().to_owned()
    }
}

/// A part of a stream.
enum Block {
    Event(Box<Event>),
    /// A comment, or an id alone.
    Other,
    End,
}

/// A stream of events that is read as it comes.
struct Stream {
    message: HttpMessage,
    text: String,
    /// The last id that it gave, with an event or without.
    last: String,
}

impl Stream {
    fn open(daemon: &Daemon, query: &str, last: Option<&str>) -> Self {
        let url = format!("{}/api/mcp/events?{query}", daemon.api);
        let last = last.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        let message = send(&url, "GET", &last, b"").expect("answered");
        assert_eq!(message.status(), 200);
        assert_eq!(message.header("content-type"), Some("text/event-stream"));
        let mut stream = Self {
            message,
            text: String::new(),
            last: String::new(),
        };
        // It is there, and has a place, before anything happens.
        while stream.last.is_empty() {
            assert!(matches!(stream.block(), Block::Other));
        }
        stream
    }

    /// The next block.
    fn block(&mut self) -> Block {
        while !self.text.contains("\n\n") {
            let Some(chunk) = self.message.chunk().expect("read") else {
                return Block::End;
            };
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
        let (block, rest) = self.text.split_once("\n\n").expect("a block");
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(": ")
                    .map(str::to_owned)
            })
        };
        let (id, name, data) = (field("id"), field("event"), field("data"));
        self.text = rest.to_owned();
        if let Some(id) = &id {
            self.last.clone_from(id);
        }
        let Some(data) = data else {
            return Block::Other;
        };
        Block::Event(Box::new(Event {
            id: id.expect("an id"),
            name: name.expect("a name"),
            data: serde_json::from_str(&data).expect("JSON"),
        }))
    }

    /// The next event; `None` at the end.
    fn event(&mut self) -> Option<Event> {
        loop {
            match self.block() {
                Block::Event(event) => return Some(*event),
                Block::Other => {}
                Block::End => return None,
            }
        }
    }

    /// Events up to the first for which `last` holds.
    fn until(&mut self, last: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.event();
            events.push(event.unwrap_or_else(|| panic!("it ended: {events:?}")));
            if events.last().is_some_and(&last) {
                return events;
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<Event> {
        (0..count)
            .map(|_| self.event().expect("an event"))
            .collect()
    }

    /// Everything to the end.
    fn rest(mut self) -> Vec<Event> {
        std::iter::from_fn(move || self.event()).collect()
    }
}

/// Everything that is kept behind `last`.
fn everything(daemon: &Daemon, last: &str) -> Vec<Event> {
    Stream::open(daemon, "seconds=0", Some(last)).rest()
}

fn words(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::words).collect()
}

fn post(api: &str, path: &str, body: &Value) -> Value {
    let url = format!("{api}/api/mcp/sessions{path}");
    let kind = "content-type: application/json\r\n";
    let mut answer = send(&url, "POST", kind, body.to_string().as_bytes()).expect("answered");
    let status = answer.status();
    let body = answer.body().expect("a body");
    assert!(status < 300, "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_default()
}

fn open_session(api: &str) -> String {
    let opened = post(api, "", &json!({"client_info": {"name": "cursor"}}));
    opened["session_id"].as_str().expect("an id").to_owned()
}

fn report(api: &str, session: &str, tools: &[&str]) {
    let requests: Vec<Value> = tools
        .iter()
        .map(|tool| json!({"method": "tools/call", "tool_name": tool, "duration_ms": 1}))
        .collect();
    post(api, &format!("/{session}/requests"), &json!(requests));
}

/// A real client at a real server, from its first request to its end.
fn a_real_client_is_told(database: Option<&str>) {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let mut arguments = vec!["--upstream", server.url.as_str(), "--migrate"];
    if let Some(url) = database {
        arguments.extend(["--database-url", url]);
    }
    let daemon = Daemon::start(&data_dir, &arguments);
    let mut stream = Stream::open(&daemon, "", None);
    let before = stream.last.clone();
    Client::run(Driver::TsLegacy, &daemon.url, "polite", &[]);
    let events = stream.until(|event| event.name == "session_closed");
    let said = words(&events);
    assert_eq!(said[0], "session_opened", "{said:?}");
    assert_eq!(said[1], "operation_finished initialize", "{said:?}");
    assert!(
        said.contains(&"operation_finished tools/list".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"operation_finished echo".to_owned()),
        "{said:?}"
    );
    assert_eq!(said[said.len() - 1], "session_closed client_disconnect");
    let first = &events[0];
    assert_eq!(
        first.data["session"]["client_name"],
        Driver::TsLegacy.name()
    );
    assert!(
        events
            .iter()
            .all(|event| event.session() == first.session())
    );
    let last = &events[events.len() - 1];
    assert!(last.data["total_duration"].is_i64());
    assert!(last.data["at"].as_str() >= first.data["at"].as_str());
    // What was told live is what the store tells to whoever comes later.
    assert_eq!(everything(&daemon, &before), events);
    // A stream that is open does not hold up a stop.
    let began = std::time::Instant::now();
    daemon.stop();
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(stream.event(), None);
}

#[test]
fn a_real_client_is_told_from_its_first_request_to_its_end() {
    a_real_client_is_told(None);
}

#[test]
fn a_real_client_is_told_with_postgresql() {
    for version in [Version::V13, Version::V17] {
        let database = plain(version).fresh_database();
        a_real_client_is_told(Some(&database.url()));
    }
}

/// A reader that was away while the daemon stopped and another one started.
fn a_reader_goes_on(data_dir: &Path, arguments: &[&str]) {
    let daemon = Daemon::start(data_dir, arguments);
    let mut stream = Stream::open(&daemon, "", None);
    let before = stream.last.clone();
    let session = open_session(&daemon.api);
    report(&daemon.api, &session, &["a", "b", "c"]);
    let seen = stream.take(2);
    assert_eq!(words(&seen), ["session_opened", "operation_finished a"]);
    drop(stream);
    report(&daemon.api, &session, &["d"]);
    daemon.stop();

    let daemon = Daemon::start(data_dir, arguments);
    let other = open_session(&daemon.api);
    report(&daemon.api, &other, &["e"]);
    let mut stream = Stream::open(&daemon, "", Some(&seen[1].id));
    let missed = stream.until(|event| event.words() == "operation_finished e");
    let expected = [
        "operation_finished b",
        "operation_finished c",
        "operation_finished d",
        "session_closed server_shutdown",
        "session_opened",
        "operation_finished e",
    ];
    assert_eq!(words(&missed), expected);
    // And on, live.
    post(&daemon.api, &format!("/{other}/close"), &json!({}));
    let closed = stream.event().expect("an event");
    assert_eq!(closed.words(), "session_closed client_disconnect");
    let all = everything(&daemon, &before);
    assert_eq!(all, [seen, missed, vec![closed]].concat());

    // Killed in the middle: the next one takes its journal in, and tells of it.
    let third = open_session(&daemon.api);
    let opened = stream.event().expect("an event");
    assert_eq!(opened.session(), third);
    report(&daemon.api, &third, &["f"]);
    daemon.kill();
    let daemon = Daemon::start(data_dir, arguments);
    let mut stream = Stream::open(&daemon, "", Some(&opened.id));
    let f = stream.event().expect("an event");
    assert_eq!(f.words(), "operation_finished f");
    daemon.stop();
}

#[test]
fn a_reader_goes_on_behind_a_restart_and_a_crash_without_a_gap() {
    let (_root, data_dir) = new_data_dir();
    a_reader_goes_on(&data_dir, &[]);
}

#[test]
fn a_reader_goes_on_with_postgresql() {
    for version in [Version::V13, Version::V17] {
        let database = plain(version).fresh_database();
        let (_root, data_dir) = new_data_dir();
        a_reader_goes_on(&data_dir, &["--migrate", "--database-url", &database.url()]);
    }
}

#[test]
fn daemons_on_one_store_tell_the_same_and_each_event_once() {
    let database = plain(Version::V17).fresh_database();
    let url = database.url();
    let places = [new_data_dir(), new_data_dir()];
    let daemons: Vec<Daemon> = places
        .iter()
        .map(|(_, dir)| Daemon::start(dir, &["--migrate", "--database-url", &url]))
        .collect();
    let mut streams: Vec<Stream> = daemons
        .iter()
        .map(|daemon| Stream::open(daemon, "", None))
        .collect();
    let start = streams[0].last.clone();
    // Both write at once.
    std::thread::scope(|scope| {
        for daemon in &daemons {
            let api = daemon.api.as_str();
            scope.spawn(move || {
                let session = open_session(api);
                for n in 0..40 {
                    report(api, &session, &[&format!("tool-{n}"), "again"]);
                }
                post(api, &format!("/{session}/close"), &json!({}));
            });
        }
    });
    let count = 2 * (1 + 80 + 1);
    let told: Vec<Vec<Event>> = streams
        .iter_mut()
        .map(|stream| stream.take(count))
        .collect();
    assert_eq!(told[0], told[1]);
    let mut ids: Vec<&String> = told[0].iter().map(|event| &event.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for daemon in &daemons {
        assert_eq!(everything(daemon, &start), told[0]);
    }
    // Of each session in the order in which it happened.
    let sessions: Vec<&str> = told[0]
        .iter()
        .filter(|event| event.name == "session_opened")
        .map(Event::session)
        .collect();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let own: Vec<Event> = told[0]
            .iter()
            .filter(|event| event.session() == session)
            .cloned()
            .collect();
        let said = words(&own);
        assert_eq!(said[0], "session_opened");
        assert_eq!(said[said.len() - 1], "session_closed client_disconnect");
        let tools: Vec<&String> = said.iter().filter(|said| said.contains("tool-")).collect();
        let expected: Vec<String> = (0..40)
            .map(|n| format!("operation_finished tool-{n}"))
            .collect();
        assert_eq!(tools, expected.iter().collect::<Vec<_>>());
    }
    for daemon in daemons {
        daemon.stop();
    }
}

#[test]
fn who_does_not_read_is_cut_off_and_nobody_waits() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--write-timeout", "1s"]);
    let mut idle = Stream::open(&daemon, "", None);
    let mut reader = Stream::open(&daemon, "types=operation_finished", None);
    let session = open_session(&daemon.api);
    let tools: Vec<String> = (0..1_000)
        .map(|n| format!("{n}-{}", "x".repeat(200)))
        .collect();
    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
    // More than what the system keeps for a connection.
    let (rounds, all) = (30, 30_000);
    let counted = std::thread::scope(|scope| {
        let counting = scope.spawn(|| reader.take(all).len());
        for _ in 0..rounds {
            report(&daemon.api, &session, &tools);
        }
        counting.join().expect("all of them")
    });
    assert_eq!(counted, all);
    // The one that did not read gets what was on its way, and no more.
    let mut left = Vec::new();
    eventually("the end of the connection", || {
        let mut piece = vec![0; 65_536];
        loop {
            match idle.message.stream().read(&mut piece) {
                Ok(0) | Err(_) => return Some(()),
                Ok(n) => left.extend_from_slice(&piece[..n]),
            }
        }
    });
    let text = String::from_utf8_lossy(&left);
    let got = text.matches("\ndata: ").count();
    assert!(got < all, "{got}");
    // And goes on from where it was.
    let complete = text.rfind("\n\n").unwrap_or(0);
    let last = text[..complete].rfind("\nid: ").map(|at| &text[at + 5..]);
    let last = last.and_then(|rest| rest.lines().next()).expect("an id");
    let rest = everything(&daemon, last);
    let mut places = text[..complete].matches("\nid: ").count();
    places -= usize::from(text.starts_with(": still"));
    assert!(
        rest.len() + got > all,
        "{} and {got} ({places})",
        rest.len()
    );
    daemon.stop();
}
