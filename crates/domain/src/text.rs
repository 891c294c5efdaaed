//! Text that people write: names, descriptions, e-mail addresses. One rule for all: nothing that
//! can't be seen or that turns the order of what is seen (Unicode UAX #9 controls) gets in.

use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

/// Refuses control characters (NUL among them), bidirectional controls and line separators.
pub(crate) fn plain(text: &str) -> Result<(), InvalidValue> {
    let forbidden = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}')
    };
    match text.chars().find(|&c| forbidden(c)) {
        None => Ok(()),
        Some(c) => Err(InvalidValue::new(format!(
            "must have no control, bidirectional or line-separator character (found U+{:04X})",
            u32::from(c)
        ))),
    }
}

/// Whether `c` leaves no mark by itself: white space and the invisible characters that [`plain`]
/// lets through, since scripts and emoji need them inside a word (Unicode `Default_Ignorable`).
fn blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn within(text: &str, least: usize, most: usize) -> Result<(), InvalidValue> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(InvalidValue::new(match least {
        0 => format!("must have at most {most} characters (has {length})"),
        _ => format!("must have {least} to {most} characters (has {length})"),
    }))
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $least:literal..=$most:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, if it keeps the rules.
            ///
            /// # Errors
            /// Too short, too long (counted in Unicode scalar values), only blanks, or a
            /// forbidden character.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
                let text = text.into();
                within(&text, $least, $most)?;
                plain(&text)?;
                if $least > 0 && text.chars().all(blank) {
                    return Err(InvalidValue::new("must not be only blanks"));
                }
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text!(
    /// The display name of a workspace, key or credential: 1 to 128 characters, not only blanks.
    Name, 1..=128
);
text!(
    /// What a key is for: at most 1,024 characters.
    Description, 0..=1024
);
text!(
    /// Why something was done, in words: at most 1,024 characters.
    ReasonText, 0..=1024
);
text!(
    /// What a secret was asked for, in words: at most 256 characters.
    RevealReason, 0..=256
);

/// An e-mail address (RFC 5321 addr-spec without quoted local parts or address literals), at most
/// 254 bytes. Personal: it is sealed before it is stored, so it has no serialised form here.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address, if it has the shape of one.
    ///
    /// # Errors
    /// No `@`, an empty or over-long part, a forbidden character.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = text.into();
        let refuse = || InvalidValue::new("must be an e-mail address of at most 254 bytes");
        let (local, host) = text.rsplit_once('@').ok_or_else(refuse)?;
        let local_ok = (1..=64).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || ".!#$%&'*+/=?^_`{|}~-".contains(c)
                    || (!c.is_ascii() && c.is_alphanumeric())
            });
        // UTS-46 drops soft hyphens and the like, but the address keeps its text as it came.
        let host_ok = crate::domains::ascii_host(host).is_some()
            && plain(host).is_ok()
            && !host.chars().any(blank);
        if text.len() > 254 || !local_ok || !host_ok {
            return Err(refuse());
        }
        Ok(Self(text))
    }

    /// The address. Personal: don't log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
