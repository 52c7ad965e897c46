//! Random requests and answers, in random framings and pieces: all of them must come through unchanged.

use std::sync::mpsc::channel;

use crate::support::{Fields, Head, Peer};

use super::Relay;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    /// A number below `end` of a random magnitude: small ones are as likely as large ones.
    fn magnitude(&mut self, end: usize) -> usize {
        let bits = self.below(end.ilog2() as usize + 2);
        self.below(end) & ((1 << bits) - 1)
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A message as one side sends it.
#[derive(Debug)]
struct Sent {
    wire: Vec<u8>,
    /// What must come through of the head, in this order; names in lower case.
    fields: Fields,
    body: Vec<u8>,
    trailers: Fields,
}

fn odd_case(name: &str, random: &mut Random) -> String {
    let odd = |letter: char| {
        if random.one_in(2) {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    name.chars().map(odd).collect()
}

fn field(random: &mut Random) -> (String, Vec<u8>) {
    let names = [
        "accept",
        "cookie",
        "set-cookie",
        "x-a",
        "x_b",
        "traceparent",
        "te-x",
        "trailer",
        "warning",
    ];
    let values: [&[u8]; 6] = [
        b"",
        b"a",
        b"a, b;c=\"d\"",
        b"caf\xc3\xa9 \xff",
        b"a  b\tc",
        b"0123456789012345678901234567890123456789",
    ];
    (
        names[random.below(names.len())].to_owned(),
        values[random.below(values.len())].to_vec(),
    )
}

fn write_field(name: &str, value: &[u8], wire: &mut Vec<u8>) {
    wire.extend_from_slice(name.as_bytes());
    wire.extend_from_slice(b": ");
    wire.extend_from_slice(value);
    wire.extend_from_slice(b"\r\n");
}

/// A message that begins with `start` and the headers `own`, which need not come through.
fn message(start: &str, own: &str, kept: &[(&str, &str)], random: &mut Random) -> Sent {
    let mut wire = format!("{start}\r\n{own}").into_bytes();
    let mut fields = Fields::new();
    for (name, value) in kept {
        fields.push(((*name).to_owned(), value.as_bytes().to_vec()));
    }
    for _ in 0..random.below(6) {
        fields.push(field(random));
    }
    let length = random.magnitude(200 << 10);
    let body = random.bytes(length);
    let chunked = random.one_in(2);
    if !chunked {
        let at = random.below(fields.len() + 1);
        let length = body.len().to_string().into_bytes();
        fields.insert(at, ("content-length".to_owned(), length));
    }
    for (name, value) in &fields {
        write_field(&odd_case(name, random), value, &mut wire);
    }
    let mut trailers = Fields::new();
    if chunked {
        write_field("transfer-encoding", b"Chunked", &mut wire);
        wire.extend_from_slice(b"\r\n");
        let mut rest = body.as_slice();
        while !rest.is_empty() {
            let size = (1 + random.magnitude(70_000)).min(rest.len());
            let extension = [";a", ";a=b", " ; a=\"b c\"", "", "", ""][random.below(6)];
            wire.extend_from_slice(format!("{size:x}{extension}\r\n").as_bytes());
            wire.extend_from_slice(&rest[..size]);
            wire.extend_from_slice(b"\r\n");
            rest = &rest[size..];
        }
        wire.extend_from_slice(b"0\r\n");
        if random.one_in(3) {
            trailers = (0..=random.below(3)).map(|_| field(random)).collect();
        }
        for (name, value) in &trailers {
            write_field(name, value, &mut wire);
        }
    } else {
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(&body);
        return Sent {
            wire,
            fields,
            body,
            trailers,
        };
    }
    wire.extend_from_slice(b"\r\n");
    Sent {
        wire,
        fields,
        body,
        trailers,
    }
}

/// The request and the answer of case `number`.
fn case(seed: u64, number: usize) -> (Sent, Sent, Random) {
    let mut random = Random(seed ^ (number as u64) << 32);
    let target = ["/mcp", "/mcp?x=1", "/else/where"][random.below(3)];
    let text = number.to_string();
    let kind = [
        ("content-type", "application/json"),
        ("content-type", "text/event-stream"),
    ];
    let request = message(
        &format!("POST {target} HTTP/1.1"),
        "Host: localhost\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n",
        &[("x-case", &text), kind[0]],
        &mut random,
    );
    let answer = message(
        "HTTP/1.1 200 Quite Fine",
        "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n",
        &[("x-case", &text), kind[random.below(2)]],
        &mut random,
    );
    (request, answer, random)
}

/// Writes `bytes` in random pieces.
fn write_pieces(peer: &mut Peer, bytes: &[u8], random: &mut Random) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // Not too many: a write is a packet.
        let least = bytes.len() / 40;
        let size = (1 + least + random.magnitude(30_000)).min(rest.len());
        peer.write(&rest[..size]);
        rest = &rest[size..];
    }
}

/// What differs between what was sent and what came.
fn difference(sent: &Sent, head: &Head, body: &[u8], trailers: &Fields) -> Option<String> {
    let own = [
        "host",
        "transfer-encoding",
        "connection",
        "x-archon-session-id",
    ];
    let came: Fields = head
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .cloned()
        .collect();
    if came != sent.fields {
        return Some(format!("headers {:?} came as {came:?}", sent.fields));
    }
    if body != sent.body {
        let (sent, came) = (sent.body.len(), body.len());
        return Some(format!("a body of {sent} bytes came as {came} other bytes"));
    }
    (*trailers != sent.trailers)
        .then(|| format!("trailers {:?} came as {trailers:?}", sent.trailers))
}

/// Rule: transparency/as-they-are, transparency/hop-by-hop
#[test]
fn everything_comes_through_unchanged() {
    const CASES: usize = 1_200;
    const SEED: u64 = 20_260_728;
    let Relay {
        daemon,
        upstream,
        _root,
        ..
    } = Relay::start(&[]);
    let (told, wrong) = channel();
    upstream.each(move |mut server| {
        while let Ok(head) = server.head() {
            let Ok((body, trailers)) = server.body(&head) else {
                return;
            };
            let number = head
                .header("x-case")
                .expect("a number")
                .parse()
                .expect("a number");
            let (request, answer, mut random) = case(SEED, number);
            if let Some(difference) = difference(&request, &head, &body, &trailers) {
                let _ = told.send(format!("request {number}: {difference}"));
            }
            write_pieces(&mut server, &answer.wire, &mut random);
        }
    });
    let numbers: Vec<usize> = (0..CASES).collect();
    std::thread::scope(|scope| {
        for lane in numbers.chunks(CASES / 4) {
            let url = &daemon.url;
            scope.spawn(move || {
                let mut lengths = Random(lane[0] as u64);
                let mut lane = lane;
                while !lane.is_empty() {
                    let (now, later) = lane.split_at((1 + lengths.below(8)).min(lane.len()));
                    let mut client = Peer::connect(url);
                    for number in now {
                        let (request, answer, mut random) = case(SEED, *number);
                        write_pieces(&mut client, &request.wire, &mut random);
                        let head = client.head().unwrap_or_else(|error| {
                            panic!("seed {SEED}, answer {number}: {error}")
                        });
                        let (body, trailers) = client.body(&head).unwrap_or_else(|error| {
                            panic!("seed {SEED}, answer {number}: {error}")
                        });
                        let difference = difference(&answer, &head, &body, &trailers);
                        assert_eq!(difference, None, "seed {SEED}, answer {number}");
                        assert_eq!(head.start, "HTTP/1.1 200 Quite Fine");
                    }
                    lane = later;
                }
            });
        }
    });
    assert_eq!(wrong.try_recv().ok(), None, "seed {SEED}");
}
