//! Keys as callers name them: by id, by the whole key, or by its masked form. The product has one text for
//! all three.

/// The id of no key.
const NONE: &str = "key_00000000000000000000000000";

/// A text that the service can take for the name of a key; of anything else, that of none.
pub(super) fn or_none(text: String) -> String {
    if is_id(&text) {
        return text;
    }
    masked(&text).unwrap_or(NONE).to_owned()
}

/// `key_` and 128 bits in Crockford's base32.
pub(super) fn is_id(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("key_") else {
        return false;
    };
    let known = |byte: u8| byte.is_ascii_digit() || b"abcdefghjkmnpqrstvwxyz".contains(&byte);
    digits.len() == 26 && digits.bytes().all(known) && digits.starts_with(|first| first < '8')
}

/// `kwk_live_` and 17 digits of base62; of a whole key, the beginning, so that its secret goes no further.
fn masked(text: &str) -> Option<&str> {
    let (kind, rest) = text.split_once('_')?;
    let letters = (3..=6).contains(&kind.len()) && kind.bytes().all(|it| it.is_ascii_lowercase());
    let digits = rest.strip_prefix("live_").or_else(|| rest.strip_prefix("test_"))?;
    let (digits, _) = digits.split_once('_').unwrap_or((digits, ""));
    let sound = digits.len() == 17 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let length = kind.len() + "_live_".len() + digits.len();
    text.get(..length).filter(|_| letters && kind.ends_with('k') && sound)
}
