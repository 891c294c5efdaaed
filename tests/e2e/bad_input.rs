//! Every malformed field: INVALID_ARGUMENT with the field's path and a rule, and nothing written. Here
//! those of CreateApiKey.

mod configs;
mod others;

use api::v1::{self as wire, CreateApiKeyRequest};
use harness::{Refusal, Server};
use prost_types::Timestamp;

type Create = CreateApiKeyRequest;

/// The field that is refused, and how it is spoilt in a request that is otherwise right.
type Rows<Asked> = &'static [(&'static str, fn(&mut Asked))];

fn owner(request: &mut Create) -> &mut wire::Owner {
    request.owner.get_or_insert_default()
}

fn email(request: &mut Create) -> &mut wire::EmailServiceSettings {
    request.email.get_or_insert_default()
}

fn webhook(request: &mut Create) -> &mut wire::WebhookServiceSettings {
    request.webhook.get_or_insert_default()
}

fn plan(request: &mut Create) -> &mut wire::Plan {
    request.plan.get_or_insert_default()
}

fn user(id: &str) -> Option<wire::owner::Principal> {
    Some(wire::owner::Principal::UserId(id.to_owned()))
}

fn custom(value: Option<prost_types::value::Kind>, name: &str) -> Option<prost_types::Struct> {
    let value = prost_types::Value { kind: value };
    Some(prost_types::Struct { fields: [(name.to_owned(), value)].into() })
}

const fn moment(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

const FIELDS: Rows<Create> = &[
    ("workspace_id", |r| r.workspace_id.clear()),
    ("workspace_id", |r| r.workspace_id = "ws_1".to_owned()),
    ("workspace_id", |r| r.workspace_id = r.workspace_id.replace("ws_", "key_")),
    ("workspace_id", |r| r.workspace_id = r.workspace_id.to_uppercase()),
    ("workspace_id", |r| r.workspace_id.push(' ')),
    ("name", |r| r.name.clear()),
    ("name", |r| r.name = " \u{a0}\u{2003}".to_owned()),
    ("name", |r| r.name = "x".repeat(129)),
    ("name", |r| r.name = "é".repeat(129)),
    ("name", |r| r.name = "a\0b".to_owned()),
    ("name", |r| r.name = "a\nb".to_owned()),
    ("name", |r| r.name = "a\u{7f}b".to_owned()),
    ("name", |r| r.name = "a\u{85}b".to_owned()),
    ("name", |r| r.name = "a\u{202e}b".to_owned()),
    ("name", |r| r.name = "a\u{2066}b".to_owned()),
    ("env", |r| r.env = 3),
    ("env", |r| r.env = -1),
    ("owner.user_id", |r| owner(r).principal = user("")),
    ("owner.user_id", |r| owner(r).principal = user(&"u".repeat(129))),
    ("owner.user_id", |r| owner(r).principal = user("a\0")),
    ("owner.service_account_id", |r| {
        let empty = wire::owner::Principal::ServiceAccountId(String::new());
        owner(r).principal = Some(empty);
    }),
    ("owner.owner_email", |r| owner(r).owner_email = "nobody".to_owned()),
    ("owner.owner_email", |r| owner(r).owner_email = "a@b\0.example".to_owned()),
    ("owner.owner_email", |r| owner(r).owner_email = format!("a@{}.example", "b".repeat(250))),
    ("description", |r| r.description = "x".repeat(1_025)),
    ("description", |r| r.description = "a\u{202e}b".to_owned()),
    ("scopes[1]", |r| r.scopes = vec!["read".to_owned(), "Write".to_owned()]),
    ("scopes[0]", |r| r.scopes = vec![String::new()]),
    ("scopes[0]", |r| r.scopes = vec!["s".repeat(65)]),
    ("scopes[0]", |r| r.scopes = vec!["re ad".to_owned()]),
    ("scopes", |r| r.scopes = (0..129).map(|n| format!("s{n}")).collect()),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["10.0.0.1/8".to_owned()]),
    ("ip_allowlist[1]", |r| r.ip_allowlist = vec!["10.0.0.0/8".to_owned(), "010.0.0.1".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["10.0.0.0/33".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["fe80::1%eth0".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec![" 10.0.0.1".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["10.1".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["0.0.0.0/0".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["::/0".to_owned()]),
    ("ip_allowlist[0]", |r| r.ip_allowlist = vec!["10.0.0.1\0".to_owned()]),
    ("ip_allowlist", |r| r.ip_allowlist = vec!["10.0.0.1".to_owned(); 10_001]),
    ("allowed_domains[0]", |r| r.allowed_domains = vec!["com".to_owned()]),
    ("allowed_domains[0]", |r| r.allowed_domains = vec!["*.co.uk".to_owned()]),
    ("allowed_domains[0]", |r| r.allowed_domains = vec!["a.*.example.com".to_owned()]),
    ("allowed_domains[0]", |r| r.allowed_domains = vec!["exa mple.com".to_owned()]),
    ("allowed_domains[0]", |r| r.allowed_domains = vec!["localhost".to_owned()]),
    ("allowed_domains", |r| {
        r.allowed_domains = (0..101).map(|n| format!("h{n}.example.com")).collect();
    }),
    ("not_before", |r| r.not_before = moment(0, -1)),
    ("not_before", |r| r.not_before = moment(253_402_300_800, 0)),
    ("expires_at", |r| r.expires_at = moment(0, 1_000_000_000)),
    ("expires_at", |r| r.expires_at = moment(i64::MAX, 0)),
    ("expires_at", |r| r.expires_at = moment(i64::MIN, 0)),
    ("expires_at", |r| r.expires_at = moment(1, 0)),
    ("plan.type", |r| plan(r).r#type = "x".repeat(129)),
    ("plan.custom_data", |r| plan(r).custom = true),
    ("plan.custom_data", |r| {
        plan(r).custom_data = custom(Some(prost_types::value::Kind::BoolValue(true)), "a");
    }),
    ("plan.custom_data", |r| {
        let nan = Some(prost_types::value::Kind::NumberValue(f64::NAN));
        *plan(r) = wire::Plan { custom: true, custom_data: custom(nan, "a"), ..plan(r).clone() };
    }),
    ("plan.custom_data", |r| {
        *plan(r) = wire::Plan { custom: true, custom_data: custom(None, "a"), ..plan(r).clone() };
    }),
    ("plan.custom_data", |r| {
        let text = Some(prost_types::value::Kind::StringValue("a\0".to_owned()));
        *plan(r) = wire::Plan { custom: true, custom_data: custom(text, "a"), ..plan(r).clone() };
    }),
    ("plan.custom_data", |r| {
        let text = Some(prost_types::value::Kind::StringValue("x".repeat(4_097)));
        *plan(r) = wire::Plan { custom: true, custom_data: custom(text, "a"), ..plan(r).clone() };
    }),
    ("email.type", |r| email(r).r#type = 9),
    ("email.api_key", |r| email(r).api_key = "short".to_owned()),
    ("email.api_key", |r| email(r).api_key = "SG....XyZ".to_owned()),
    ("email.api_key", |r| email(r).api_key = "with a blank in it".to_owned()),
    ("email.api_key", |r| email(r).api_key = "k".repeat(4_097)),
    ("email.api_key", |r| {
        email(r).r#type = wire::EmailServiceType::Sendgrid.into();
        email(r).enabled = true;
    }),
    ("email.from_email", |r| email(r).from_email = "nobody".to_owned()),
    ("email.from_company", |r| email(r).from_company = "x".repeat(129)),
    ("email.comment_template_id", |r| email(r).comment_template_id = "a b".to_owned()),
    ("email.tag_template_id", |r| email(r).tag_template_id = "x".repeat(129)),
    ("webhook.auth_token", |r| webhook(r).auth_token = "whs...cks".to_owned()),
    ("webhook.auth_token", |r| webhook(r).auth_token = "1234567".to_owned()),
    ("webhook.raw_notification_url", |r| {
        webhook(r).raw_notification_url = "http://hooks.example.com".to_owned();
    }),
    ("webhook.raw_notification_url", |r| {
        webhook(r).raw_notification_url = "https://169.254.169.254/".to_owned();
    }),
    ("webhook.processed_notification_url", |r| {
        webhook(r).processed_notification_url = "https://user@hooks.example.com/".to_owned();
    }),
    ("metadata", |r| r.metadata = [(String::new(), "x".to_owned())].into()),
    ("metadata", |r| r.metadata = [("x".to_owned(), String::new())].into()),
    ("metadata", |r| r.metadata = [("x".to_owned(), "y".repeat(4_096))].into()),
    ("metadata", |r| r.metadata = [("x".to_owned(), "a\u{2028}b".to_owned())].into()),
    ("request_id", |r| r.request_id = "too-short".to_owned()),
    ("request_id", |r| r.request_id = "x".repeat(256)),
    ("request_id", |r| r.request_id = "sixteen or more with blanks".to_owned()),
    ("request_id", |r| r.request_id = "sixteen-or-more-é".to_owned()),
];

/// How much of the log there is, and of the requests that are remembered.
async fn written(server: &Server) -> (i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM log.events), (SELECT count(*) FROM log.requests)";
    let row = server.tables().row(sql, &[]).await;
    (row.get(0), row.get(1))
}

/// Sends `good` once for each row, spoilt as the row says.
async fn each<Asked: Clone>(
    rows: Rows<Asked>,
    good: Asked,
    send: impl AsyncFn(Asked) -> Result<(), tonic::Status>,
) {
    for (at, (field, spoil)) in rows.iter().enumerate() {
        let mut request = good.clone();
        spoil(&mut request);
        let status = send(request).await.expect_err(&format!("row {at}, {field}"));
        let refusal = Refusal::of(&status);
        assert!(refusal.is_field(field), "row {at}: {field} against {refusal:?}");
        assert!(refusal.rule.starts_with("must") || refusal.rule.starts_with("is required"));
    }
}

#[tokio::test]
async fn every_field_of_create_api_key_is_refused_by_its_path_and_rule() {
    let server = Server::start().await;
    let tenant = server.workspace("bad").await;
    let before = written(&server).await;
    let keys = tenant.client.keys.clone();
    let create = async |asked| keys.clone().create_api_key(asked).await.map(drop);
    each(FIELDS, tenant.key("good"), create).await;
    assert_eq!(written(&server).await, before, "nothing was written");
}

#[tokio::test]
async fn a_refusal_never_repeats_what_was_sent() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("echo").await;
    let planted = "PLANTED-é-VALUE";
    let mut request = tenant.key("good");
    email(&mut request).api_key = planted.to_owned();
    let status = tenant.client.keys.create_api_key(request).await.unwrap_err();
    assert!(!String::from_utf8_lossy(status.details()).contains("PLANTED"));
    assert!(!status.message().contains("PLANTED"));
}
