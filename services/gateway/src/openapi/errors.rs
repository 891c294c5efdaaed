//! How an RPC can fail, by what the protos say: its comment and its service's name the reasons, and the
//! comment of a reason names the gRPC code.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::comments::{Comments, first_sentence};
use super::schema::reference;

/// The gRPC codes of reasons, and the HTTP status that goes with each.
const CODES: [(&str, u16); 13] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("ABORTED", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("INTERNAL", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// What the gateway itself refuses, whatever the RPC: status, reason, code.
const OWN: [(u16, &str, &str); 5] = [
    (400, "MESSAGE_MALFORMED", "INVALID_ARGUMENT"),
    (429, "ADDRESS_LIMITED", "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL", "INTERNAL"),
    (503, "SHUTTING_DOWN", "UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
];
/// The same, of RPCs with a body.
const OF_BODIES: [(u16, &str, &str); 3] = [
    (408, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
    (413, "MESSAGE_TOO_LARGE", "OUT_OF_RANGE"),
    (415, "MESSAGE_MALFORMED", "INVALID_ARGUMENT"),
];

/// The reasons of errors by their names.
pub(super) struct Reasons(BTreeMap<String, Reason>);

struct Reason {
    http: u16,
    code: &'static str,
    text: String,
}

/// Reasons that an RPC shares with all of its service, and those of its own.
#[derive(Default)]
struct Of<'r> {
    shared: Vec<&'r str>,
    own: Vec<&'r str>,
}

impl Reasons {
    pub(super) fn read(pool: &DescriptorPool, comments: &Comments) -> Self {
        let mut all = BTreeMap::new();
        let Some(reasons) = pool.get_enum_by_name("keyward.v1.ErrorReason") else {
            return Self(all);
        };
        for value in reasons.values() {
            let text = comments.of(&reasons.parent_file(), value.path());
            let named = text.split_once("Code: ").map_or("", |(_, rest)| rest);
            let known = CODES.iter().find(|(code, _)| named.starts_with(code));
            if let Some(&(code, http)) = known {
                let name = value.name().trim_start_matches("ERROR_REASON_").to_owned();
                all.insert(name, Reason { http, code, text: first_sentence(text).to_owned() });
            }
        }
        Self(all)
    }

    /// The refusals of an RPC by HTTP status.
    pub(super) fn responses(
        &self,
        rpc: &MethodDescriptor,
        comments: &Comments,
        body: bool,
    ) -> Map<String, Value> {
        let service = rpc.parent_service();
        let of_service = comments.of(&service.parent_file(), service.path());
        let mut by_status: BTreeMap<u16, Of<'_>> = BTreeMap::new();
        for name in self.named(of_service) {
            let of = by_status.entry(self.0[name].http).or_default();
            if !of.shared.contains(&name) {
                of.shared.push(name);
            }
        }
        let bodies = OF_BODIES.iter().filter(|_| body);
        for &(http, name, _) in OWN.iter().chain(bodies) {
            let of = by_status.entry(http).or_default();
            if !of.shared.contains(&name) {
                of.shared.push(name);
            }
        }
        for name in self.named(comments.of(&service.parent_file(), rpc.path())) {
            let of = by_status.entry(self.0[name].http).or_default();
            if !of.shared.contains(&name) && !of.own.contains(&name) {
                of.own.push(name);
            }
        }
        by_status.iter().map(|(http, of)| (http.to_string(), self.response(*http, of))).collect()
    }

    /// The reasons that a comment names.
    fn named(&self, comment: &str) -> Vec<&str> {
        let upper = |it: char| it.is_ascii_uppercase() || it == '_';
        let words = comment.split(|it: char| !upper(it));
        words.filter_map(|word| self.0.get_key_value(word).map(|(name, _)| name.as_str())).collect()
    }

    fn response(&self, http: u16, of: &Of<'_>) -> Value {
        let mut text = meaning(http).to_owned();
        for &name in &of.own {
            text.push_str(&format!("\n- `{name}`: {}", self.0[name].text));
        }
        if !of.shared.is_empty() {
            let shared = of.shared.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            text.push_str(&format!("\n- {}", shared.join(", ")));
        }
        let first = of.own.first().or(of.shared.first()).copied().unwrap_or_default();
        let known = OF_BODIES.iter().chain(&OWN).find(|own| own.0 == http && own.1 == first);
        let code = known.map(|own| own.2).or(self.0.get(first).map(|reason| reason.code));
        let message = self.0.get(first).map_or("", |reason| &reason.text);
        let example = json!({"error": {
            "code": http,
            "message": message,
            "status": code,
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": first,
                "domain": "keyward",
            }],
        }});
        let mut response = json!({"description": text, "content": {"application/json": {
            "schema": reference("Error"), "example": example,
        }}});
        for (name, text) in super::compatible::headers_of(http) {
            response["headers"][name] = json!({"schema": {"type": "string"}, "description": text});
        }
        response
    }
}

const fn meaning(http: u16) -> &'static str {
    match http {
        400 => "The request breaks a rule, or what it asks for is not possible as things are.",
        401 => "The credential is missing or not valid.",
        403 => "The caller may not.",
        404 => "It does not exist, or the caller may not see it.",
        408 => "The body came too slowly.",
        409 => "It was done before, or others change it at the same time.",
        413 => "The body is too large.",
        415 => "The body is not JSON in UTF-8.",
        429 => "Too many requests: try again after `Retry-After`.",
        503 => "Not possible now: try again after `Retry-After`.",
        504 => "It took too long; a write may have happened.",
        _ => "A fault of ours.",
    }
}

/// Whether a paragraph only lists reasons, which stand with the responses.
pub(super) fn is_list(paragraph: &str) -> bool {
    let Some(listed) = paragraph.strip_prefix("Errors:") else {
        return false;
    };
    let upper = |word: &str| word.chars().all(|it| it.is_ascii_uppercase() || "_,.;".contains(it));
    listed.split_whitespace().all(upper)
}
