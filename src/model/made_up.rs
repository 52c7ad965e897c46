//! Bytes made up at random, for the fuzz targets of whatever reads bytes of strangers.

use std::time::{Duration, Instant};

/// Tries `property` on bytes made up at random, of all lengths up to a few hundred, for as long as is wanted.
pub(crate) fn with_random_bytes(mut property: impl FnMut(&[u8])) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let time = Duration::from_millis(number("ARCHONCTL_FUZZ_MS").unwrap_or(300));
    let mut seed = number("ARCHONCTL_FUZZ_SEED").unwrap_or(1);
    let until = Instant::now() + time;
    loop {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        // Short ones mostly; some of low bytes alone, which choose words.
        let length = next() % (1 + (next() % 300));
        let mask = if next().is_multiple_of(3) { 0xff } else { 0x1f };
        let bytes: Vec<u8> = (0..length)
            .map(|_| next().to_le_bytes()[3] & mask)
            .collect();
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| property(&bytes)));
        assert!(tried.is_ok(), "ARCHONCTL_FUZZ_SEED={seed}: {bytes:?}");
        if Instant::now() >= until {
            return;
        }
        seed = seed.wrapping_add(1);
    }
}
