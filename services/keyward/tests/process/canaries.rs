//! What is secret is nowhere: secrets are planted in every field that can carry one, rightly and wrongly, and
//! looked for in twelve writings in the log, the traces, the metrics, the details of errors, the events, the
//! tables, and all files of the database with its write-ahead log.
//!
//! Two kinds. Secrets that a request rightly carries or an answer shows once are nowhere at all. What stands
//! by mistake in a field that is no secret may be kept as what that field is; it is never repeated in what
//! people read who have no business with it: logs, traces, metrics, errors.

mod checks;
mod fields;
mod forms;

use api::v1::{self as wire, CreateApiKeyRequest};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::child::Keyward;
use crate::client::{Client, Tenant, bearer, channel};
use crate::deployment::{self, Deployment};
use crate::json_call;
use crate::observability::scrape;
use crate::traces;
use forms::Canaries;

/// What is no secret, and must be found where it belongs, by the same search.
const CONTROL: &str = "no-secret-but-the-name-of-a-key";

/// All that came out of one run.
struct Run {
    /// Nowhere at all.
    secrets: Canaries,
    /// Not in what is said to people.
    misplaced: Canaries,
    /// The refusals, as clients see them.
    refusals: Vec<u8>,
}

impl Run {
    fn refused(&mut self, status: &Status) {
        let headers = format!("{:?}", status.metadata());
        for part in [status.message().as_bytes(), status.details(), headers.as_bytes()] {
            self.refusals.extend_from_slice(part);
            self.refusals.push(b'\n');
        }
    }
}

/// A text that nothing else has in it.
fn canary() -> String {
    (0..40).map(|_| fastrand::alphanumeric()).collect()
}

/// The part of a credential of ours that is secret.
fn secret_part(credential: &str) -> &str {
    &credential[credential.len() - 49..credential.len() - 6]
}

#[tokio::test]
async fn what_is_secret_is_in_no_log_trace_metric_error_event_table_or_file() {
    let (collector, mut traced) = traces::collector().await;
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let flags = ["--log", "trace", "--otlp-endpoint", &collector, "--trace-sample-ratio", "1"];
    let keyward = deployment.serve(&flags).await;
    let mut run =
        Run { secrets: Canaries::default(), misplaced: Canaries::default(), refusals: Vec::new() };
    plant_secrets(&mut run, &keyward, &deployment, &tenant).await;
    misplace(&mut run, &keyward, &deployment, &tenant).await;
    let files = [deployment.file("operator-token"), deployment.file("keyring.toml")];
    let [operator, ring] = files.map(|file| std::fs::read_to_string(file).unwrap());
    run.secrets.add("the operator's token", &operator.trim()["operator_".len()..]);
    for key in ring.split('"').filter(|value| value.len() >= 40) {
        run.secrets.add("a key of the key ring", key);
    }
    assert!(run.secrets.count() > 15 && run.misplaced.count() > 100, "something was not planted");

    let metrics = scrape(keyward.metrics_address()).await;
    let tail = deployment.run(deployment::SERVICE, &["events", "tail", "--no-follow"]).await;
    let finished = keyward.stop().await;
    let mut spans = String::new();
    while let Ok(sent) = traced.try_recv() {
        spans.push_str(&format!("{sent:?}"));
    }
    let tables = deployment.dump().await;
    let said: [(&str, &[u8], &str); 6] = [
        ("the log", finished.err.as_bytes(), "\"level\":\"TRACE\""),
        ("the output", finished.out.as_bytes(), "serves gRPC on"),
        ("the traces", spans.as_bytes(), "grpc.create_api_key"),
        ("the metrics", metrics.as_bytes(), "keyward_verdicts_total"),
        ("the errors", &run.refusals, "update_mask"),
        ("the events", tail.out.as_bytes(), CONTROL),
    ];
    let (secrets, misplaced) = (run.secrets.search(), run.misplaced.search());
    for (place, bytes, control) in said {
        let control = memchr::memmem::find(bytes, control.as_bytes());
        assert!(control.is_some(), "{place}: the search does not find what is there");
        secrets.assert_absent(place, bytes);
        if place != "the events" {
            misplaced.assert_absent(place, bytes);
        }
    }
    secrets.assert_absent("the tables", tables.as_bytes());
    assert!(tables.contains(CONTROL));
    let (mut control, mut wal) = (Canaries::default(), false);
    control.add("the control", CONTROL);
    let control = control.search();
    for (name, bytes) in deployment::files_of_postgres().await {
        if !bytes.is_empty() {
            secrets.assert_absent(&name, &bytes);
        }
        wal |= name.contains("pg_wal") && control.find(&bytes).is_some();
    }
    assert!(wal, "the search does not find in the write-ahead log what is there");
}

/// Uses everything that takes or gives a secret, rightly.
async fn plant_secrets(run: &mut Run, keyward: &Keyward, deployment: &Deployment, tenant: &Tenant) {
    let mut client = Client::new(keyward.address(), tenant);
    let mut planted = |what: &str| {
        let secret = canary();
        run.secrets.add(what, &secret);
        secret
    };
    let request = CreateApiKeyRequest {
        name: CONTROL.to_owned(),
        owner: Some(wire::Owner {
            owner_email: format!("{}@a.example", planted("the owner's address")),
            principal: None,
        }),
        email: Some(wire::EmailServiceSettings {
            api_key: planted("the e-mail provider's key"),
            from_email: format!("{}@a.example", planted("the sender's address")),
            ..Default::default()
        }),
        webhook: Some(wire::WebhookServiceSettings {
            auth_token: planted("the webhook's token"),
            ..Default::default()
        }),
        create_auth_token: true,
        request_id: "a-request-whose-answer-is-kept".to_owned(),
        ..client.plain_key()
    };
    let raw = planted("an imported key");
    let made = client.create(request).await.unwrap();
    let item = wire::ImportApiKeysItem {
        raw: raw.clone(),
        api_key: Some(wire::ApiKey { name: "imported".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let import = wire::ImportApiKeysRequest {
        workspace_id: tenant.workspace.clone(),
        items: vec![item],
        ..Default::default()
    };
    client.rpc.import_api_keys(bearer(&tenant.token, import)).await.unwrap();
    for key in [&made.secret, &raw] {
        client.assert_accepted(key).await;
    }
    for key in [planted("a guess"), format!("{}x", &made.secret[..made.secret.len() - 1])] {
        client.verify(&key).await.unwrap();
    }
    let guess = planted("a guessed credential");
    let refused = client.rpc.list_api_keys(bearer(&guess, Default::default())).await;
    run.refused(&refused.unwrap_err());
    for (what, credential) in [
        ("the key", &made.secret),
        ("the auth token", &made.auth_token),
        ("the workspace token", &tenant.token),
    ] {
        run.secrets.add(what, secret_part(credential));
    }
    plant_others(run, keyward, deployment, tenant, &made).await;
}

/// What the operator makes, and what a rotation answers.
async fn plant_others(
    run: &mut Run,
    keyward: &Keyward,
    deployment: &Deployment,
    tenant: &Tenant,
    made: &wire::CreateApiKeyResponse,
) {
    let operator = std::fs::read_to_string(deployment.file("operator-token")).unwrap();
    let channel = channel(keyward.address());
    let mut operations =
        wire::workspace_service_client::WorkspaceServiceClient::new(channel.clone());
    let asked = wire::CreateServiceCredentialRequest {
        name: "a service".to_owned(),
        permissions: vec![wire::Permission::Verify.into(), wire::Permission::Reveal.into()],
        ..Default::default()
    };
    let service = operations.create_service_credential(bearer(operator.trim(), asked)).await;
    let service = service.unwrap().into_inner().secret;
    run.secrets.add("a service credential", secret_part(&service));
    checks::plant(run, channel.clone(), &service).await;
    let mut client = Client::over(channel, tenant);
    let key_id = made.api_key.as_ref().unwrap().key_id.clone();
    let rotate = wire::RotateApiKeyRequest {
        workspace_id: tenant.workspace.clone(),
        key_id,
        ..Default::default()
    };
    let rotated = client.rpc.rotate_api_key(bearer(&tenant.token, rotate)).await.unwrap();
    run.secrets.add("the rotated key", secret_part(&rotated.into_inner().secret));
    plant_in_a_pair(run, &mut client, tenant, made, &service).await;
}

/// A secret put into a configuration and shown to a service, and what comes with auth tokens.
async fn plant_in_a_pair(
    run: &mut Run,
    client: &mut Client,
    tenant: &Tenant,
    made: &wire::CreateApiKeyResponse,
    service: &str,
) {
    let (workspace_id, key_id) =
        (tenant.workspace.clone(), made.api_key.as_ref().unwrap().key_id.clone());
    let secret = canary();
    run.secrets.add("an AI provider's key", &secret);
    let field = "ai_models.openai".to_owned();
    let put = wire::PutConfigSecretRequest {
        workspace_id: workspace_id.clone(),
        key_id: key_id.clone(),
        field: field.clone(),
        secret: secret.clone(),
        ..Default::default()
    };
    client.rpc.put_config_secret(bearer(&tenant.token, put)).await.unwrap();
    let reveal = wire::RevealConfigSecretRequest {
        workspace_id: workspace_id.clone(),
        key_id: key_id.clone(),
        field,
        ..Default::default()
    };
    let shown = client.rpc.reveal_config_secret(bearer(service, reveal)).await.unwrap();
    assert_eq!(shown.into_inner().secret, secret);
    let issue = wire::IssueAuthTokenRequest {
        workspace_id,
        key_id,
        name: "an app".to_owned(),
        ..Default::default()
    };
    let issued = client.rpc.issue_auth_token(bearer(&tenant.token, issue)).await.unwrap();
    let issued = issued.into_inner().secret;
    run.secrets.add("an issued auth token", secret_part(&issued));
    // The whole key names the key of a token; a JWT of nobody's is refused.
    let mut pair = bearer(&issued, wire::GetConfigRequest::default());
    pair.metadata_mut().insert("x-keyward-api-key", made.secret.parse().unwrap());
    client.rpc.get_config(pair).await.unwrap();
    let parts = [canary(), canary(), canary()];
    for (part, what) in parts.iter().zip(["head", "claims", "signature"]) {
        run.secrets.add(format!("the {what} of a JWT"), part);
    }
    let jwt = bearer(&parts.join("."), wire::ListApiKeysRequest::default());
    run.refused(&client.rpc.list_api_keys(jwt).await.unwrap_err());
}

/// Puts something into every text field of every request that does not belong there.
async fn misplace(run: &mut Run, keyward: &Keyward, deployment: &Deployment, tenant: &Tenant) {
    let operator = std::fs::read_to_string(deployment.file("operator-token")).unwrap();
    let channel = channel(keyward.address());
    let key = Client::new(keyward.address(), tenant);
    let key = key.clone().create(key.plain_key()).await.unwrap().api_key.unwrap().key_id;
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let services = pool.services().filter(|service| service.package_name() == "keyward.v1");
    let mut methods: Vec<_> =
        services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    // The tenant's token is needed for all others.
    methods.sort_by_key(|method| method.name() == "ResetWorkspaceToken");
    for method in &methods {
        for path in fields::text_fields(method) {
            let names: Vec<_> = path.iter().map(|field| field.name()).collect();
            let what = format!("{}.{}", method.name(), names.join("."));
            let (secret, mut message) = (canary(), fields::plain(method, &tenant.workspace, &key));
            fields::plant(&mut message, &path, &secret);
            run.misplaced.add(what, &secret);
            for token in [&tenant.token, operator.trim()] {
                if let Err(status) = send(&channel, method, token, message.clone()).await {
                    run.refused(&status);
                }
            }
        }
    }
}

async fn send(
    channel: &Channel,
    method: &MethodDescriptor,
    token: &str,
    message: prost_reflect::DynamicMessage,
) -> Result<(), Status> {
    let mut request: Request<_> = bearer(token, message);
    // A stream that is opened is given up again.
    request.set_timeout(std::time::Duration::from_secs(2));
    json_call::send(channel, method, request).await.map(drop)
}
