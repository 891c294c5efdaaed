//! Forged and broken JWTs, each by name: all of them are answered with the same bytes, and nothing is
//! written. Each is one step away from a token that is good, and the good ones beside them are taken.

mod forged;
mod good;

use api::v1::ErrorReason;
use harness::{Credentials, Identities, Refusal, Server, Tenant};
use serde_json::Value;
use tonic::Status;

/// Tokens by name.
type Tokens = Vec<(String, String)>;

/// What tokens are made of.
struct Scene<'a> {
    identities: &'a Identities,
    tenant: &'a Tenant,
}

impl Scene<'_> {
    /// Good claims of an owner, by the provider that signs with EdDSA.
    fn claims(&self) -> Value {
        self.identities.ed.claims(&self.tenant.id, "owner")
    }

    /// A token of that provider, with these claims.
    fn token(&self, claims: &Value) -> String {
        self.identities.ed.key.token(claims)
    }

    /// Good claims but for one member; `Null` takes it away.
    fn with(&self, name: &str, value: Value) -> Value {
        changed(self.claims(), name, value)
    }

    /// A token that is good but for one claim.
    fn claiming(&self, name: &str, value: Value) -> String {
        self.token(&self.with(name, value))
    }

    /// A token that is good but for one member of its header; `Null` takes it away.
    fn heading(&self, name: &str, value: Value) -> String {
        let header = changed(self.identities.ed.key.header(), name, value);
        self.identities.ed.key.token_of(header.to_string(), self.claims().to_string())
    }
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value;
    }
    object
}

/// All that a client sees of a failure.
fn seen(status: &Status) -> (i32, String, Vec<u8>, Vec<String>) {
    let metadata = status.metadata().clone().into_headers();
    let mut names: Vec<_> = metadata.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    (status.code() as i32, status.message().to_owned(), status.details().to_vec(), names)
}

#[tokio::test]
async fn every_forged_or_broken_token_is_answered_with_the_same_bytes_and_writes_nothing() {
    let server = Server::shared().await;
    let tenant = server.workspace("forged").await;
    let scene = Scene { identities: server.identities(), tenant: &tenant };
    let forged = forged::tokens(&scene);
    assert!(forged.len() >= 40, "{}", forged.len());
    let garbage = server.bearer("garbage").keys.list_api_keys(tenant.list()).await.unwrap_err();
    let events = server.tables().events_of(&tenant.id).await;
    for (name, token) in &forged {
        let authorization = format!("Bearer {token}");
        let credentials = Credentials::none().and("authorization", &authorization);
        let mut keys = server.client(&credentials).keys;
        let read = keys.list_api_keys(tenant.list()).await.expect_err(name);
        assert_eq!(Refusal::of(&read).reason, ErrorReason::CredentialInvalid, "{name}");
        assert_eq!(seen(&read), seen(&garbage), "{name}");
        let write = keys.create_api_key(tenant.key("forged")).await.expect_err(name);
        assert_eq!(seen(&write), seen(&garbage), "{name}");
        let verdict = keys.verify_key(tenant.question("x")).await.expect_err(name);
        assert_eq!(seen(&verdict), seen(&garbage), "{name}");
    }
    assert_eq!(server.tables().events_of(&tenant.id).await, events);
}

#[tokio::test]
async fn every_good_token_is_taken() {
    let server = Server::shared().await;
    let tenant = server.workspace("good").await;
    let scene = Scene { identities: server.identities(), tenant: &tenant };
    for (name, token) in good::tokens(&scene) {
        let listed = server.bearer(&token).keys.list_api_keys(tenant.list()).await;
        assert!(listed.is_ok(), "{name}: {listed:?}");
    }
}
