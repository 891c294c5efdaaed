//! What is kept holds no secret and no address of a person in clear, in no table and in no form.

use std::collections::BTreeMap;

use api::v1::{self as wire, CreateApiKeyResponse};
use harness::{Server, Tables, Tenant};

/// A text in the forms in which it could lie around.
fn forms(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let reversed = text.chars().rev().collect();
    let mut forms = vec![text.to_owned(), hex, reversed];
    // Base64 of the text at each of the three offsets that it can have inside something longer.
    for pad in 0..3 {
        let shifted = [&vec![0; pad], bytes].concat();
        let encoded = base64(&shifted[..shifted.len() / 3 * 3]);
        forms.push(encoded[4..].to_owned());
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let each = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
        [18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63] as char)
    };
    bytes.chunks_exact(3).flat_map(each).collect()
}

/// Fails if any of `planted` is in any table, in any form.
async fn assert_absent(tables: &Tables, planted: &BTreeMap<&str, String>) {
    let dump = tables.dump().await;
    assert!(dump.contains("the report's key"), "the dump holds what is no secret");
    let lower = dump.to_lowercase();
    for (what, text) in planted {
        for form in forms(text) {
            let found = dump.contains(&form) || lower.contains(&form.to_lowercase());
            assert!(!found, "{what} is in the tables as {form}");
        }
    }
}

/// The secret part of a credential: what is behind the public kid, without the checksum.
fn secret_part(credential: &str) -> String {
    let (_, secret) = credential.rsplit_once('_').unwrap();
    secret[..43].to_owned()
}

/// Secrets and addresses that come into a configuration later; each is shown once, too.
async fn put_secrets(
    server: &Server,
    token: &str,
    tenant: &Tenant,
    made: &CreateApiKeyResponse,
) -> [String; 4] {
    let key_id = &made.api_key.as_ref().unwrap().key_id;
    let put = ["sk-the-key-of-an-ai-provider", "the-second-token-of-a-webhook"];
    let mut keys = server.bearer(token).keys;
    let service = server.service(&[wire::Permission::Reveal], &[tenant]).await;
    let mut revealing = server.bearer(&service).keys;
    for (field, secret) in [("ai_models.openai", put[0]), ("webhook.auth_token", put[1])] {
        let request = wire::PutConfigSecretRequest {
            request_id: format!("a-request-for-{field}"),
            ..tenant.put_secret(key_id, field, secret)
        };
        keys.put_config_secret(request).await.unwrap();
        let shown = revealing.reveal_config_secret(tenant.reveal(key_id, field)).await.unwrap();
        assert_eq!(shown.into_inner().secret, secret);
    }
    let addresses = ["second-sender@navy.example", "second-owner@navy.example"];
    let email = wire::EmailService { from_email: addresses[0].to_owned(), ..Default::default() };
    let config = wire::Config {
        owner_email: addresses[1].to_owned(),
        email: Some(email),
        ..wire::Config::default()
    };
    let request = wire::UpdateConfigRequest {
        request_id: "a-request-for-addresses".to_owned(),
        ..tenant.update_config(key_id, &["owner_email", "email.from_email"], config)
    };
    keys.update_config(request).await.unwrap();
    [put[0], put[1], addresses[0], addresses[1]].map(str::to_owned)
}

#[tokio::test]
async fn nothing_secret_lies_in_any_table() {
    let server = Server::start().await;
    let tenant = server.workspace("sealed").await;
    let request = crate::create_api_key::everything(&tenant, server.clock.now().as_second());
    let request = wire::CreateApiKeyRequest {
        request_id: "a-request-whose-answer-is-kept".to_owned(),
        ..request
    };
    let made: CreateApiKeyResponse = tenant.create(request.clone()).await;
    let service = server.service(&[wire::Permission::Verify], &[&tenant]).await;
    let reset = wire::ResetWorkspaceTokenRequest {
        workspace_id: tenant.id.clone(),
        request_id: "a-reset-whose-answer-is-kept".to_owned(),
        ..Default::default()
    };
    let mut operator = server.operator.workspaces.clone();
    let reset = operator.reset_workspace_token(reset).await.unwrap().into_inner();
    let put = put_secrets(&server, &reset.workspace_token, &tenant, &made).await;
    let key_id = made.api_key.as_ref().unwrap().key_id.clone();
    let issued = wire::IssueAuthTokenRequest {
        request_id: "a-token-whose-answer-is-kept".to_owned(),
        ..tenant.issue(&key_id, "issued")
    };
    let mut keys = server.bearer(&reset.workspace_token).keys;
    let issued = keys.issue_auth_token(issued).await.unwrap().into_inner();
    let again = wire::ResetAuthTokenRequest {
        request_id: "a-second-token-whose-answer-is-kept".to_owned(),
        ..tenant.reset(&key_id, &issued.auth_token.unwrap().auth_token_id)
    };
    let again = keys.reset_auth_token(again).await.unwrap().into_inner();
    let (email, webhook) = (request.email.unwrap(), request.webhook.unwrap());
    let planted = BTreeMap::from([
        ("the e-mail provider's key", email.api_key),
        ("the sender's address", email.from_email),
        ("the webhook's token", webhook.auth_token),
        ("the owner's address", request.owner.unwrap().owner_email),
        ("the key", secret_part(&made.secret)),
        ("the auth token", secret_part(&made.auth_token)),
        ("the issued auth token", secret_part(&issued.secret)),
        ("the auth token after its reset", secret_part(&again.secret)),
        ("the first workspace token", secret_part(&tenant.token)),
        ("the second workspace token", secret_part(&reset.workspace_token)),
        ("the service's secret", secret_part(&service)),
        ("the AI provider's key", put[0].clone()),
        ("the webhook's second token", put[1].clone()),
        ("the sender's second address", put[2].clone()),
        ("the owner's second address", put[3].clone()),
        ("the operator's token", server.operator_token()["operator_".len()..].to_owned()),
    ]);
    // The answers are kept for repetition, sealed.
    let kept = "SELECT count(*) FROM log.requests WHERE sealed_reply IS NOT NULL";
    assert_eq!(server.tables().row(kept, &[]).await.get::<_, i64>(0), 7);
    // Both read models have come so far once these are answered.
    keys.get_config(tenant.config(&key_id)).await.unwrap();
    keys.list_api_keys(tenant.list()).await.unwrap();
    assert_absent(&server.tables(), &planted).await;
}

#[tokio::test]
async fn the_search_would_find_what_it_looks_for() {
    let database = testkit::database().await;
    let tables = Tables::of(&database);
    tables
        .run(
            "CREATE SCHEMA log; CREATE TABLE log.leak (a text, b bytea, c jsonb); \
             INSERT INTO log.leak VALUES ('one-planted-text', 'two-planted-text', \
             '{\"x\": \"three-planted-text\"}'), \
             (encode('four-planted-text', 'base64'), NULL, NULL), \
             ('xx' || encode('five-planted-text', 'hex'), NULL, NULL)",
        )
        .await;
    let dump = tables.dump().await;
    for text in ["one", "two", "three", "four", "five"] {
        let planted = format!("{text}-planted-text");
        assert!(forms(&planted).iter().any(|form| dump.contains(form)), "{planted} in {dump}");
    }
}
