//! Every documented member of what Velt's paths take: there, not there, null, of each wrong kind, and at the
//! edges of its rule.

use serde_json::{Map, Value, json};

use super::{CREATE, LIST, Velt, error};

/// A kind of JSON, and how the refusal of another one calls it.
const TEXT: (&str, &str) = ("text", "must be a string.");
const FLAG: (&str, &str) = ("flag", "must be true or false.");
const LIST_OF: (&str, &str) = ("list", "must be a list.");
const OBJECT: (&str, &str) = ("object", "must be an object.");
const WHOLE: (&str, &str) = ("number", "must be a whole number.");

/// Members of `apikey/create`.
const MEMBERS: [(&str, (&str, &str)); 24] = [
    ("ownerEmail", TEXT),
    ("type", TEXT),
    ("createAuthToken", FLAG),
    ("apiKeyName", TEXT),
    ("planInfo", OBJECT),
    ("planInfo.type", TEXT),
    ("customPlanInfo", FLAG),
    ("customPlanInfoData", OBJECT),
    ("allowedDomains", LIST_OF),
    ("addLocalHostToAllowedDomains", FLAG),
    ("useEmailService", FLAG),
    ("useWebhookService", FLAG),
    ("emailServiceConfig", OBJECT),
    ("emailServiceConfig.type", TEXT),
    ("emailServiceConfig.apiKey", TEXT),
    ("emailServiceConfig.fromEmail", TEXT),
    ("emailServiceConfig.fromCompany", TEXT),
    ("emailServiceConfig.commentTemplateId", TEXT),
    ("emailServiceConfig.tagTemplateId", TEXT),
    ("webhookServiceConfig", OBJECT),
    ("webhookServiceConfig.authToken", TEXT),
    ("webhookServiceConfig.rawNotificationUrl", TEXT),
    ("webhookServiceConfig.processedNotificationUrl", TEXT),
    // As documented in the list, and no other.
    ("allowedDomains[0]", TEXT),
];

fn samples() -> [(&'static str, Value); 6] {
    [
        ("text", json!("testing")),
        ("flag", json!(true)),
        ("list", json!([])),
        ("object", json!({})),
        ("number", json!(7)),
        ("fraction", json!(1.5)),
    ]
}

/// `value` at `path`, within objects and lists of its own.
fn at(path: &str, value: Value) -> Value {
    if let Some(list) = path.strip_suffix("[0]") {
        return at(list, json!([value]));
    }
    match path.rsplit_once('.') {
        Some((outer, name)) => at(outer, json!({ name: value })),
        None => json!({ path: value }),
    }
}

/// What a key must have, and `more`.
fn with(more: &Value) -> Value {
    let mut data = Map::new();
    data.insert("ownerEmail".to_owned(), "owner@example.com".into());
    data.insert("type".to_owned(), "testing".into());
    data.extend(more.as_object().unwrap().clone());
    Value::Object(data)
}

impl Velt {
    /// Whether a key is made of this; if not, why not.
    async fn made(&self, more: &Value) -> Result<Value, String> {
        let answer = self.send(CREATE, &json!({"data": with(more)})).await;
        if answer.status == 200 {
            return Ok(answer.ok());
        }
        let (status, name, message) = error(&answer);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{more}: {message}");
        Err(message)
    }
}

#[tokio::test]
async fn a_member_of_a_new_key_that_is_of_another_kind_is_refused_by_its_path() {
    let velt = Velt::new("velt kinds").await;
    for (path, (kind, rule)) in MEMBERS {
        for (other, value) in samples() {
            if other == kind {
                continue;
            }
            let refused = velt.made(&at(path, value)).await.unwrap_err();
            assert_eq!(refused, format!("{path} {rule}"), "{other}");
        }
    }
}

#[tokio::test]
async fn a_member_of_a_new_key_that_is_null_is_as_if_it_were_not_there() {
    let velt = Velt::new("velt nulls").await;
    for (path, _) in MEMBERS {
        let made = velt.made(&at(path, Value::Null)).await;
        match path {
            "ownerEmail" | "type" => assert_eq!(made.unwrap_err(), format!("{path} is required.")),
            "allowedDomains[0]" => assert_eq!(made.unwrap_err(), format!("{path} {}", TEXT.1)),
            _ => drop(made.unwrap()),
        }
    }
}

#[tokio::test]
async fn a_name_that_no_member_has_is_refused_wherever_it_is() {
    let velt = Velt::new("velt names").await;
    for name in ["x", "Type", "OWNEREMAIL", "owner_email", "api_key_name"] {
        let refused = velt.made(&json!({name: 1})).await.unwrap_err();
        assert_eq!(refused, format!("{name} is not a known field."));
    }
    assert_eq!(velt.made(&json!({"": 1})).await.unwrap_err(), "\"\" is not a known field.");
    for outer in ["planInfo", "emailServiceConfig", "webhookServiceConfig"] {
        let refused = velt.made(&json!({outer: {"x": null}})).await.unwrap_err();
        assert_eq!(refused, format!("{outer}.x is not a known field."));
    }
}

#[tokio::test]
async fn members_of_a_new_key_may_be_as_large_as_their_rule_says_and_no_larger() {
    let velt = Velt::new("velt edges").await;
    let domains = |count: usize| (0..count).map(|at| format!("a{at}.example.com"));
    let mail = |local: usize, label: usize| {
        let host = format!("{}.{}.{}.com", "b".repeat(63), "c".repeat(63), "d".repeat(label));
        format!("{}@{host}", "a".repeat(local))
    };
    let deep = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"a": inner}));
    let custom = |members: Value| json!({"customPlanInfo": true, "customPlanInfoData": members});
    let url = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20));
    let (email, webhook) = ("emailServiceConfig", "webhookServiceConfig");
    // With `data` and the member itself around it.
    let refused = velt.made(&custom(deep(31))).await.unwrap_err();
    assert!(refused.contains("must not be deeper than 32 levels"), "{refused}");
    for (fits, exceeds, begins) in [
        (json!(mail(61, 60)), json!(mail(62, 60)), "ownerEmail must be an e-mail address"),
        (json!(mail(60, 61)), json!("a@localhost"), "ownerEmail must be an e-mail address"),
    ] {
        velt.made(&json!({"ownerEmail": fits})).await.unwrap();
        let refused = velt.made(&json!({"ownerEmail": exceeds})).await.unwrap_err();
        assert!(refused.starts_with(begins), "{refused}");
    }
    for (path, fits, exceeds) in [
        ("apiKeyName", json!("鍵".repeat(128)), json!("鍵".repeat(129))),
        ("apiKeyName", json!("a"), json!(" ")),
        ("planInfo.type", json!("x".repeat(128)), json!("x".repeat(129))),
        (
            "allowedDomains",
            json!(domains(100).collect::<Vec<_>>()),
            json!(Vec::from_iter(domains(101))),
        ),
    ] {
        velt.made(&at(path, fits)).await.unwrap();
        let refused = velt.made(&at(path, exceeds)).await.unwrap_err();
        assert!(refused.starts_with(&format!("{path} must ")), "{refused}");
    }
    for (fits, exceeds) in [
        (deep(7), deep(9)),
        (json!({"a": "x".repeat(4_000)}), json!({"a": "x".repeat(4_097)})),
        (json!({"a": null}), json!({"a": {"": 1}})),
    ] {
        velt.made(&custom(fits)).await.unwrap();
        let refused = velt.made(&custom(exceeds)).await.unwrap_err();
        assert!(refused.starts_with("customPlanInfoData must "), "{refused}");
    }
    for (outer, name, fits, exceeds) in [
        (email, "apiKey", "x".repeat(4_096), "x".repeat(4_097)),
        (email, "apiKey", "x".repeat(8), "x".repeat(7)),
        (email, "fromEmail", mail(61, 60), mail(62, 60)),
        (email, "fromCompany", "社".repeat(128), "社".repeat(129)),
        (email, "commentTemplateId", "d".repeat(128), "d".repeat(129)),
        (email, "tagTemplateId", "d".repeat(128), "d".repeat(129)),
        (webhook, "authToken", "x".repeat(4_096), "x".repeat(4_097)),
        (webhook, "authToken", "x".repeat(8), "x x x x x".to_owned()),
        (webhook, "rawNotificationUrl", url(2_048), url(2_049)),
        (webhook, "processedNotificationUrl", url(2_048), "http://example.com/".to_owned()),
    ] {
        velt.made(&json!({outer: {name: fits}})).await.unwrap();
        let refused = velt.made(&json!({outer: {name: exceeds}})).await.unwrap_err();
        assert!(refused.starts_with(&format!("{outer}.{name} must ")), "{refused}");
    }
}

#[tokio::test]
async fn a_service_that_is_enabled_with_sendgrid_needs_its_key_and_its_sender() {
    let velt = Velt::new("velt sendgrid").await;
    let (key, from) = ("SG.0123456789abcdef", "from@example.com");
    let create = |enabled: bool, config: Value| {
        let more = json!({"useEmailService": enabled, "emailServiceConfig": config});
        let velt = &velt;
        async move { velt.made(&more).await }
    };
    create(true, json!({"type": "sendgrid", "apiKey": key, "fromEmail": from})).await.unwrap();
    create(false, json!({"type": "sendgrid"})).await.unwrap();
    create(true, json!({"type": "default"})).await.unwrap();
    create(true, json!({})).await.unwrap();
    for (config, begins) in [
        (json!({"type": "sendgrid", "fromEmail": from}), "emailServiceConfig.apiKey is required"),
        (json!({"type": "sendgrid", "apiKey": key}), "emailServiceConfig.fromEmail is required"),
        (json!({"type": "SENDGRID"}), "emailServiceConfig.type must be"),
    ] {
        let refused = create(true, config).await.unwrap_err();
        assert!(refused.starts_with(begins), "{refused}");
    }
}

#[tokio::test]
async fn flags_of_a_new_key_are_what_they_are_set_to_and_else_false() {
    let velt = Velt::new("velt flags").await;
    for (value, set) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let more = json!({
            "addLocalHostToAllowedDomains": value, "useEmailService": value,
            "useWebhookService": value, "createAuthToken": value,
        });
        let answer = velt.create(more).await;
        assert_eq!(!answer.header("x-velt-auth-token").is_empty(), set);
        let made = answer.ok();
        let key_id = velt.key_id(made["result"]["data"]["apiKey"].as_str().unwrap()).await;
        let config = velt.tenant.read_config(&key_id).await;
        assert_eq!(config.allow_localhost, set, "{value}");
        assert_eq!(config.email.is_some_and(|email| email.enabled), set, "{value}");
        assert_eq!(config.webhook.is_some_and(|webhook| webhook.enabled), set, "{value}");
    }
}

#[tokio::test]
async fn every_member_of_a_list_of_keys_is_held_to_its_kind_and_its_edges() {
    let velt = Velt::new("velt list fields").await;
    for (path, (kind, rule)) in
        [("apiKeys", LIST_OF), ("apiKeys[0]", TEXT), ("pageSize", WHOLE), ("pageToken", TEXT)]
    {
        for (other, value) in samples().into_iter().filter(|(other, _)| *other != kind) {
            let answer = velt.send(LIST, &json!({"data": at(path, value)})).await;
            let (status, name, message) = error(&answer);
            assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{path} {other}");
            assert_eq!(message, format!("{path} {rule}"), "{other}");
        }
        let null = velt.send(LIST, &json!({"data": at(path, Value::Null)})).await;
        assert_eq!(null.status.as_u16(), if path == "apiKeys[0]" { 400 } else { 200 }, "{path}");
    }
    for (size, status) in [
        (json!(0), 200),
        (json!(1), 200),
        (json!(100), 200),
        (json!(101), 200),
        (json!(i64::MAX), 200),
        (json!(-1), 400),
        (json!(i64::MIN), 400),
        (json!(u64::MAX), 400),
        (json!(1e3), 400),
    ] {
        let answer = velt.send(LIST, &json!({"data": {"pageSize": size}})).await;
        assert_eq!(answer.status, status, "{size}");
    }
    let named = |count: usize| json!({"data": {"apiKeys": vec!["a"; count]}});
    assert_eq!(velt.send(LIST, &named(100)).await.status, 200);
    let (_, _, message) = error(&velt.send(LIST, &named(101)).await);
    assert!(message.starts_with("apiKeys must have at most 100"), "{message}");
    let (_, _, message) = error(&velt.send(LIST, &json!({"data": {"pageToken": "x"}})).await);
    assert_eq!(message, "pageToken must be the nextPageToken of the same list.");
}

#[tokio::test]
async fn members_of_the_sister_operations_are_held_to_their_kinds() {
    let velt = Velt::new("velt sister fields").await;
    let pair = velt.pair().await;
    let keyed = |path: &str, data: &Value| {
        let ask = velt.rest.post(path, json!({"data": data}).to_string());
        ask.header("x-velt-api-key", &pair.key).header("x-velt-auth-token", &pair.token)
    };
    for (path, member, (kind, rule)) in [
        ("apikey/update", "apiKey", TEXT),
        ("apikey/update", "apiKeyName", TEXT),
        ("authtokens/get", "apiKey", TEXT),
        ("authtoken/reset", "apiKey", TEXT),
        ("apikeyconfig/update", "enablePrivateComments", FLAG),
        ("apikeyconfig/update", "requireJwtToken", FLAG),
        ("apikeyconfig/update", "requireAutoOrgUser", FLAG),
        ("apikeyconfig/update", "defaultDocumentAccessType", TEXT),
        ("apikeyconfig/update", "aiModelApiKey", LIST_OF),
        ("apikeyconfig/update", "aiModelApiKey[0]", OBJECT),
        ("emailconfig/update", "useEmailService", FLAG),
        ("emailconfig/update", "emailServiceConfig", OBJECT),
        ("webhookconfig/update", "useWebhookService", FLAG),
        ("webhookconfig/update", "webhookServiceConfig", OBJECT),
    ] {
        let at_path = format!("/v2/workspace/{path}");
        for (other, value) in samples().into_iter().filter(|(other, _)| *other != kind) {
            let data = at(member, value);
            let answer = match path.contains("config/") {
                true => keyed(&at_path, &data).send().await,
                false => velt.send(&at_path, &json!({"data": data})).await,
            };
            let (status, name, message) = error(&answer);
            assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{path} {member}");
            assert_eq!(message, format!("{member} {rule}"), "{path} {other}");
        }
    }
}
