//! Reads compressed bodies beside their way: the bytes that pass stay as they are, what is inside them is looked at.
//!
//! What a body unfolds to is bounded: nothing that is sent compressed takes more memory or time than its length, or a
//! fixed sum, allows.

use std::fmt;
use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

/// How a body is compressed (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    #[default]
    Identity,
    /// `gzip`, `x-gzip`.
    Gzip,
    /// `deflate`: zlib's format, or, as some send it, bare.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
    /// Another, or several: what is in there cannot be read here.
    Other,
}

impl Coding {
    /// The coding that a `Content-Encoding` names.
    #[must_use]
    pub fn of(content_encoding: Option<&[u8]>) -> Self {
        let Some(name) = content_encoding.map(<[u8]>::trim_ascii) else {
            return Self::Identity;
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name {
            _ if name.is_empty() || is("identity") => Self::Identity,
            _ if is("gzip") || is("x-gzip") => Self::Gzip,
            _ if is("deflate") => Self::Deflate,
            _ if is("br") => Self::Brotli,
            _ if is("zstd") => Self::Zstd,
            _ => Self::Other,
        }
    }
}

/// Bytes that are unfolded at a time, and what they may unfold to: more is made to do harm (`gzip` reaches 1,032 to 1).
const SLICE: usize = 1 << 10;
const MOST_OF_SLICE: usize = 2 << 20;
/// What a whole body may unfold to: so much in any case, and so many times its own length.
const MOST_IN_ANY_CASE: u64 = 64 << 20;
const MOST_TIMES: u64 = 100;
/// Base-2 logarithm of the largest window that `zstd` may ask for (RFC 9659, section 3: 8 MB).
const ZSTD_WINDOW: u32 = 23;
/// Room for what comes out.
const ROOM: usize = 8 << 10;

/// A body that is not what its `Content-Encoding` says, or unfolds to too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

/// Takes what comes out of one slice.
#[derive(Debug, Default)]
struct Sink(Vec<u8>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_OF_SLICE {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Engine {
    Gzip(MultiGzDecoder<Sink>),
    /// Which of the two kinds is seen from the first byte.
    Deflate,
    Zlib(ZlibDecoder<Sink>),
    Bare(DeflateDecoder<Sink>),
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd(DCtx<'static>, Sink),
}

/// Unfolds one body, in pieces of any size. What has come in whole comes out at once, so that an event that has passed
/// has been read.
pub struct Decoder {
    engine: Engine,
    taken: u64,
    given: u64,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("taken", &self.taken)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder for `coding`; `None` where there is nothing to decode, or no way to.
    #[must_use]
    pub fn new(coding: Coding) -> Option<Self> {
        let engine = match coding {
            Coding::Identity | Coding::Other => return None,
            Coding::Gzip => Engine::Gzip(MultiGzDecoder::new(Sink::default())),
            Coding::Deflate => Engine::Deflate,
            Coding::Brotli => {
                Engine::Brotli(Box::new(DecompressorWriter::new(Sink::default(), ROOM)))
            }
            Coding::Zstd => {
                let mut context = DCtx::try_create()?;
                context
                    .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW))
                    .ok()?;
                Engine::Zstd(context, Sink::default())
            }
        };
        Some(Self {
            engine,
            taken: 0,
            given: 0,
        })
    }

    /// Reads on; `data` gets what comes out.
    ///
    /// # Errors
    /// When this is no body of its coding, or one that unfolds to too much. The decoder is of no further use then.
    pub fn feed(&mut self, bytes: &[u8], mut data: impl FnMut(&[u8])) -> Result<(), Undecodable> {
        for slice in bytes.chunks(SLICE) {
            self.taken += slice.len() as u64;
            let sink = self.unfold(slice).map_err(|_| Undecodable)?;
            let length = sink.0.len() as u64;
            data(&sink.0);
            sink.0.clear();
            self.given += length;
            if self.given > MOST_IN_ANY_CASE.max(self.taken.saturating_mul(MOST_TIMES)) {
                return Err(Undecodable);
            }
        }
        Ok(())
    }

    fn unfold(&mut self, slice: &[u8]) -> io::Result<&mut Sink> {
        if let (Engine::Deflate, Some(first)) = (&self.engine, slice.first()) {
            // RFC 1950, section 2.2: the method is 8 in the low half of the first byte, and the window fits.
            self.engine = if first & 0x0f == 8 && first >> 4 <= 7 {
                Engine::Zlib(ZlibDecoder::new(Sink::default()))
            } else {
                Engine::Bare(DeflateDecoder::new(Sink::default()))
            };
        }
        match &mut self.engine {
            Engine::Deflate => Err(io::ErrorKind::InvalidData.into()),
            Engine::Gzip(decoder) => {
                decoder.write_all(slice)?;
                decoder.flush()?;
                Ok(decoder.get_mut())
            }
            Engine::Zlib(decoder) => {
                decoder.write_all(slice)?;
                decoder.flush()?;
                Ok(decoder.get_mut())
            }
            Engine::Bare(decoder) => {
                decoder.write_all(slice)?;
                decoder.flush()?;
                Ok(decoder.get_mut())
            }
            Engine::Brotli(decoder) => {
                decoder.write_all(slice)?;
                Ok(decoder.get_mut())
            }
            Engine::Zstd(context, sink) => {
                unfold_zstd(context, slice, sink)?;
                Ok(sink)
            }
        }
    }
}

fn unfold_zstd(context: &mut DCtx<'static>, slice: &[u8], sink: &mut Sink) -> io::Result<()> {
    let mut input = InBuffer::around(slice);
    loop {
        let mut room = [0_u8; ROOM];
        let mut output = OutBuffer::around(&mut room[..]);
        context
            .decompress_stream(&mut output, &mut input)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let count = output.pos();
        sink.write_all(&room[..count])?;
        // With room left there is nothing more to come out of what was put in.
        if count < ROOM && input.pos() == slice.len() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    const FIRST: &[u8] = b"data: {\"id\":1,\"result\":{}}\n\n";
    const SECOND: &[u8] = b"data: {\"id\":2,\"result\":{\"content\":[]}}\n\n";

    /// `FIRST` and `SECOND`, each flushed on its own as servers of events do; and where the first one ends.
    fn compressed(coding: Coding) -> (Vec<u8>, usize) {
        fn both<W: Write>(
            mut encoder: W,
            length: impl Fn(&W) -> usize,
            finish: impl FnOnce(W) -> Vec<u8>,
        ) -> (Vec<u8>, usize) {
            encoder.write_all(FIRST).expect("taken");
            encoder.flush().expect("flushed");
            let at = length(&encoder);
            encoder.write_all(SECOND).expect("taken");
            (finish(encoder), at)
        }
        let level = Compression::default();
        match coding {
            Coding::Gzip => both(
                GzEncoder::new(Vec::new(), level),
                |encoder| encoder.get_ref().len(),
                |encoder| encoder.finish().expect("ended"),
            ),
            Coding::Deflate => both(
                ZlibEncoder::new(Vec::new(), level),
                |encoder| encoder.get_ref().len(),
                |encoder| encoder.finish().expect("ended"),
            ),
            Coding::Zstd => {
                let mut context = zstd_safe::CCtx::create();
                let mut out = Vec::new();
                let mut piece = |text: &[u8], last: bool| {
                    let mut room = vec![0; 4 << 10];
                    let mut output = OutBuffer::around(&mut room[..]);
                    let mut input = InBuffer::around(text);
                    context
                        .compress_stream(&mut output, &mut input)
                        .expect("taken");
                    if last {
                        context.end_stream(&mut output).expect("ended");
                    } else {
                        context.flush_stream(&mut output).expect("flushed");
                    }
                    let count = output.pos();
                    out.extend_from_slice(&room[..count]);
                    out.len()
                };
                let at = piece(FIRST, false);
                piece(SECOND, true);
                (out, at)
            }
            // Made with Node's zlib: the same two texts, flushed in between.
            Coding::Brotli => (BROTLI.to_vec(), BROTLI_FIRST),
            Coding::Identity | Coding::Other => unreachable!("not compressed"),
        }
    }

    const BROTLI_FIRST: usize = 31;
    const BROTLI: &[u8] = &[
        0x8b, 0x0d, 0x80, 0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a,
        0x31, 0x2c, 0x22, 0x72, 0x65, 0x73, 0x75, 0x6c, 0x74, 0x22, 0x3a, 0x7b, 0x7d, 0x7d, 0x0a,
        0x0a, 0x71, 0x02, 0x00, 0xdf, 0x48, 0xe9, 0xf2, 0xa0, 0x56, 0x8b, 0xe8, 0x74, 0x91, 0x29,
        0x99, 0xad, 0x46, 0xa2, 0x11, 0x51, 0x90, 0x91, 0x2b, 0x6e, 0x28, 0xf9, 0x48, 0x0e, 0x17,
    ];

    #[test]
    fn what_was_flushed_is_read_at_once_and_in_any_cut() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            let (body, at) = compressed(coding);
            let mut decoder = Decoder::new(coding).expect("known");
            let mut out = Vec::new();
            let mut take = |data: &[u8]| out.extend_from_slice(data);
            decoder.feed(&body[..at], &mut take).expect("sound");
            assert_eq!(out, FIRST, "{coding:?}");
            for size in 1..body.len() {
                let (mut decoder, mut out) = (Decoder::new(coding).expect("known"), Vec::new());
                for piece in body.chunks(size) {
                    let taken = decoder.feed(piece, |data| out.extend_from_slice(data));
                    assert_eq!(taken, Ok(()), "{coding:?} in pieces of {size}");
                }
                assert_eq!(
                    out,
                    [FIRST, SECOND].concat(),
                    "{coding:?} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn deflate_is_read_in_both_forms() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(FIRST).expect("taken");
        let (bare, mut out) = (encoder.finish().expect("ended"), Vec::new());
        let mut decoder = Decoder::new(Coding::Deflate).expect("known");
        decoder
            .feed(&bare, |data| out.extend_from_slice(data))
            .expect("sound");
        assert_eq!(out, FIRST);
    }

    #[test]
    fn a_small_body_that_unfolds_to_a_huge_one_is_given_up() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..200 {
            encoder.write_all(&vec![b' '; 1 << 20]).expect("taken");
        }
        let bomb = encoder.finish().expect("ended");
        let mut decoder = Decoder::new(Coding::Gzip).expect("known");
        let mut given = 0;
        let end = bomb
            .chunks(16 << 10)
            .try_for_each(|piece| decoder.feed(piece, |data| given += data.len() as u64));
        assert_eq!(end, Err(Undecodable));
        assert!(given <= MOST_IN_ANY_CASE + MOST_OF_SLICE as u64, "{given}");
    }

    #[test]
    fn what_is_no_body_of_its_coding_is_said_to_be_none() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            let mut decoder = Decoder::new(coding).expect("known");
            let noise: Vec<u8> = (0..400_u32).map(|n| (n * n % 251) as u8 | 0xc0).collect();
            assert_eq!(decoder.feed(&noise, |_| {}), Err(Undecodable), "{coding:?}");
        }
    }

    #[test]
    fn codings_are_told_by_their_names() {
        for (name, coding) in [
            (None, Coding::Identity),
            (Some("Identity"), Coding::Identity),
            (Some("GZip"), Coding::Gzip),
            (Some("x-gzip"), Coding::Gzip),
            (Some("br "), Coding::Brotli),
            (Some("zstd"), Coding::Zstd),
            (Some("deflate"), Coding::Deflate),
            (Some("gzip, br"), Coding::Other),
            (Some("compress"), Coding::Other),
        ] {
            assert_eq!(Coding::of(name.map(str::as_bytes)), coding, "{name:?}");
        }
    }
}
