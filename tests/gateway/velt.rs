//! Velt's paths: the documented requests, the documented answers, each field and each error.

mod config;
mod domains;
mod fields;
mod services;
mod sign_up;
mod sisters;

use api::v1::{Environment, Permission};
use harness::{Pair, Server, Tenant};
use serde_json::{Value, json};

use crate::rest::{Answer, Asking, Rest};

const CREATE: &str = "/v2/workspace/apikey/create";
const LIST: &str = "/v2/workspace/apikeys/get";
const CONFIG: &str = "/v2/workspace/apikeyconfig/get";

/// The body that the documentation sends by curl, its placeholders filled in.
const DOCUMENTED: &str = r#"
{
  "data": {
    "ownerEmail": "owner@example.com",
    "type": "testing",
    "createAuthToken": true,
    "apiKeyName": "Mine",
    "planInfo": {
      "type": "sdk test"
    },
    "customPlanInfo": true,
    "customPlanInfoData": {},
    "allowedDomains": [
      "https://www.example.com"
    ],
    "addLocalHostToAllowedDomains": true,
    "useEmailService": true,
    "useWebhookService": true,
    "emailServiceConfig": {
      "type": "sendgrid",
      "apiKey": "SG.0123456789abcdef",
      "fromEmail": "from@example.com",
      "fromCompany": "Example",
      "commentTemplateId": "d-1",
      "tagTemplateId": "d-2"
    },
    "webhookServiceConfig": {
      "authToken": "webhook-token-1",
      "rawNotificationUrl": "https://example.com/raw",
      "processedNotificationUrl": "https://example.com/done"
    }
  }
}
"#;

struct Velt {
    server: Server,
    rest: Rest,
    tenant: Tenant,
}

impl Velt {
    async fn new(name: &str) -> Self {
        let server = Server::shared().await;
        let tenant = server.workspace(name).await;
        Self { server, rest: Rest::shared().await, tenant }
    }

    fn post(&self, path: &str, body: &str) -> Asking {
        let post = self.rest.post(path, body.to_owned());
        let post = post.header("content-type", "application/json");
        post.header("x-velt-workspace-id", &self.tenant.id)
            .header("x-velt-auth-token", &self.tenant.token)
    }

    async fn send(&self, path: &str, body: &Value) -> Answer {
        self.post(path, &body.to_string()).send().await
    }

    async fn create(&self, more: Value) -> Answer {
        let mut data = json!({"ownerEmail": "owner@example.com", "type": "testing"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.send(CREATE, &json!({"data": data})).await
    }

    async fn refused_field(&self, more: Value) -> String {
        let (status, name, message) = error(&self.create(more.clone()).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{more}");
        message
    }

    /// The id of a key that was made, which is good.
    async fn key_id(&self, key: &str) -> String {
        self.tenant.verify(key).await.key.unwrap().key_id
    }

    async fn pair(&self) -> Pair {
        self.tenant.pair(self.tenant.key("Production Key")).await
    }

    async fn config(&self, api_key: &str, token: &str) -> Answer {
        let post = self.rest.post(CONFIG, "");
        post.header("x-velt-api-key", api_key).header("x-velt-auth-token", token).send().await
    }
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

pub(crate) fn error(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("x-request-id").is_empty());
    let body = answer.json();
    let (status, message) = (&body["error"]["status"], &body["error"]["message"]);
    let exact = format!("{{\"error\":{{\"status\":{status},\"message\":{message}}}}}");
    assert_eq!(text(answer), exact);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (answer.status.as_u16(), text(status), text(message))
}

#[tokio::test]
async fn the_documented_request_makes_a_key_and_every_member_arrives() {
    let velt = Velt::new("velt all").await;
    let answer = velt.post(CREATE, DOCUMENTED).send().await;
    let made = answer.ok();
    let secret = made["result"]["data"]["apiKey"].as_str().unwrap();
    let exact = format!(
        "{{\"result\":{{\"status\":\"success\",\"message\":\"API key created successfully.\",\
         \"data\":{{\"apiKey\":\"{secret}\"}}}}}}"
    );
    assert_eq!(text(&answer), exact);
    let key_id = velt.key_id(secret).await;
    let key = velt.tenant.read_key(&key_id).await;
    assert_eq!((key.name.as_str(), key.env()), ("Mine", Environment::Test));
    assert_eq!(key.owner.unwrap().owner_email, "owner@example.com");
    assert_eq!((key.allowed_domains, key.allow_localhost), (vec!["example.com".to_owned()], true));
    let config = velt.tenant.read_config(&key_id).await;
    assert!(config.plan.unwrap().custom);
    let email = config.email.unwrap();
    assert_eq!((email.enabled, email.r#type), (true, 2));
    assert_eq!(email.from_email, "from@example.com");
    assert_eq!(email.from_company, "Example");
    assert_eq!((&*email.comment_template_id, &*email.tag_template_id), ("d-1", "d-2"));
    assert!(!email.api_key_mask.is_empty());
    let webhook = config.webhook.unwrap();
    assert!(webhook.enabled && !webhook.auth_token_mask.is_empty());
    assert_eq!(webhook.raw_notification_url, "https://example.com/raw");
    assert_eq!(webhook.processed_notification_url, "https://example.com/done");
    // The auth token that was asked for is in a header, and it is good.
    let token = answer.header("x-velt-auth-token");
    assert_eq!(velt.config(secret, token).await.status, 200);
}

#[tokio::test]
async fn the_documentations_placeholders_are_refused_by_the_name_of_the_first() {
    let velt = Velt::new("velt placeholders").await;
    let filled = [
        ("owner@example.com", "ownerEmail"),
        ("testing", "type"),
        ("sendgrid", "emailServiceConfig.type"),
    ];
    for (value, member) in filled {
        let body = DOCUMENTED.replace(&format!("\"{value}\""), "\"<string>\"");
        let (status, name, message) = error(&velt.post(CREATE, &body).send().await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"));
        assert!(message.starts_with(&format!("{member} must be ")), "{message}");
    }
}

#[tokio::test]
async fn a_key_has_the_name_and_the_plan_of_its_type_if_none_are_given() {
    let velt = Velt::new("velt defaults").await;
    for (kind, name, plan, env) in [
        ("testing", "Testing Key", "sdk test", Environment::Test),
        ("production", "Production Key", "production", Environment::Live),
    ] {
        let answer = velt.create(json!({"type": kind, "apiKeyName": null})).await;
        assert_eq!(answer.header("x-velt-auth-token"), "", "none was asked for");
        let made = answer.ok();
        let secret = made["result"]["data"]["apiKey"].as_str().unwrap();
        let key_id = velt.key_id(secret).await;
        let key = velt.tenant.read_key(&key_id).await;
        assert_eq!((key.name.as_str(), key.env()), (name, env));
        assert_eq!(velt.tenant.read_config(&key_id).await.plan.unwrap().r#type, plan);
    }
}

#[tokio::test]
async fn every_member_that_breaks_its_rule_is_named_as_the_documentation_names_it() {
    let velt = Velt::new("velt rules").await;
    for (more, message) in [
        (json!({"ownerEmail": null}), "ownerEmail is required."),
        (json!({"ownerEmail": ""}), "ownerEmail is required."),
        (json!({"type": null}), "type is required."),
        (json!({"type": "live"}), "type must be \"testing\" or \"production\"."),
        (json!({"customPlanInfo": true}), "customPlanInfoData is required."),
        (json!({"customPlanInfoData": {}}), "customPlanInfoData must come with customPlanInfo."),
        (json!({"createAuthToken": "yes"}), "createAuthToken must be true or false."),
        (json!({"planInfo": {"typo": ""}}), "planInfo.typo is not a known field."),
        (json!({"ipWhitelist": []}), "ipWhitelist is not a known field."),
        // The service's own names are not known here, and not taken for what they are there.
        (json!({"name": "a"}), "name is not a known field."),
        (json!({"plan": {}}), "plan is not a known field."),
        (json!({"workspace_id": "a"}), "workspace_id is not a known field."),
        (json!({"allowedDomains": "a"}), "allowedDomains must be a list."),
        (json!({"allowedDomains": ["a.com", 1]}), "allowedDomains[1] must be a string."),
        (json!({"apiKeyName": ""}), "apiKeyName is required."),
    ] {
        assert_eq!(velt.refused_field(more).await, message);
    }
    for (more, begins) in [
        (json!({"ownerEmail": "nobody"}), "ownerEmail must be an e-mail address"),
        (json!({"apiKeyName": "x".repeat(200)}), "apiKeyName must have"),
        (json!({"planInfo": {"type": "\u{0}"}}), "planInfo.type must"),
        (json!({"allowedDomains": ["a.com", "//"]}), "allowedDomains[1] must"),
        (
            json!({"customPlanInfo": true, "customPlanInfoData": {"": 1}}),
            "customPlanInfoData must have no empty member name",
        ),
        (json!({"emailServiceConfig": {"fromEmail": "x"}}), "emailServiceConfig.fromEmail must"),
        (json!({"emailServiceConfig": {"apiKey": "x"}}), "emailServiceConfig.apiKey must"),
        (
            json!({"useEmailService": true, "emailServiceConfig": {"type": "sendgrid"}}),
            "emailServiceConfig.apiKey is",
        ),
        (
            json!({"webhookServiceConfig": {"rawNotificationUrl": "http://a.com"}}),
            "webhookServiceConfig.rawNotificationUrl must",
        ),
        (
            json!({"webhookServiceConfig": {"authToken": "x"}}),
            "webhookServiceConfig.authToken must",
        ),
    ] {
        let message = velt.refused_field(more).await;
        assert!(message.starts_with(begins) && message.ends_with('.'), "{message}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_as_it_must_be_is_refused_in_the_envelope() {
    let velt = Velt::new("velt bodies").await;
    for (body, begins) in [
        ("", "data is required."),
        ("{}", "data is required."),
        ("null", "data is required."),
        ("{\"data\": null}", "data is required."),
        ("{\"data\": []}", "data must be an object."),
        ("{\"data\": {}, \"date\": {}}", "date is not a known field."),
        ("{\"data\": {}, \"data\": {}}", "data must be there once."),
        ("{", "the body is no JSON"),
        ("[]", "the body must be an object."),
        ("{\"data\": {\"ownerEmail\": \"\\ud800\"}}", "ownerEmail is no JSON"),
    ] {
        let (status, name, message) = error(&velt.post(CREATE, body).send().await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{body}");
        assert!(message.starts_with(begins), "{body}: {message}");
    }
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(error(&velt.post(CREATE, &deep).send().await).0, 400);
    let large = format!("{{\"data\": null{}}}", " ".repeat(65 * 1024));
    let (status, name, _) = error(&velt.post(CREATE, &large).send().await);
    assert_eq!((status, name.as_str()), (413, "INVALID_ARGUMENT"));
    let text = velt.rest.post(CREATE, "{}").header("content-type", "text/plain");
    let text = text.header("x-velt-workspace-id", &velt.tenant.id);
    let (status, name, _) =
        error(&text.header("x-velt-auth-token", &velt.tenant.token).send().await);
    assert_eq!((status, name.as_str()), (415, "INVALID_ARGUMENT"));
    let (status, name, _) = error(&velt.rest.get(CREATE).send().await);
    assert_eq!((status, name.as_str()), (405, "UNIMPLEMENTED"));
    let (status, name, _) = error(&velt.rest.post("/v2/nothing", "{}").send().await);
    assert_eq!((status, name.as_str()), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn whatever_is_wrong_with_the_credentials_of_a_workspace_is_one_answer() {
    let (velt, other) = (Velt::new("velt mine").await, Velt::new("velt other").await);
    let pair = velt.pair().await;
    let (id, token) = (velt.tenant.id.as_str(), velt.tenant.token.as_str());
    let service = velt.server.service(&[Permission::OrgReadWrite], &[&velt.tenant]).await;
    let user = velt.server.user_token(&velt.tenant, "owner");
    let ids = "x-velt-workspace-id";
    let (auth, alias) = ("x-velt-auth-token", "x-velt-workspace-auth-token");
    let exact = "{\"error\":{\"status\":\"PERMISSION_DENIED\",\
                 \"message\":\"Invalid workspace credentials.\"}}";
    for path in [CREATE, LIST] {
        for headers in [
            vec![],
            vec![(ids, id)],
            vec![(auth, token)],
            vec![(ids, ""), (auth, token)],
            vec![(ids, "ws_1"), (auth, token)],
            vec![(ids, "ws_01m7z4q90pffyr6grw1xbf0abq"), (auth, token)],
            vec![(ids, &other.tenant.id), (auth, token)],
            vec![(ids, id), (auth, &other.tenant.token)],
            vec![(ids, id), (auth, "x")],
            vec![(ids, id), (auth, &pair.token)],
            vec![(ids, id), (auth, &pair.key)],
            vec![(ids, id), (auth, &service)],
            vec![(ids, id), (auth, &user)],
            vec![(ids, id), (auth, token), (auth, token)],
            vec![(ids, id), (ids, id), (auth, token)],
            vec![(ids, id), (auth, token), (alias, &other.tenant.token)],
            vec![(ids, id), ("authorization", token)],
        ] {
            let body = "{\"data\":{\"ownerEmail\":\"a@example.com\",\"type\":\"testing\"}}";
            let body = if path == LIST { "{}" } else { body };
            let ask = velt.rest.post(path, body);
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            let answer = ask.send().await;
            assert_eq!((answer.status.as_u16(), text(&answer)), (403, exact), "{headers:?}");
        }
    }
    for headers in [vec![(ids, id), (alias, token)], vec![(ids, id), (auth, token), (alias, token)]]
    {
        let ask = velt.rest.post(LIST, "");
        let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
        assert_eq!(ask.send().await.status, 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a_create_is_done_once_by_its_idempotency_key() {
    let velt = Velt::new("velt once").await;
    let body = "{\"data\":{\"ownerEmail\":\"a@example.com\",\"type\":\"testing\"}}";
    let other = body.replace("a@example", "b@example");
    let send = async |key: &str, body: &str| {
        velt.post(CREATE, body).header("idempotency-key", key).send().await
    };
    let first = send("0123456789abcdef", body).await;
    assert_eq!(first.ok(), send("0123456789abcdef", body).await.ok());
    let (status, name, _) = error(&send("0123456789abcdef", &other).await);
    assert_eq!((status, name.as_str()), (409, "ALREADY_EXISTS"));
    let (status, _, message) = error(&send("short", body).await);
    assert_eq!(status, 400);
    assert!(message.starts_with("Idempotency-Key must have 16 to 255"), "{message}");
}

#[tokio::test]
async fn lists_are_by_id_and_paged_as_documented() {
    let velt = Velt::new("velt list").await;
    let empty = velt.post(LIST, "").send().await;
    assert_eq!(
        text(&empty),
        "{\"result\":{\"status\":\"success\",\"message\":\"API keys retrieved successfully.\",\
         \"data\":[]}}"
    );
    let mut ids = Vec::new();
    for (name, env) in [("Production Key", Environment::Live), ("Testing Key", Environment::Test)] {
        let mut key = velt.tenant.key(name);
        key.env = env.into();
        ids.push(velt.tenant.create(key).await.api_key.unwrap().key_id);
    }
    let dead = velt.tenant.create_key("dead").await.api_key.unwrap().key_id;
    velt.tenant.revoke_key(&dead).await;
    let all = format!(
        "{{\"result\":{{\"status\":\"success\",\"message\":\"API keys retrieved successfully.\",\
         \"data\":[{{\"id\":\"{}\",\"apiKeyName\":\"Production Key\",\"type\":\"production\"}},\
         {{\"id\":\"{}\",\"apiKeyName\":\"Testing Key\",\"type\":\"testing\"}}]}}}}",
        ids[0], ids[1]
    );
    for body in [
        "",
        "{}",
        "{\"data\":null}",
        "{\"data\":{}}",
        "{\"data\":{\"apiKeys\":[],\"pageSize\":0}}",
        "{\"data\":{\"pageSize\":50}}",
        "{\"data\":{\"pageSize\":100000000000}}",
    ] {
        assert_eq!(text(&velt.post(LIST, body).send().await), all, "{body}");
    }
    let first = velt.send(LIST, &json!({"data": {"pageSize": 1}})).await.ok();
    let token = first["result"]["nextPageToken"].as_str().unwrap().to_owned();
    assert_eq!(first["result"]["data"][0]["id"], ids[0].as_str());
    let next = json!({"data": {"pageSize": 1, "pageToken": token}});
    let next = velt.send(LIST, &next).await.ok();
    assert_eq!(next["result"]["data"][0]["id"], ids[1].as_str());
    let other = json!({"data": {"pageToken": token, "apiKeys": [ids[0]]}});
    for body in [
        other,
        json!({"data": {"pageToken": "eyJsYXN0SWQiOiJ2ZWx0X2FwaV9rZXlfMiJ9"}}),
        json!({"data": {"pageSize": -1}}),
        json!({"data": {"pageSize": 1.5}}),
        json!({"data": {"pageSize": "5"}}),
        json!({"data": {"size": 5}}),
        json!({"data": {"apiKeys": vec!["a"; 101]}}),
    ] {
        let (status, name, _) = error(&velt.send(LIST, &body).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{body}");
    }
}

#[tokio::test]
async fn a_list_may_name_keys_by_id_by_the_whole_key_and_by_its_masked_form() {
    let (velt, other) = (Velt::new("velt named").await, Velt::new("velt not named").await);
    let pair = velt.pair().await;
    velt.pair().await;
    let foreign = other.pair().await;
    let masked = velt.tenant.read_key(&pair.key_id).await.display;
    let found = async |names: Vec<&str>| {
        let page = velt.send(LIST, &json!({"data": {"apiKeys": names}})).await.ok();
        let page = page["result"]["data"].as_array().unwrap().clone();
        page.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mine = vec![pair.key_id.clone()];
    for name in [&pair.key_id, &pair.key, &masked] {
        assert_eq!(found(vec![name]).await, mine, "{name}");
        assert_eq!(found(vec![name, "velt_api_key_1", &foreign.key]).await, mine, "{name}");
    }
    for name in ["velt_api_key_1", "", "kwk_live_x", "key_1", &foreign.key, &foreign.key_id] {
        assert_eq!(found(vec![name]).await, Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn the_surface_can_be_switched_off() {
    let settings = gateway::config::Settings {
        without: Some(vec![gateway::surface::Surface::Velt]),
        ..crate::rest::settings(Server::shared().await.address())
    };
    let rest = Rest::start(settings).await;
    let answer = rest.post(CREATE, "{}").send().await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    rest.stop().await;
}
