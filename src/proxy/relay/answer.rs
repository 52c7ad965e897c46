//! The way of an answer, from its first byte behind the head to its last.

use crate::tracking::Exchange;

use super::super::ENDPOINT;
use super::super::http1::Framing;
use super::metadata;
use super::passage::{Event, Passage, Started};
use super::stream::ClientStream;
use super::write::write_both;
use super::{Client, Gone};

impl<'a, S: ClientStream> Client<'a, S> {
    /// Relays an answer whose head is in `out`; says whether the connection can serve another request.
    pub(super) async fn answer(
        &mut self,
        mut passage: Passage<'_>,
        started: Started<'a>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let Started {
            mut stream,
            mut answer,
            mut framing,
            reusable,
            close,
        } = started;
        let exchange = passage.exchange;
        // HTTP/1.0 knows no chunks: their data goes alone, and the end of the connection ends it.
        let bare = passage.http_1_0 && framing.is_chunked();
        let silent = bare || framing == Framing::UntilClose;
        loop {
            let seen = framing.read(answer.filled(), |data| {
                if let Some(exchange) = exchange {
                    exchange.answer_data(data);
                }
                if bare {
                    out.extend_from_slice(data);
                }
            });
            let Ok(count) = seen else {
                return self.broken(exchange, silent, "its chunked coding is broken");
            };
            let done = framing.is_done();
            if let (true, Some(exchange)) = (done, exchange) {
                // The record of whatever ends here is on disk before its last byte goes on.
                exchange.answer_end();
            }
            if exchange.is_some_and(Exchange::unsettled) {
                let worker = self.worker;
                worker
                    .group
                    .settle(|group| worker.proxy.tracker.write_group(group))
                    .await;
            }
            let body = if bare {
                &[][..]
            } else {
                &answer.filled()[..count]
            };
            if passage.sent() {
                let patience = self.worker.proxy.options.limits.write_timeout;
                let writing = write_both(&mut self.stream, out, body);
                match self.deadline.patient(patience, writing).await {
                    Some(written) => written?,
                    None => return Err(self.slow_reader()),
                }
            } else {
                passage.deliver(self, &mut stream, out).await?;
                passage.deliver(self, &mut stream, body).await?;
            }
            out.clear();
            answer.consume(count);
            if done {
                break;
            }
            match passage.next(self, &mut stream, &mut answer, false).await {
                Event::Answer(1..) => {}
                Event::Answer(0) if framing == Framing::UntilClose => {
                    if let Some(exchange) = exchange {
                        exchange.answer_end();
                    }
                    self.sending = !passage.sent();
                    return Ok(false);
                }
                Event::Answer(0) => {
                    return self.broken(exchange, silent, "the server closed the connection");
                }
                Event::Broke(error) => return self.broken(exchange, silent, &error.to_string()),
                Event::Refused(why) => {
                    why.count(&self.worker.proxy.counters);
                    return Err(Gone);
                }
                Event::ClientGone | Event::TimedOut => return Err(Gone),
            }
        }
        let sent = passage.sent();
        if reusable && sent && answer.is_empty() {
            self.target.pool.give_back(stream);
        }
        self.sending = !sent;
        Ok(!close && sent)
    }

    /// The answer broke. Where only the end of the connection ends it (`silent`), a proper end would make it look
    /// complete: the connection is reset.
    fn broken(&self, exchange: Option<&Exchange>, silent: bool, why: &str) -> Result<bool, Gone> {
        if let Some(exchange) = exchange {
            exchange.answer_broken(why);
        }
        if silent {
            self.stream.spoil();
        }
        Err(Gone)
    }

    /// Relays an answer that is a document with the server's own URL in it, with ours in its place. The head in `out`
    /// lacks the length and the empty line.
    pub(super) async fn document(
        &mut self,
        mut passage: Passage<'_>,
        started: Started<'a>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Gone> {
        let Started {
            mut stream,
            mut answer,
            mut framing,
            reusable,
            close,
        } = started;
        let mut document = Vec::new();
        loop {
            let read = framing.read(answer.filled(), |data| document.extend_from_slice(data));
            let Ok(count) = read else { return Err(Gone) };
            answer.consume(count);
            if framing.is_done() {
                break;
            }
            if document.len() > metadata::LONGEST_DOCUMENT {
                tracing::warn!(server = %self.target.upstream.server.name, "its protected-resource metadata is too long to be relayed");
                return Err(Gone);
            }
            match passage.next(self, &mut stream, &mut answer, true).await {
                Event::Answer(1..) => {}
                Event::Answer(0) if framing == Framing::UntilClose => break,
                _ => return Err(Gone),
            }
        }
        let endpoint = passage.endpoint.as_deref().unwrap_or(ENDPOINT);
        if let Some(base) = self.base_url() {
            let url = format!("{base}{endpoint}");
            document = metadata::with_resource(&document, &url, self.target.remote);
        }
        if passage.to_head {
            document.clear();
            out.extend_from_slice(b"\r\n");
        } else {
            let length = format!("Content-Length: {}\r\n\r\n", document.len());
            out.extend_from_slice(length.as_bytes());
        }
        let sent = passage.sent();
        write_both(&mut self.stream, out, &document).await?;
        if reusable && sent && answer.is_empty() {
            self.target.pool.give_back(stream);
        }
        self.sending = !sent;
        Ok(!close && sent)
    }
}
