//! Base62 with fixed widths: digits `0-9A-Za-z`, whose order is that of ASCII, so that comparing the
//! text compares the number.

#![expect(
    clippy::cast_possible_truncation,
    reason = "every cast is of a remainder or quotient that fits, as the arithmetic beside it shows"
)]

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const NONE: u8 = 0xff;

/// 2^256 - 1, the greatest secret.
const GREATEST_256: &[u8; 43] = b"yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1";

const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut digit = 0;
    while digit < 62 {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Writes `number` over all of `out`, most significant digit first. What does not fit is lost.
pub(super) fn encode_u128(mut number: u128, out: &mut [u8]) {
    for place in out.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
}

/// The number that at most 20 digits spell; `None` where one is not a digit.
#[inline]
pub(super) fn decode_u128(digits: &[u8]) -> Option<u128> {
    // Ten digits fit into 64 bits, so that the loop multiplies in one register.
    let half = |part: &[u8]| {
        part.iter().try_fold(0_u64, |number, &digit| {
            let value = VALUES[usize::from(digit)];
            (value != NONE).then_some(number * 62 + u64::from(value))
        })
    };
    let (high, low) = digits.split_at(digits.len().saturating_sub(10));
    Some(u128::from(half(high)?) * 62_u128.pow(10) + u128::from(half(low)?))
}

/// Writes a 256-bit big-endian number as 43 digits.
pub(super) fn encode_256(bits: &[u8; 32], out: &mut [u8; 43]) {
    let mut limbs = [0_u32; 8];
    for (limb, bytes) in limbs.iter_mut().zip(bits.chunks_exact(4)) {
        *limb = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for place in out.iter_mut().rev() {
        let mut rest = 0_u64;
        for limb in &mut limbs {
            let number = rest << 32 | u64::from(*limb);
            *limb = (number / 62) as u32;
            rest = number % 62;
        }
        *place = DIGITS[rest as usize];
    }
}

/// Whether these digits spell a number under 2^256: its one and only spelling.
#[inline]
pub(super) fn is_canonical_256(digits: &[u8; 43]) -> bool {
    digits.iter().fold(true, |all, &digit| all & (VALUES[usize::from(digit)] != NONE))
        && digits <= GREATEST_256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_secret_is_all_ones() {
        let mut digits = [0; 43];
        encode_256(&[0xff; 32], &mut digits);
        assert_eq!(std::str::from_utf8(&digits), std::str::from_utf8(GREATEST_256));
    }
}
