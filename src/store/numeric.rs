//! PostgreSQL's binary form of `numeric`, as far as money needs it: millionths in, millionths out.
//!
//! Big-endian 16-bit words: how many digits, the weight of the first one, the sign, the places to show; then the digits in
//! base 10,000, the first worth `10000^weight` (`numeric_send` and `numeric_recv` in PostgreSQL's `numeric.c`).

/// Words of the sign.
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;

/// Decimal places that are shown.
const SCALE: u16 = 6;
/// Digits of any amount: four before the point, two behind it.
const DIGITS: usize = 6;
/// The digits behind the point count hundredths of a millionth.
const FRACTION_DIGITS: i32 = 2;
const HUNDREDTHS: i128 = 100;

/// The binary form of so many millionths.
pub(super) fn from_micros(micros: i64) -> Vec<u8> {
    let mut rest = i128::from(micros).abs() * HUNDREDTHS;
    let mut digits = [0_u16; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = u16::try_from(rest % 10_000).unwrap_or_default();
        rest /= 10_000;
    }
    // Neither leading nor trailing zeros.
    let first = digits
        .iter()
        .position(|digit| *digit != 0)
        .unwrap_or(DIGITS);
    let last = digits
        .iter()
        .rposition(|digit| *digit != 0)
        .map_or(first, |last| last + 1);
    let shown = &digits[first..last];
    let weight = i32::try_from(DIGITS - first).unwrap_or_default() - 1 - FRACTION_DIGITS;
    let weight = i16::try_from(if shown.is_empty() { 0 } else { weight }).unwrap_or_default();
    let count = u16::try_from(shown.len()).unwrap_or_default();
    let sign = if micros < 0 { NEGATIVE } else { POSITIVE };
    let head = [count, weight.cast_unsigned(), sign, SCALE];
    let words = head.iter().chain(shown);
    words.flat_map(|word| word.to_be_bytes()).collect()
}

/// The millionths of a binary `numeric`, rounded to the nearest; `Err` for what is no number, or too large.
pub(super) fn to_micros(bytes: &[u8]) -> Result<i64, String> {
    let mut words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut word = || words.next().ok_or("a numeric value is cut off");
    let (count, weight, sign, _scale) = (word()?, word()?.cast_signed(), word()?, word()?);
    if !matches!(sign, POSITIVE | NEGATIVE) {
        return Err("an amount of money is NaN or infinite".to_owned());
    }
    let mut sum: i128 = 0;
    for place in 0..i32::from(count) {
        let digit = i128::from(word()?);
        let power = i32::from(weight) - place + FRACTION_DIGITS;
        // What lies beyond hundredths of a millionth is too little to round by.
        let Ok(power) = u32::try_from(power) else {
            continue;
        };
        let worth = 10_000_i128
            .checked_pow(power)
            .and_then(|worth| worth.checked_mul(digit));
        sum = worth
            .and_then(|worth| sum.checked_add(worth))
            .ok_or("an amount of money is too large")?;
    }
    let micros = (sum + HUNDREDTHS / 2) / HUNDREDTHS;
    let signed = if sign == NEGATIVE { -micros } else { micros };
    i64::try_from(signed).map_err(|_| "an amount of money is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back_as_they_were() {
        for micros in [
            0,
            1,
            30,
            9_999,
            10_000,
            999_999,
            1_000_000,
            12_345_678_901_234,
            i64::MAX,
            i64::MIN + 1,
        ] {
            for micros in [micros, -micros] {
                assert_eq!(to_micros(&from_micros(micros)), Ok(micros));
            }
        }
        assert_eq!(to_micros(&from_micros(i64::MIN)), Ok(i64::MIN));
    }

    #[test]
    fn the_form_is_postgresqls() {
        // SELECT numeric_send(12345.678901): 1, 2345, 6789, 0100.
        let words = [4, 1, POSITIVE, SCALE, 1, 2_345, 6_789, 100];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(from_micros(12_345_678_901), bytes);
        let third: Vec<u8> = [3, 0xFFFF, NEGATIVE, 12, 3_333, 3_366, 6_666]
            .iter()
            .flat_map(|word: &u16| word.to_be_bytes())
            .collect();
        assert_eq!(to_micros(&third), Ok(-333_334), "rounded");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let not_a_number: Vec<u8> = [0, 0, 0xC000, 0]
            .iter()
            .flat_map(|word: &u16| word.to_be_bytes())
            .collect();
        assert!(to_micros(&not_a_number).is_err());
        let huge: Vec<u8> = [1, 60, 0, 0, 1]
            .iter()
            .flat_map(|word: &u16| word.to_be_bytes())
            .collect();
        assert!(to_micros(&huge).is_err());
        assert!(to_micros(&from_micros(7)[..6]).is_err());
    }
}
