//! Nothing secret is ever written down: every secret that was issued, given or presented is looked
//! for, in many encodings, in all that the binary says, at the noisiest log level.

use api::v1::workspace_service_client::WorkspaceServiceClient;
use api::v1::{
    CreateServiceCredentialRequest, CreateWorkspaceRequest, GetConfigRequest,
    IssueAuthTokenRequest, Permission, PutConfigSecretRequest, ResetAuthTokenRequest,
    RevealConfigSecretRequest,
};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::child::Keyward;
use crate::client::{Client, Tenant, bearer, channel};
use crate::deployment::Deployment;
use crate::embedded::Embedded;
use crate::observability::scrape;

const EMAIL_KEY: &str = "SG.canary-of-the-email-provider.0123456789abcdef";
const WEBHOOK_TOKEN: &str = "canary-of-the-webhook-0123456789abcdef";
const AI_KEY: &str = "sk-canary-of-the-ai-provider-0123456789abcdef";
const IDEMPOTENCY: &str = "canary-request-0001";

/// Secrets of one run, with what each is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, what: &'static str, secret: impl Into<String>) {
        self.0.push((what, secret.into()));
    }

    /// Fails if `text` has one of them, in whatever writing.
    fn assert_not_in(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            assert!(!secret.is_empty(), "there is no {what}");
            for (writing, written) in writings(secret) {
                assert!(!text.contains(&written), "the {what} is in {place}, {writing}");
            }
        }
    }
}

/// A secret as it might be written down. Of what Keyward issues, the part that is secret: 43
/// characters before the checksum.
fn writings(whole: &str) -> Vec<(&'static str, String)> {
    let issued = ["kwk_", "kwa_", "kww_", "kws_"].iter().any(|begin| whole.starts_with(begin));
    let secret = if issued { &whole[whole.len() - 49..whole.len() - 6] } else { whole };
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes = format!("{:?}", secret.as_bytes());
    let reversed: String = secret.chars().rev().collect();
    let escaped: String = secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut all = vec![
        ("as it is", secret.to_owned()),
        ("in part", secret[secret.len() / 2..].to_owned()),
        ("in hexadecimal", hex.to_uppercase()),
        ("as escaped bytes", escaped),
        ("percent-encoded", percent),
        ("as numbers", bytes[1..bytes.len() - 1].to_owned()),
        ("backwards", reversed),
        ("in hexadecimal", hex),
    ];
    // Whatever it is preceded by, one of three alignments shows in Base64.
    for skip in 0..3 {
        let inner = &secret.as_bytes()[skip..];
        all.push(("in Base64", STANDARD_NO_PAD.encode(&inner[..inner.len() / 3 * 3])));
    }
    all
}

/// Uses everything that takes or gives a secret, rightly and wrongly.
async fn use_everything(keyward: &Keyward, tenant: &Tenant, operator: &str) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add("workspace token", &tenant.token);
    secrets.add("operator token", operator);
    secrets.add("e-mail key", EMAIL_KEY);
    secrets.add("webhook token", WEBHOOK_TOKEN);
    let mut client = Client::new(keyward.address(), tenant);
    let mut request = client.plain_key();
    request.create_auth_token = true;
    request.request_id = IDEMPOTENCY.to_owned();
    request.email.get_or_insert_default().api_key = EMAIL_KEY.to_owned();
    request.webhook.get_or_insert_default().auth_token = WEBHOOK_TOKEN.to_owned();
    let created = client.create(request.clone()).await.unwrap();
    assert_eq!(client.create(request).await.unwrap().secret, created.secret, "repeated");
    client.assert_accepted(&created.secret).await;

    // A right key in a wrong place, with a typing error, and as a bearer.
    let typo = format!("{}x", &created.secret[..created.secret.len() - 1]);
    client.verify(&typo).await.unwrap();
    let wrong = Tenant { token: created.secret.clone(), workspace: tenant.workspace.clone() };
    Client::new(keyward.address(), &wrong).verify(&created.secret).await.unwrap_err();
    let mut misplaced = client.plain_key();
    misplaced.name = format!("\u{202e}{}", created.secret);
    client.create(misplaced).await.unwrap_err();
    let key_id = created.api_key.unwrap().key_id;
    use_an_auth_token(&mut client, tenant, &key_id, &mut secrets).await;
    let config = GetConfigRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: key_id.clone(),
        ..GetConfigRequest::default()
    };
    let config = client.rpc.get_config(bearer(&tenant.token, config)).await.unwrap();
    secrets.assert_not_in("the configuration", &format!("{config:?}"));
    secrets.add("API key", created.secret);
    secrets.add("auth token", created.auth_token);

    let mut operations = WorkspaceServiceClient::new(channel(keyward.address()));
    let made = CreateWorkspaceRequest { name: "second".into(), ..Default::default() };
    let made = operations.create_workspace(bearer(operator, made)).await.unwrap().into_inner();
    secrets.add("second workspace token", made.workspace_token);
    let made = CreateServiceCredentialRequest {
        name: "checker".into(),
        permissions: vec![Permission::Verify.into(), Permission::Reveal.into()],
        workspace_ids: vec![tenant.workspace.clone()],
        ..Default::default()
    };
    let made = operations.create_service_credential(bearer(operator, made)).await.unwrap();
    let service = made.into_inner().secret;
    put_and_reveal(&mut client, tenant, &service, &key_id).await;
    secrets.add("AI provider's key", AI_KEY);
    secrets.add("service credential", service);
    secrets
}

/// Puts a secret into a configuration, rightly and wrongly, and asks for it, rightly and wrongly.
async fn put_and_reveal(client: &mut Client, tenant: &Tenant, service: &str, key_id: &str) {
    let put = |field: &str, secret: &str| {
        let request = PutConfigSecretRequest {
            workspace_id: tenant.workspace.clone(),
            key_id: key_id.to_owned(),
            field: field.to_owned(),
            secret: secret.to_owned(),
            ..PutConfigSecretRequest::default()
        };
        bearer(&tenant.token, request)
    };
    client.rpc.put_config_secret(put("ai_models.openai", AI_KEY)).await.unwrap();
    client.rpc.put_config_secret(put("no_such_field", AI_KEY)).await.unwrap_err();
    client.rpc.put_config_secret(put("ai_models.x", &format!("{AI_KEY}\0"))).await.unwrap_err();
    let reveal = RevealConfigSecretRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: key_id.to_owned(),
        field: "ai_models.openai".to_owned(),
        reason_text: "a canary".to_owned(),
    };
    client.rpc.reveal_config_secret(bearer(&tenant.token, reveal.clone())).await.unwrap_err();
    let shown = client.rpc.reveal_config_secret(bearer(service, reveal)).await.unwrap();
    assert_eq!(shown.into_inner().secret, AI_KEY);
}

/// Makes an auth token, calls with it rightly and wrongly, and has it reset itself.
async fn use_an_auth_token(
    client: &mut Client,
    tenant: &Tenant,
    key_id: &str,
    secrets: &mut Secrets,
) {
    let made = IssueAuthTokenRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: key_id.to_owned(),
        name: "an app".to_owned(),
        request_id: format!("{IDEMPOTENCY}-token"),
        ..IssueAuthTokenRequest::default()
    };
    let made = client.rpc.issue_auth_token(bearer(&tenant.token, made)).await.unwrap().into_inner();
    let mut itself = bearer(&made.secret, ResetAuthTokenRequest::default());
    itself.metadata_mut().insert("x-keyward-api-key", key_id.parse().unwrap());
    let reset = client.rpc.reset_auth_token(itself).await.unwrap().into_inner();
    let mut over = bearer(&made.secret, ResetAuthTokenRequest::default());
    over.metadata_mut().insert("x-keyward-api-key", key_id.parse().unwrap());
    client.rpc.reset_auth_token(over).await.unwrap_err();
    secrets.add("issued auth token", made.secret);
    secrets.add("auth token after its reset", reset.secret);
}

#[tokio::test]
async fn no_secret_is_in_output_logs_or_metrics_of_a_deployment() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let operator = std::fs::read_to_string(deployment.file("operator-token")).unwrap();
    let keyring = std::fs::read_to_string(deployment.file("keyring.toml")).unwrap();
    let keyward = deployment.serve(&["--log", "trace"]).await;
    let mut secrets = use_everything(&keyward, &tenant, operator.trim()).await;
    add_key_ring(&mut secrets, &keyring);
    secrets.assert_not_in("the metrics", &scrape(keyward.metrics_address()).await);
    let finished = keyward.stop().await;
    assert!(finished.err.contains("\"level\":\"TRACE\""), "it was not noisy");
    secrets.assert_not_in("the output", &finished.out);
    secrets.assert_not_in("the log", &finished.err);
}

#[tokio::test]
async fn no_secret_but_the_demo_token_is_in_what_the_first_command_says() {
    let embedded = Embedded::new();
    let keyward = embedded.start(&["--log", "trace"]).up().await;
    let tenant = Tenant::printed(&keyward.out());
    let file = |name: &str| std::fs::read_to_string(embedded.folder().join(name)).unwrap();
    let mut secrets = use_everything(&keyward, &tenant, file("operator-token").trim()).await;
    add_key_ring(&mut secrets, &file("keyring.toml"));
    secrets.add("password of Postgres", file("cluster/password").trim());
    secrets.add("credential of the gateway", file("gateway-credential").trim());
    let finished = keyward.stop().await;
    secrets.assert_not_in("the log", &finished.err);
    secrets.assert_not_in("the log of Postgres", &file("postgres.log"));
    // What the service's role logs in with is nowhere but in memory.
    for place in [&finished.err, &file("postgres.log")] {
        for set in place.split("PASSWORD '").skip(1) {
            let shown = set.lines().next().unwrap();
            // The second is an example, in a comment of deploy/roles.sql.
            let harmless = ["SCRAM-SHA-256$", "...'"].iter().any(|begin| set.starts_with(begin));
            assert!(harmless, "a password in the open: {shown}");
        }
    }
    let shown_once = finished.out.replacen(&tenant.token, "", 1);
    secrets.assert_not_in("the banner, besides the one place", &shown_once);
}

fn add_key_ring(secrets: &mut Secrets, keyring: &str) {
    let values = keyring.split('"').filter(|value| value.len() >= 40);
    let before = secrets.0.len();
    for value in values {
        secrets.add("key of the key ring", value);
    }
    assert!(secrets.0.len() > before, "the key ring has keys");
}
