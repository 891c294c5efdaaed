//! The `traceparent` of W3C Trace Context, strictly read and plainly written. `tracestate` is not
//! carried.

use std::fmt;
use std::str::FromStr;

/// The length of a version 00 traceparent, in bytes.
const LENGTH: usize = 55;

/// The text is not a traceparent; by the W3C rules it is then as if none had been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct InvalidTraceParent;

/// A position in a trace: which trace, which span, and whether it is sampled.
///
/// Both ids are never all zeros. Prints as version 00, lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

impl TraceParent {
    /// Makes one of its parts.
    ///
    /// # Errors
    /// [`InvalidTraceParent`] when an id is all zeros.
    pub fn new(
        trace_id: [u8; 16],
        span_id: [u8; 8],
        sampled: bool,
    ) -> Result<Self, InvalidTraceParent> {
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(InvalidTraceParent);
        }
        Ok(TraceParent { trace_id, span_id, sampled })
    }

    /// Reads a header's value without allocating.
    ///
    /// Version 00 is exactly 55 bytes of lower-case hex. Of a later version the first 55 bytes are
    /// read the same way, and what follows must start with `-`. Version ff is refused. All flags
    /// but "sampled" are dropped.
    ///
    /// # Errors
    /// [`InvalidTraceParent`] for anything else.
    #[inline]
    pub fn parse(text: &str) -> Result<Self, InvalidTraceParent> {
        let bytes = text.as_bytes();
        if bytes.len() < LENGTH || bytes[2] != b'-' || bytes[35] != b'-' || bytes[52] != b'-' {
            return Err(InvalidTraceParent);
        }
        let [version] = hex(&bytes[0..2])?;
        let fits = match version {
            0x00 => bytes.len() == LENGTH,
            0xff => false,
            _ => bytes.len() == LENGTH || bytes[LENGTH] == b'-',
        };
        if !fits {
            return Err(InvalidTraceParent);
        }
        let [flags] = hex(&bytes[53..55])?;
        TraceParent::new(hex(&bytes[3..35])?, hex(&bytes[36..52])?, flags & 1 == 1)
    }

    /// The trace's id, 16 bytes.
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The span's id, 8 bytes.
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// Whether whoever sent it records this trace.
    pub fn sampled(&self) -> bool {
        self.sampled
    }
}

impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceParent> {
        TraceParent::parse(text)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            u128::from_be_bytes(self.trace_id),
            u64::from_be_bytes(self.span_id),
            u8::from(self.sampled)
        )
    }
}

/// Reads `2 * N` lower-case hex digits; the caller gives exactly so many.
#[inline]
fn hex<const N: usize>(digits: &[u8]) -> Result<[u8; N], InvalidTraceParent> {
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

#[inline]
fn nibble(digit: u8) -> Result<u8, InvalidTraceParent> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(InvalidTraceParent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_well_formed_header_is_read_and_written_back() {
        let parent = TraceParent::parse(GOOD).unwrap();
        assert_eq!(parent.trace_id()[0], 0x0a);
        assert_eq!(parent.span_id()[7], 0x31);
        assert!(parent.sampled());
        assert_eq!(parent.to_string(), GOOD);
    }

    #[test]
    fn only_the_sampled_flag_is_kept() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("03", true)] {
            let parent = TraceParent::parse(&format!("{}{flags}", &GOOD[..53])).unwrap();
            assert_eq!(parent.sampled(), sampled, "flags {flags}");
        }
        let noisy = TraceParent::parse(&format!("{}ff", &GOOD[..53])).unwrap();
        assert_eq!(noisy.to_string(), GOOD);
    }

    #[test]
    fn a_later_version_is_read_by_its_first_part() {
        for tail in ["", "-", "-what-the-future-will-be-like"] {
            let text = format!("cc{}{tail}", &GOOD[2..]);
            assert_eq!(TraceParent::parse(&text).unwrap().to_string(), GOOD, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let bad = [
            String::new(),
            String::from("00"),
            GOOD.to_uppercase(),
            GOOD.replace("0af7", "0Af7"),
            GOOD.replace("0af7", "0gf7"),
            GOOD.replace("-01", "-0G"),
            GOOD.replace("-01", "-1"),
            format!("{GOOD}-"),
            format!("{GOOD}-00"),
            format!("{GOOD} "),
            format!(" {GOOD}"),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "0x", 1),
            format!("cc{}.extra", &GOOD[2..]),
            GOOD.replace('-', "_"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            GOOD.replace("0af7", "\u{e9}\u{e9}"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319"),
        ];
        for text in bad {
            assert_eq!(TraceParent::parse(&text), Err(InvalidTraceParent), "{text:?}");
        }
    }
}
