//! Where a body ends (RFC 9112, sections 6 and 7).

/// How much of a body is still to come, and how it is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks (RFC 9112, section 7.1).
    Chunked(Chunk),
    /// All until the connection closes.
    UntilClose,
}

/// Where in the chunked coding the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// In the size, so many digits in.
    Size(u64, u8),
    /// In blanks behind the size, with which some servers fill it up.
    Blank(u64),
    /// In a chunk extension; the size is known.
    Extension(u64),
    /// Behind the CR of the size line.
    SizeLineFeed(u64),
    /// In the data.
    Data(u64),
    /// Behind the data: CR must come.
    DataReturn,
    /// Behind the data's CR: LF must come.
    DataLineFeed,
    /// At the start of a trailer line, or of the empty line that ends it all.
    TrailerStart,
    /// In a trailer line.
    Trailer,
    /// Behind the CR of a trailer line; true if the line is empty.
    TrailerLineFeed(bool),
    /// Over.
    Done,
}

/// Bytes that are no chunked coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chunked coding is broken")]
pub(crate) struct FramingError;

/// A size of more digits would not fit.
const MOST_DIGITS: u8 = 15;

impl Framing {
    /// Chunks, none of them seen.
    pub(crate) const CHUNKED: Self = Self::Chunked(Chunk::Size(0, 0));

    /// Whether the body is over.
    pub(crate) fn is_done(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Done))
    }

    /// Whether the body is in chunks.
    pub(crate) fn is_chunked(self) -> bool {
        matches!(self, Self::Chunked(_))
    }

    /// Reads on. `data` gets the body's own bytes, without framing. Gives how many of `bytes` belong to the body,
    /// framing included: all, unless it ends before.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        mut data: impl FnMut(&[u8]),
    ) -> Result<usize, FramingError> {
        match self {
            Self::UntilClose => {
                data(bytes);
                Ok(bytes.len())
            }
            Self::Length(left) => {
                let count = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                *left -= count as u64;
                if count > 0 {
                    data(&bytes[..count]);
                }
                Ok(count)
            }
            Self::Chunked(chunk) => {
                let mut at = 0;
                while at < bytes.len() && *chunk != Chunk::Done {
                    if let Chunk::Data(left) = *chunk {
                        let count = usize::try_from(left)
                            .unwrap_or(usize::MAX)
                            .min(bytes.len() - at);
                        data(&bytes[at..at + count]);
                        at += count;
                        let left = left - count as u64;
                        *chunk = if left == 0 {
                            Chunk::DataReturn
                        } else {
                            Chunk::Data(left)
                        };
                    } else {
                        *chunk = chunk.after(bytes[at])?;
                        at += 1;
                    }
                }
                Ok(at)
            }
        }
    }
}

impl Chunk {
    /// The state behind `byte`. Strict, CR and LF both: what two parsers read differently can smuggle a request.
    fn after(self, byte: u8) -> Result<Self, FramingError> {
        let next = match (self, byte) {
            (Self::Size(size, digits), _) if byte.is_ascii_hexdigit() && digits < MOST_DIGITS => {
                let digit = char::from(byte).to_digit(16).ok_or(FramingError)?;
                Self::Size(size << 4 | u64::from(digit), digits + 1)
            }
            (Self::Size(size, 1..) | Self::Blank(size) | Self::Extension(size), b'\r') => {
                Self::SizeLineFeed(size)
            }
            (Self::Size(size, 1..) | Self::Blank(size), b' ' | b'\t') => Self::Blank(size),
            (Self::Size(size, 1..) | Self::Blank(size), b';')
            | (Self::Extension(size), b'\t' | b' '..=b'~' | 0x80..) => Self::Extension(size),
            (Self::SizeLineFeed(0) | Self::TrailerLineFeed(false), b'\n') => Self::TrailerStart,
            (Self::SizeLineFeed(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataLineFeed,
            (Self::DataLineFeed, b'\n') => Self::Size(0, 0),
            (Self::TrailerStart, b'\r') => Self::TrailerLineFeed(true),
            (Self::Trailer, b'\r') => Self::TrailerLineFeed(false),
            (Self::TrailerStart, b'!'..=b'~' | 0x80..)
            | (Self::Trailer, b'\t' | b' '..=b'~' | 0x80..) => Self::Trailer,
            (Self::TrailerLineFeed(true), b'\n') => Self::Done,
            _ => return Err(FramingError),
        };
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, piece: usize) -> Result<(Vec<u8>, usize, bool), FramingError> {
        let (mut framing, mut data, mut taken) = (Framing::CHUNKED, Vec::new(), 0);
        for bytes in text.as_bytes().chunks(piece) {
            let count = framing.read(bytes, |part| data.extend_from_slice(part))?;
            taken += count;
            if count < bytes.len() {
                break;
            }
        }
        Ok((data, taken, framing.is_done()))
    }

    #[test]
    fn chunks_are_read_in_any_pieces_and_end_where_they_end() {
        let body =
            "4\r\nWiki\r\n6;name=v\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-T: 1\r\n\r\n";
        let text = format!("{body}GET / HTTP/1.1");
        for piece in 1..text.len() {
            let (data, taken, done) = read(&text, piece).expect("chunks");
            assert_eq!(data, b"Wikipedia in \r\n\r\nchunks.");
            assert_eq!((taken, done), (body.len(), true), "pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_an_error() {
        for wrong in [
            "\r\n",
            "g\r\n",
            "4\nWiki",
            "4\r\nWikiX",
            "4\r\nWiki\n",
            "FFFFFFFFFFFFFFFF\r\n",
            "4\rWiki",
            "4 5\r\n",
            "4;a\nb\r\n",
            "0\r\nX\n",
            "0\r\nX: 1\r\n folded",
        ] {
            assert_eq!(read(wrong, 3), Err(FramingError), "{wrong:?}");
        }
    }

    #[test]
    fn a_length_ends_after_so_many_bytes() {
        let mut framing = Framing::Length(5);
        let mut data = Vec::new();
        assert_eq!(
            framing.read(b"abc", |part| data.extend_from_slice(part)),
            Ok(3)
        );
        assert!(!framing.is_done());
        assert_eq!(
            framing.read(b"defgh", |part| data.extend_from_slice(part)),
            Ok(2)
        );
        assert!(framing.is_done());
        assert_eq!(data, b"abcde");
    }
}
