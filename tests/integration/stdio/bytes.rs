//! Every byte passes, whatever it is and in whatever pieces it comes.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::support::{Owned, new_data_dir, run_command};

/// Numbers that look random and are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: u64) -> usize {
        usize::try_from(self.next() % bound).expect("small")
    }
}

/// Lines of every kind: messages, batches, long ones, blanks, bytes that are no text, and a last one without its end.
fn lines(numbers: &mut Numbers) -> Vec<u8> {
    let mut all = Vec::new();
    for id in 0..300 {
        let size = match numbers.below(20) {
            0 => 200_000,
            1..5 => 5_000,
            _ => 60,
        };
        let filling = "ü\\\"é".repeat(numbers.below(size) / 6);
        match numbers.below(8) {
            0 => all.extend((0..=255_u8).cycle().take(numbers.below(3_000))),
            1 => all.extend_from_slice(b"\r\n\r\n   "),
            2 => all.extend_from_slice(
                format!(r#"[{{"id":{id},"method":"a"}},{{"method":"b","params":"{filling}"}}]"#)
                    .as_bytes(),
            ),
            3 => all.extend_from_slice(
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":["{filling}"]}}}}"#)
                    .as_bytes(),
            ),
            4 => all.extend_from_slice("[".repeat(numbers.below(2_000)).as_bytes()),
            _ => all.extend_from_slice(
                format!(
                    r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/call","params":{{"name":"{filling}"}}}}"#
                )
                .as_bytes(),
            ),
        }
        all.push(b'\n');
    }
    all.extend_from_slice(br#"{"jsonrpc":"2.0","id":1,"res"#);
    all
}

/// Sends `bytes` through `archonctl run` and a server that says what it hears, in pieces of random sizes on both sides;
/// what comes back.
fn echoed(bytes: Vec<u8>, seed: u64, server: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let (_root, data_dir) = new_data_dir();
    let server: Vec<_> = server.iter().map(Into::into).collect();
    let command = run_command(&data_dir, &[], &server);
    let mut child = Owned(
        Command::new(&command[0])
            .args(&command[1..])
            .env("ARCHONCTL_LOG", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("archonctl starts"),
    );
    let mut input = child.0.stdin.take().expect("piped");
    let mut output = child.0.stdout.take().expect("piped");
    let mut errors = child.0.stderr.take().expect("piped");
    let writer = std::thread::spawn(move || {
        let (mut numbers, mut rest) = (Numbers(seed), bytes.as_slice());
        while !rest.is_empty() {
            let most = [1, 7, 300, 9_000, 100_000][numbers.below(5)];
            let size = (1 + numbers.below(most)).min(rest.len());
            let (piece, after) = rest.split_at(size);
            input.write_all(piece).expect("written");
            rest = after;
        }
    });
    let complaints = std::thread::spawn(move || {
        let mut said = Vec::new();
        errors.read_to_end(&mut said).expect("read");
        said
    });
    let (mut numbers, mut came) = (Numbers(seed ^ 0xABCD), Vec::new());
    loop {
        let mut piece = vec![0; 1 + numbers.below(70_000)];
        match output.read(&mut piece).expect("read") {
            0 => break,
            count => came.extend_from_slice(&piece[..count]),
        }
    }
    writer.join().expect("all was taken");
    assert!(child.0.wait().expect("it ends").success());
    (came, complaints.join().expect("read to the end"))
}

#[test]
fn lines_of_every_kind_pass_in_random_pieces() {
    for seed in 1..=6_u64 {
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bytes = lines(&mut Numbers(seed));
        let (came, _) = echoed(bytes.clone(), seed, &["cat"]);
        assert!(
            came == bytes,
            "seed {seed}: {} of {}",
            came.len(),
            bytes.len()
        );
    }
}

#[test]
fn a_line_of_many_megabytes_passes() {
    let filling = "x".repeat(20 << 20);
    let bytes = format!("{{\"id\":1,\"result\":{{\"content\":[\"{filling}\"]}}}}\n").into_bytes();
    assert!(echoed(bytes.clone(), 77, &["cat"]).0 == bytes);
}

#[test]
fn standard_error_is_the_servers_own() {
    let bytes = lines(&mut Numbers(99));
    let (came, complaints) = echoed(bytes.clone(), 99, &["sh", "-c", "cat >&2"]);
    assert!(came.is_empty() && complaints == bytes);
}
