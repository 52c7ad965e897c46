//! A stack of booleans with a fixed greatest depth.

/// How deep JSON may nest before it is passed on unread.
pub(super) const DEEPEST: usize = 512;

/// For every open container whether it is an object.
#[derive(Clone, Debug, Default)]
pub(super) struct BitStack {
    words: [u64; DEEPEST / 64],
    len: usize,
}

impl BitStack {
    /// Puts one on top; false when the stack is full.
    pub(super) fn push(&mut self, bit: bool) -> bool {
        if self.len == DEEPEST {
            return false;
        }
        let (word, shift) = (self.len / 64, self.len % 64);
        self.words[word] = (self.words[word] & !(1 << shift)) | (u64::from(bit) << shift);
        self.len += 1;
        true
    }

    /// Takes the top one off.
    pub(super) fn pop(&mut self) -> Option<bool> {
        let top = self.top()?;
        self.len -= 1;
        Some(top)
    }

    /// The top one.
    pub(super) fn top(&self) -> Option<bool> {
        let at = self.len.checked_sub(1)?;
        Some(self.words[at / 64] >> (at % 64) & 1 == 1)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Empties the stack.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}
