//! When two answers are the same: status, and body as JSON, but for what no two calls have in common
//! (ids, secrets, times of now, places in the log).

use serde_json::{Map, Value};

use super::side::Answered;

/// The names of gRPC's codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Members whose values no two calls have in common; their types are compared.
const OWN: [&str; 17] = [
    "atLeast",
    "checkedPosition",
    "confirmed",
    "consistencyToken",
    "elapsed",
    "epoch",
    "etag",
    "eventId",
    "hash",
    "headPosition",
    "kid",
    "mac",
    "nextPageToken",
    "position",
    "staleness",
    "token",
    "xRequestId",
];

/// What is different between ours and Envoy's; nothing if they are the same.
pub(super) fn difference([ours, envoys]: &[Answered; 2]) -> Option<String> {
    let told = |what: &str| {
        let shown = |answer: &Answered| {
            let body: String = String::from_utf8_lossy(&answer.body).chars().take(600).collect();
            format!("{} {}", answer.status, body)
        };
        Some(format!("\n  {what}\n  ours:  {}\n  envoy: {}", shown(ours), shown(envoys)))
    };
    if ours.status != envoys.status {
        return told("other status");
    }
    let [json, envoys_json] = [ours, envoys].map(|answer| json(&answer.body));
    let refused = ours.status >= 400;
    match (json, envoys_json) {
        (Some(json), Some(envoys_json)) => {
            let json = if refused { bare(json) } else { json };
            let envoys_json = if refused { named(envoys_json) } else { envoys_json };
            apart(&normal(json), &normal(envoys_json), "").and_then(|place| told(&place))
        }
        // What Envoy refuses itself is plain text.
        (Some(_), None) if refused => None,
        (None, None) if ours.body == envoys.body => None,
        (_, _) => told("other kind of body"),
    }
}

/// The first line of the body, if it is JSON.
fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().or_else(|| {
        let line = body.split(|&byte| byte == b'\n').next()?;
        serde_json::from_slice(line).ok()
    })
}

/// Ours as a status: `{"error":{...}}` without its frame and the number of HTTP.
fn bare(mut json: Value) -> Value {
    let mut error = json["error"].take();
    if let Some(error) = error.as_object_mut() {
        error.remove("code");
    }
    error
}

/// Envoy's as a status, with the name of its code.
fn named(mut json: Value) -> Value {
    let code = json["code"].as_u64().and_then(|code| usize::try_from(code).ok());
    if let (Some(code), Some(status)) = (code, json.as_object_mut()) {
        status.remove("code");
        status.insert("status".to_owned(), CODES[code].into());
    }
    json
}

fn normal(json: Value) -> Value {
    match json {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let value = match (OWN.contains(&name.as_str()), value) {
                    (true, Value::String(_)) => "(a string)".into(),
                    (true, Value::Number(_)) => "(a number)".into(),
                    (_, value) => normal(value),
                };
                (masked(&name), value)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(entries) => entries.into_iter().map(normal).collect(),
        Value::String(text) => {
            let words = text.split(' ').map(|word| if is_now(word) { "(now)" } else { word });
            masked(&words.collect::<Vec<_>>().join(" ")).into()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// A time of this hour.
#[expect(clippy::disallowed_methods, reason = "the service's clock is the system's")]
fn is_now(text: &str) -> bool {
    let time = text.strip_suffix('Z').and_then(|_| text.parse::<jiff::Timestamp>().ok());
    time.is_some_and(|time| (jiff::Timestamp::now().as_second() - time.as_second()).abs() < 3_600)
}

/// Ids and credentials (`ws_01m7...`, `kwk_live_...`) without what is random in them.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut rest = text;
    while let Some(begin) = rest.find(is_word) {
        out.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
        let word = &rest[..end];
        let random = match word.split_once('_') {
            Some((kind, random)) if kind.len() == 3 && kind.starts_with("kw") => {
                random.find('_').map(|at| kind.len() + 2 + at)
            }
            Some((kind, random)) if random.len() == 26 => Some(kind.len() + 1),
            Some(_) | None => None,
        };
        out.push_str(&word[..random.unwrap_or(word.len())]);
        out.push_str(random.map_or("", |_| "(random)"));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Where two values differ first.
fn apart(ours: &Value, envoys: &Value, place: &str) -> Option<String> {
    match (ours, envoys) {
        (Value::Object(ours), Value::Object(envoys)) => {
            let names = ours.keys().chain(envoys.keys());
            let of = |members: &Map<_, _>, name| members.get(name).cloned().unwrap_or_default();
            names
                .filter(|name| ours.contains_key(*name) != envoys.contains_key(*name))
                .map(|name| format!("{place}/{name} is there once"))
                .next()
                .or_else(|| {
                    ours.keys().find_map(|name| {
                        apart(&of(ours, name), &of(envoys, name), &format!("{place}/{name}"))
                    })
                })
        }
        (Value::Array(ours), Value::Array(envoys)) if ours.len() == envoys.len() => {
            let mut pairs = ours.iter().zip(envoys).enumerate();
            pairs.find_map(|(at, (ours, envoys))| apart(ours, envoys, &format!("{place}/{at}")))
        }
        (ours, envoys) => (ours != envoys).then(|| format!("{place}: {ours} and {envoys}")),
    }
}
