//! `/verify` of the one-command default: it works at the first start, with nothing put anywhere by hand.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::child::Keyward;
use crate::client::Tenant;
use crate::embedded::Embedded;
use crate::rest_beside_the_service::{ask, rest, status};

/// A start of the service, and what it keeps.
struct Started {
    keyward: Keyward,
    at: SocketAddr,
    credential: String,
    operator: String,
}

impl Started {
    async fn on(embedded: &Embedded) -> Self {
        let keyward = embedded.serve().await;
        let read = |name: &str| {
            let text = std::fs::read_to_string(embedded.folder().join(name)).unwrap();
            text.trim().to_owned()
        };
        let at = rest(&keyward.out()).unwrap();
        let said = format!("http://{at}/verify");
        assert!(keyward.out().contains(&said), "{}", keyward.out());
        Self {
            at,
            credential: read("gateway-credential"),
            operator: read("operator-token"),
            keyward,
        }
    }

    fn verify(&self, key: &str) -> u16 {
        status(self.at, "GET /verify", key)
    }

    /// The service credentials that count.
    fn live(&self) -> Vec<Value> {
        let (status, listed) = ask(self.at, "GET /v1/serviceCredentials", &self.operator, "");
        assert_eq!(status, 200, "{listed}");
        listed["serviceCredentials"].as_array().cloned().unwrap_or_default()
    }
}

#[tokio::test]
async fn verify_works_at_the_first_start_and_with_the_same_credential_at_the_next() {
    let embedded = Embedded::new();
    let first = Started::on(&embedded).await;
    let tenant = Tenant::printed(&first.keyward.out());
    let path = format!("POST /v1/workspaces/{}/keys", tenant.workspace);
    let (_, made) = ask(first.at, &path, &tenant.token, r#"{"name":"a key"}"#);
    let key = made["secret"].as_str().unwrap();
    assert_eq!((first.verify(key), first.verify("kwk_live_x")), (200, 401));
    let file = embedded.folder().join("gateway-credential");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let live = first.live();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0]["permissions"], serde_json::json!(["PERMISSION_VERIFY"]));
    // It may verify, and nothing else.
    assert_eq!(ask(first.at, &path, &first.credential, r#"{"name":"a key"}"#).0, 403);
    first.keyward.stop().await;

    let second = Started::on(&embedded).await;
    assert_eq!((second.verify(key), second.live().len()), (200, 1));
    assert_eq!(second.credential, first.credential);

    // Revoked, it counts no more; the next start makes another.
    let id = live[0]["serviceCredentialId"].as_str().unwrap();
    let revoke = format!("DELETE /v1/serviceCredentials/{id}");
    assert_eq!(ask(second.at, &revoke, &second.operator, "").0, 200);
    assert_eq!(second.verify(key), 503, "never 401");
    second.keyward.stop().await;
    let third = Started::on(&embedded).await;
    assert_eq!((third.verify(key), third.live().len()), (200, 1));
    assert_ne!(third.credential, second.credential);
    third.keyward.stop().await;

    // So does one without it; what was lost counts no more.
    std::fs::remove_file(&file).unwrap();
    let fourth = Started::on(&embedded).await;
    assert_eq!((fourth.verify(key), fourth.live().len()), (200, 1));
    let lost = ask(fourth.at, "POST /v1/keys:verify", &third.credential, "{\"key\":\"x\"}");
    assert_eq!(lost.0, 401, "{}", lost.1);
    fourth.keyward.stop().await;
}

#[tokio::test]
async fn what_is_not_whole_is_made_anew() {
    let embedded = Embedded::new();
    for text in ["", "no credential"] {
        std::fs::write(embedded.folder().join("gateway-credential"), text).unwrap();
        let started = Started::on(&embedded).await;
        assert!(started.credential.starts_with("kws_"), "{text:?}");
        assert_eq!(started.verify("kwk_live_x"), 401);
        started.keyward.stop().await;
    }
}
