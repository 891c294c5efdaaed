//! The domains that a key may be presented from: read with the key's token, changed by its workspace alone.

use api::v1::{Decision, Denial};
use harness::Pair;
use serde_json::{Value, json};

use super::{Velt, error, text};
use crate::rest::Answer;

const GET: &str = "/v2/workspace/domains/get";
const ADD: &str = "/v2/workspace/domains/add";
const DELETE: &str = "/v2/workspace/domains/delete";

const NOBODY: &str =
    "{\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"Invalid API key.\"}}";

impl Velt {
    /// By the workspace, on this key.
    async fn on(&self, key: &str, path: &str, data: Value) -> Answer {
        let ask = self.post(path, &json!({"data": data}).to_string());
        ask.header("x-velt-api-key", key).send().await
    }

    async fn domains(&self, pair: &Pair) -> Vec<String> {
        let got = self.on(&pair.key, GET, json!({})).await.ok();
        serde_json::from_value(got["result"]["data"]["allowedDomains"].clone()).unwrap()
    }

    async fn allowed_at(&self, pair: &Pair, origin: &str) -> Denial {
        let mut question = self.tenant.question(&pair.key);
        question.origin = origin.to_owned();
        let mut keys = self.tenant.client.clone().keys;
        let verdict = keys.verify_key(question).await.unwrap().into_inner();
        if verdict.decision() == Decision::Accepted {
            Denial::Unspecified
        } else {
            verdict.denial()
        }
    }
}

#[tokio::test]
async fn the_documented_requests_add_and_remove_domains_and_the_answers_are_as_documented() {
    let velt = Velt::new("velt add domains").await;
    let pair = velt.pair().await;
    let documented = json!({"domains": ["https://www.google.com", "https://*.firebase.com"]});
    let answer = velt.on(&pair.key, ADD, documented.clone()).await;
    assert_eq!(
        text(&answer),
        "{\"result\":{\"status\":\"success\",\
         \"message\":\"Domain(s) added successfully to allowed domains.\",\
         \"data\":{\"domainsAdded\":[\"google.com\",\"*.firebase.com\"]}}}"
    );
    assert_eq!(answer.status, 200);
    let mut domains = velt.domains(&pair).await;
    domains.sort_unstable();
    assert_eq!(domains, ["*.firebase.com", "google.com"]);

    let again = json!({"domains": ["http://Google.com/", "velt.dev", "VELT.dev"]});
    let answer = velt.on(&pair.key_id, ADD, again.clone()).await;
    assert_eq!(
        text(&answer),
        "{\"result\":{\"status\":\"success\",\"message\":\
         \"Domain(s) added successfully to allowed domains. Skipped existing domains.\",\
         \"data\":{\"domainsAdded\":[\"velt.dev\"],\"skippedDomains\":[\"google.com\"]}}}"
    );

    let answer = velt.on(&pair.key, DELETE, documented).await;
    assert_eq!(
        text(&answer),
        "{\"result\":{\"status\":\"success\",\
         \"message\":\"Domain(s) removed successfully from allowed domains.\",\
         \"data\":{\"domainsRemoved\":[\"google.com\",\"*.firebase.com\"]}}}"
    );
    let answer = velt.on(&pair.key, DELETE, json!({"domains": ["google.com"]})).await;
    assert_eq!(
        text(&answer),
        "{\"result\":{\"status\":\"success\",\"message\":\
         \"Domain(s) removed successfully from allowed domains. Skipped non-existing domains.\",\
         \"data\":{\"domainsRemoved\":[],\"skippedDomains\":[\"google.com\"]}}}"
    );
    assert_eq!(velt.domains(&pair).await, ["velt.dev"]);
}

#[tokio::test]
async fn when_a_domain_is_removed_nobody_accepts_the_key_from_it_any_more() {
    let velt = Velt::new("velt narrows").await;
    let pair = velt.pair().await;
    let everywhere = velt.allowed_at(&pair, "https://example.com").await;
    assert_eq!(everywhere, Denial::Unspecified);
    let both = json!({"domains": ["example.com", "example.org", "localhost"]});
    velt.on(&pair.key, ADD, both).await.ok();
    // The first domain of a key narrows it as well.
    assert_eq!(velt.allowed_at(&pair, "https://example.net").await, Denial::OriginNotAllowed);
    assert_eq!(velt.allowed_at(&pair, "https://example.org").await, Denial::Unspecified);
    velt.on(&pair.key, DELETE, json!({"domains": ["example.org"]})).await.ok();
    assert_eq!(velt.allowed_at(&pair, "https://example.org").await, Denial::OriginNotAllowed);
    assert_eq!(velt.allowed_at(&pair, "https://example.com").await, Denial::Unspecified);
}

#[tokio::test]
async fn the_last_domain_stays_since_without_it_the_key_were_good_from_everywhere() {
    let velt = Velt::new("velt last").await;
    let pair = velt.pair().await;
    let one = json!({"domains": ["bücher.example.com", "localhost"]});
    velt.on(&pair.key, ADD, one.clone()).await.ok();
    for domains in [json!({"domains": ["bücher.example.com"]}), one] {
        let (status, name, message) = error(&velt.on(&pair.key, DELETE, domains).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"));
        assert!(message.starts_with("The last domain can't be removed"), "{message}");
    }
    let kept = ["localhost", "127.0.0.1", "xn--bcher-kva.example.com"];
    assert_eq!(velt.domains(&pair).await, kept);
    assert_eq!(velt.allowed_at(&pair, "https://example.net").await, Denial::OriginNotAllowed);
}

#[tokio::test]
async fn this_very_machine_is_one_switch_that_both_of_its_names_turn() {
    let velt = Velt::new("velt local").await;
    let pair = velt.pair().await;
    velt.on(&pair.key, ADD, json!({"domains": ["http://localhost", "a.example.com"]})).await.ok();
    assert_eq!(velt.domains(&pair).await, ["localhost", "127.0.0.1", "a.example.com"]);
    velt.on(&pair.key, DELETE, json!({"domains": ["127.0.0.1"]})).await.ok();
    assert_eq!(velt.domains(&pair).await, ["a.example.com"]);
    assert_eq!(velt.allowed_at(&pair, "http://localhost:3000").await, Denial::OriginNotAllowed);
}

#[tokio::test]
async fn a_domain_that_breaks_its_rule_is_named_by_its_place_in_the_request() {
    let velt = Velt::new("velt bad domains").await;
    let pair = velt.pair().await;
    velt.on(&pair.key, ADD, json!({"domains": ["example.com"]})).await.ok();
    let many: Vec<_> = (0..101).map(|at| format!("a{at}.example.com")).collect();
    for (data, begins) in [
        (json!({}), "domains is required."),
        (json!({"domains": null}), "domains is required."),
        (json!({"domains": []}), "domains must have 1 to 100 entries."),
        (json!({"domains": many}), "domains must have 1 to 100 entries."),
        (json!({"domains": "a.com"}), "domains must be a list."),
        (json!({"domains": [1]}), "domains[0] must be a string."),
        (json!({"domain": ["a.com"]}), "domain is not a known field."),
    ] {
        for path in [ADD, DELETE] {
            let (status, name, message) = error(&velt.on(&pair.key, path, data.clone()).await);
            assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{data}");
            assert_eq!(message, begins);
        }
    }
    for (domains, begins) in [
        (json!(["example.com", "localhost", "a.example.org", "a b"]), "domains[3] must be a host"),
        (json!(["https://example.org/path"]), "domains[0] must be a host name"),
        (json!(["https://example.org:8080"]), "domains[0] must be a host name"),
        (json!(["co.uk"]), "domains[0] must not be a public suffix"),
        (json!([""]), "domains[0] must be a host name"),
        (json!(many[..100]), "domains must leave the key with at most 100."),
    ] {
        let answer = velt.on(&pair.key, ADD, json!({"domains": domains})).await;
        let (status, name, message) = error(&answer);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{domains}");
        assert!(message.starts_with(begins), "{domains}: {message}");
    }
    assert_eq!(velt.domains(&pair).await, ["example.com"]);
}

#[tokio::test]
async fn two_who_add_at_once_both_have_what_they_added() {
    let velt = Velt::new("velt at once").await;
    let pair = velt.pair().await;
    let add = async |domain: &str| velt.on(&pair.key, ADD, json!({"domains": [domain]})).await;
    let (one, two, three) =
        tokio::join!(add("one.example.com"), add("two.example.com"), add("three.example.com"));
    for answer in [one, two, three] {
        answer.ok();
    }
    let mut domains = velt.domains(&pair).await;
    domains.sort_unstable();
    assert_eq!(domains, ["one.example.com", "three.example.com", "two.example.com"]);
}

#[tokio::test]
async fn domains_are_changed_by_the_workspace_of_the_key_and_by_nobody_else() {
    let (velt, other) = (Velt::new("velt whose").await, Velt::new("velt not whose").await);
    let (pair, foreign) = (velt.pair().await, other.pair().await);
    let (ids, key, auth) = ("x-velt-workspace-id", "x-velt-api-key", "x-velt-auth-token");
    let body = "{\"data\":{\"domains\":[\"example.com\"]}}";
    let (id, token) = (&*velt.tenant.id, &*velt.tenant.token);
    let sent = async |path: &str, headers: &[(&str, &str)]| {
        let ask = velt.rest.post(path, body);
        let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        ask.send().await
    };
    for path in [ADD, DELETE] {
        for headers in [
            vec![],
            // The key's own token reads them, and can't widen the key.
            vec![(key, &*pair.key), (auth, &pair.token)],
            vec![(ids, id), (key, &pair.key), (auth, &pair.token)],
            vec![(ids, id), (auth, token)],
            vec![(key, &pair.key), (auth, token)],
            vec![(ids, id), (key, &foreign.key), (auth, token)],
            vec![(ids, id), (key, &foreign.key_id), (auth, token)],
            vec![(ids, id), (key, "nothing"), (auth, token)],
            vec![(ids, &other.tenant.id), (key, &foreign.key), (auth, token)],
            vec![(ids, id), (key, &pair.key), (auth, &other.tenant.token)],
            vec![(ids, id), (key, &pair.key), (key, &pair.key), (auth, token)],
        ] {
            let answer = sent(path, &headers).await;
            assert_eq!((answer.status.as_u16(), text(&answer)), (403, NOBODY), "{headers:?}");
        }
    }
    assert!(velt.domains(&pair).await.is_empty());
    let read = sent(GET, &[(key, &pair.key), (auth, &pair.token)]).await;
    assert_eq!(read.ok()["result"]["data"], json!({"allowedDomains": []}));
    for headers in [vec![], vec![(ids, id), (key, &*foreign.key), (auth, token)]] {
        assert_eq!(text(&sent(GET, &headers).await), NOBODY);
    }
    velt.tenant.revoke_key(&pair.key_id).await;
    let dead = velt.on(&pair.key, ADD, json!({"domains": ["example.com"]})).await;
    let (status, name, _) = error(&dead);
    assert_eq!((status, name.as_str()), (400, "FAILED_PRECONDITION"));
}
