//! How the page groups the RPCs: by what they are about, keys first.

use serde_json::{Value, json};

/// What is in the paths of a group, its name, and what it is. The first one that fits has it.
const GROUPS: [(&[&str], &str, &str); 7] = [
    (
        &["keys:verify", "keys:batchVerify"],
        "Verification",
        "Whether a key may pass, now, from this address, for this. A denied key is an answer, not an error.",
    ),
    (
        &["/config"],
        "Configuration",
        "What goes with a key beside what a verdict looks at. Secrets of others are masked.",
    ),
    (&["/authTokens"], "Auth tokens", "Credentials that manage the configuration of one key."),
    (
        &["/events", "/log", ":verifyAt"],
        "Audit log",
        "What happened, when, by whom; and the proof that nothing is missing.",
    ),
    (&["/serviceCredentials"], "Service credentials", "Callers that are services. Operators only."),
    (&["/keys"], "Keys", "Keys are made, read, changed, switched off and ended."),
    (&[""], "Workspaces", "Tenants, and their tokens."),
];

/// The order in which the page shows them.
const ORDER: [&str; 7] = [
    "Keys",
    "Verification",
    "Configuration",
    "Auth tokens",
    "Workspaces",
    "Service credentials",
    "Audit log",
];

/// The group of a path.
pub(super) fn of(template: &str) -> &'static str {
    let fits = |parts: &[&str]| parts.iter().any(|part| template.contains(part));
    GROUPS.iter().find(|(parts, _, _)| fits(parts)).map_or("", |(_, name, _)| name)
}

/// All of them in their order, as OpenAPI has them.
pub(super) fn tags() -> Vec<Value> {
    let ordered = ORDER.iter().flat_map(|name| GROUPS.iter().filter(move |group| group.1 == *name));
    ordered.map(|(_, name, text)| json!({"name": name, "description": text})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_shown_once_and_a_path_is_in_one() {
        assert_eq!(tags().len(), GROUPS.len());
        let w = "/v1/workspaces/{workspace_id}";
        for (path, group) in [
            ("/v1/keys:verify".to_owned(), "Verification"),
            (format!("{w}/keys"), "Keys"),
            (format!("{w}/keys/{{key_id}}:rotate"), "Keys"),
            (format!("{w}/keys/{{key_id}}:verifyAt"), "Audit log"),
            (format!("{w}/keys/{{key_id}}/config/secrets/{{field}}"), "Configuration"),
            (format!("{w}/keys/{{key_id}}/events"), "Audit log"),
            ("/v1/log/head".to_owned(), "Audit log"),
            (format!("{w}:suspend"), "Workspaces"),
        ] {
            assert_eq!(of(&path), group, "{path}");
        }
    }
}
