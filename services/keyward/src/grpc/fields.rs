//! From the wire to the domain: each field of a request, checked once, refused with its path.

use std::str::FromStr;

use api::v1 as wire;
use domain::{DomainPattern, DomainRules, Env, InvalidValue, Network, Principal, Scope, ScopeSet};
use jiff::Timestamp;

use super::mutation::Wait;
use super::status::{InField, Refusal};

/// An id that must be there.
///
/// # Errors
/// Missing or malformed.
pub fn id<Id: FromStr<Err = InvalidValue>>(path: &str, text: &str) -> Result<Id, Refusal> {
    if text.is_empty() {
        return Err(Refusal::field(path, "is required"));
    }
    text.parse().in_field(path)
}

/// A text that makes a value; absent if empty.
///
/// # Errors
/// The value refuses it.
pub fn optional<T>(
    path: &str,
    text: String,
    make: impl FnOnce(String) -> Result<T, InvalidValue>,
) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { make(text).map(Some).in_field(path) }
}

/// An enum's value by number.
///
/// # Errors
/// A number that the enum does not have.
pub fn variant<E: TryFrom<i32>>(path: &str, number: i32) -> Result<E, Refusal> {
    E::try_from(number).map_err(|_| Refusal::field(path, "must be a value of its enum"))
}

/// A world; `None` if unset.
///
/// # Errors
/// An unknown number.
pub fn env(path: &str, number: i32) -> Result<Option<Env>, Refusal> {
    Ok(match variant::<wire::Environment>(path, number)? {
        wire::Environment::Unspecified => None,
        wire::Environment::Live => Some(Env::Live),
        wire::Environment::Test => Some(Env::Test),
    })
}

/// Worlds; each must be set.
///
/// # Errors
/// An unset or unknown one.
pub fn envs(path: &str, numbers: &[i32]) -> Result<Vec<Env>, Refusal> {
    let each = |(at, &number): (usize, &i32)| {
        let path = format!("{path}[{at}]");
        env(&path, number)?.ok_or_else(|| Refusal::field(path, "must not be unspecified"))
    };
    numbers.iter().enumerate().map(each).collect()
}

/// A moment, rounded down to microseconds; `None` if unset.
///
/// # Errors
/// Not of the range that RFC 3339 can write (years 1 to 9999), or nanoseconds past a second.
pub fn moment(
    path: &str,
    at: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Refusal> {
    let Some(at) = at else {
        return Ok(None);
    };
    let refuse = || Refusal::field(path, "must be a moment from year 1 to year 9999");
    if !(0..1_000_000_000).contains(&at.nanos)
        || !(-62_135_596_800..=253_402_300_799).contains(&at.seconds)
    {
        return Err(refuse());
    }
    let micros = at.seconds * 1_000_000 + i64::from(at.nanos / 1_000);
    Timestamp::from_microsecond(micros).map(Some).map_err(|_| refuse())
}

/// A user or service account; `None` if unset.
///
/// # Errors
/// An empty or over-long id.
pub fn principal(
    path: &str,
    principal: Option<wire::owner::Principal>,
) -> Result<Option<Principal>, Refusal> {
    match principal {
        None => Ok(None),
        Some(wire::owner::Principal::UserId(id)) => {
            Principal::user(id).map(Some).in_field(&format!("{path}.user_id"))
        }
        Some(wire::owner::Principal::ServiceAccountId(id)) => {
            Principal::service_account(id).map(Some).in_field(&format!("{path}.service_account_id"))
        }
    }
}

/// The scopes of a key.
///
/// # Errors
/// A malformed one, or too many.
pub fn scopes(path: &str, codes: Vec<String>) -> Result<ScopeSet, Refusal> {
    let each =
        |(at, code): (usize, String)| code.parse::<Scope>().in_field(&format!("{path}[{at}]"));
    let scopes: Vec<_> = codes.into_iter().enumerate().map(each).collect::<Result<_, _>>()?;
    ScopeSet::new(scopes).in_field(path)
}

/// The address list of a key: `None` if none was given, which is unrestricted.
///
/// # Errors
/// A malformed entry, or too many.
pub fn networks(
    path: &str,
    entries: &[String],
    allow_any: bool,
) -> Result<Option<Vec<Network>>, Refusal> {
    if entries.len() > Network::MAX_ENTRIES {
        return Err(Refusal::field(path, "must have at most 10000 entries"));
    }
    let each = |(at, entry): (usize, &String)| {
        Network::parse(entry, allow_any).in_field(&format!("{path}[{at}]"))
    };
    let mut networks: Vec<_> = entries.iter().enumerate().map(each).collect::<Result<_, _>>()?;
    networks.sort_unstable();
    networks.dedup();
    Ok((!networks.is_empty()).then_some(networks))
}

/// The origins of a key.
///
/// # Errors
/// A malformed pattern, or too many.
pub fn domains(
    path: &str,
    patterns: &[String],
    allow_localhost: bool,
) -> Result<DomainRules, Refusal> {
    if patterns.len() > DomainPattern::MAX_ENTRIES {
        return Err(Refusal::field(path, "must have at most 100 entries"));
    }
    let each = |(at, pattern): (usize, &String)| {
        DomainPattern::parse(pattern).in_field(&format!("{path}[{at}]"))
    };
    let mut patterns: Vec<_> = patterns.iter().enumerate().map(each).collect::<Result<_, _>>()?;
    patterns.sort_unstable();
    patterns.dedup();
    Ok(DomainRules { patterns, allow_localhost })
}

/// Somebody else's secret: 8 to 4,096 visible ASCII characters, and not a mask sent back.
///
/// # Errors
/// Another shape; the message never repeats it.
pub fn foreign_secret(text: String) -> Result<String, InvalidValue> {
    if !(8..=4_096).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidValue::new("must have 8 to 4096 visible ASCII characters"));
    }
    if vault::looks_masked(&text) {
        return Err(InvalidValue::new("must be the secret itself, not its mask"));
    }
    Ok(text)
}

/// The revision of an etag; `None` if none was sent.
///
/// # Errors
/// Not an etag of ours.
pub fn etag(text: &str) -> Result<Option<u64>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|digits| digits.parse().ok())
        // As it was written and in no other spelling: `"+1"` and `"01"` are none of ours.
        .filter(|&revision| super::convert::etag(revision) == text)
        .map(Some)
        .ok_or_else(|| Refusal::field("etag", "must be the etag of an earlier answer"))
}

/// The client's idempotency key (AIP-155); `None` if none was sent.
///
/// # Errors
/// Not 16 to 255 visible ASCII characters.
pub fn request_id(text: &str) -> Result<Option<&str>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if (16..=255).contains(&text.len()) && visible {
        return Ok(Some(text));
    }
    Err(Refusal::field("request_id", "must have 16 to 255 visible ASCII characters"))
}

/// What a call that takes rights away waits for.
pub fn wait(number: i32) -> Result<Wait, Refusal> {
    Ok(match variant("wait", number)? {
        wire::BarrierWait::Unspecified | wire::BarrierWait::AllVerifiers => Wait::AllVerifiers,
        wire::BarrierWait::None => Wait::None,
    })
}
