//! A body as it passes: what is in it is read beside its way, compressed or not.

use crate::wire::{
    BodyKind, Coding, Decoder, EndpointFinder, Envelope, EnvelopeScanner, SseScanner,
};

/// How a body is read. The readers stay from one request to the next, with the memory they have.
#[derive(Debug)]
pub(super) struct Body {
    kind: BodyKind,
    json: EnvelopeScanner,
    events: SseScanner,
    /// What unfolds it, where it is compressed.
    decoder: Option<Box<Decoder>>,
    /// Looks for the endpoint of an HTTP+SSE server, where this may be its stream.
    endpoint: Option<Box<EndpointFinder>>,
    /// Whether the body's coding turned out not to be what its head says, or to unfold to too much.
    spoiled: bool,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            kind: BodyKind::Opaque,
            json: EnvelopeScanner::default(),
            events: SseScanner::default(),
            decoder: None,
            endpoint: None,
            spoiled: false,
        }
    }
}

impl Body {
    /// Makes it ready for a body of `kind` in `coding`, of whose texts up to `kept` bytes each are kept.
    pub(super) fn begin(&mut self, kind: BodyKind, coding: Coding, kept: usize) {
        self.kind = kind;
        self.spoiled = false;
        self.endpoint = None;
        self.decoder = None;
        if coding != Coding::Identity && kind != BodyKind::Opaque {
            self.decoder = Decoder::new(coding).map(Box::new);
        }
        match kind {
            BodyKind::Json => {
                self.json.keep_text(kept);
                self.json.reset();
            }
            BodyKind::EventStream => {
                self.events.keep_text(kept);
                self.events.reset();
            }
            BodyKind::Opaque => {}
        }
    }

    /// Looks for the endpoint that the stream's first event may name.
    pub(super) fn look_for_endpoint(&mut self) {
        self.endpoint = Some(Box::default());
    }

    /// Reads on. `found` gets each message as soon as it is complete.
    pub(super) fn feed(&mut self, bytes: &[u8], found: &mut impl FnMut(Envelope)) {
        let Some(mut decoder) = self.decoder.take() else {
            self.read(bytes, found);
            return;
        };
        if decoder.feed(bytes, |data| self.read(data, found)).is_ok() {
            self.decoder = Some(decoder);
        } else {
            (self.kind, self.spoiled) = (BodyKind::Opaque, true);
        }
    }

    fn read(&mut self, bytes: &[u8], found: &mut impl FnMut(Envelope)) {
        match self.kind {
            BodyKind::Opaque => {}
            BodyKind::Json => self.json.feed(bytes, found),
            BodyKind::EventStream => {
                if let Some(finder) = &mut self.endpoint {
                    finder.feed(bytes);
                }
                self.events.feed(bytes, found);
            }
        }
    }

    /// The endpoint that the first event named, once.
    pub(super) fn take_endpoint(&mut self) -> Option<String> {
        let finder = self.endpoint.as_mut()?;
        let found = finder.take();
        if finder.is_over() {
            self.endpoint = None;
        }
        found
    }

    /// Whether the body cannot be looked into.
    pub(super) fn is_opaque(&self) -> bool {
        self.kind == BodyKind::Opaque
    }

    /// What could not be read of a body of `length` bytes that is over: the body, or so many events of it. A body that
    /// was never meant to be read counts nothing here.
    pub(super) fn unread(&self, length: u64) -> u64 {
        match self.kind {
            BodyKind::Opaque => u64::from(self.spoiled),
            BodyKind::Json => u64::from(length > 0 && !self.json.is_complete()),
            BodyKind::EventStream => self.events.unreadable_events(),
        }
    }

    /// What has been read of a message that is not over, or never will be.
    pub(super) fn unfinished(&mut self) -> Option<Envelope> {
        (self.kind == BodyKind::Json).then(|| self.json.take_unfinished())
    }
}
