//! Service credentials with an identity instead of a secret, as the operator sees them. Calls with
//! certificates are in the service's own tests, where there is TLS.

use api::v1::{
    self as wire, CreateServiceCredentialRequest, CreateServiceCredentialResponse, ErrorReason,
    ListServiceCredentialsRequest, Permission, RevokeServiceCredentialRequest,
};
use harness::{Refused, Server};
use tonic::{Response, Status};

fn identified(identity: &str) -> CreateServiceCredentialRequest {
    CreateServiceCredentialRequest {
        name: "edge".to_owned(),
        permissions: vec![Permission::Verify.into()],
        identity: identity.to_owned(),
        ..Default::default()
    }
}

async fn make(
    server: &Server,
    asked: CreateServiceCredentialRequest,
) -> Result<Response<CreateServiceCredentialResponse>, Status> {
    server.operator.workspaces.clone().create_service_credential(asked).await
}

async fn made(server: &Server, asked: CreateServiceCredentialRequest) -> wire::ServiceCredential {
    let made = make(server, asked).await.unwrap().into_inner();
    assert_eq!(made.secret, "", "there is no secret");
    made.service_credential.unwrap()
}

async fn revoke(server: &Server, made: &wire::ServiceCredential) {
    let asked = RevokeServiceCredentialRequest {
        service_credential_id: made.service_credential_id.clone(),
        ..Default::default()
    };
    let mut operator = server.operator.workspaces.clone();
    let ended = operator.revoke_service_credential(asked).await.unwrap().into_inner();
    assert_eq!(ended.service_credential.unwrap().identity, made.identity);
}

#[tokio::test]
async fn one_identity_is_one_live_service_credential() {
    let server = Server::start().await;
    let identity = "spiffe://example.org/edge";
    let mut ids = Vec::new();
    for round in 0..3 {
        let live = made(&server, identified(identity)).await;
        assert_eq!((live.identity.as_str(), live.display.as_str()), (identity, ""), "{round}");
        let refusal = make(&server, identified(identity)).await.refused();
        assert_eq!(refusal.reason, ErrorReason::ServiceIdentityTaken);
        made(&server, identified(&format!("{identity}/{round}"))).await;
        revoke(&server, &live).await;
        ids.push(live.service_credential_id);
    }
    let live = made(&server, identified(identity)).await;
    ids.push(live.service_credential_id);
    for (show_dead, expected) in [(false, &ids[3..]), (true, &ids[..])] {
        let asked = ListServiceCredentialsRequest { show_dead, ..Default::default() };
        let mut operator = server.operator.workspaces.clone();
        let listed = operator.list_service_credentials(asked).await.unwrap().into_inner();
        let own = listed.service_credentials.iter().rev().filter(|one| one.identity == identity);
        let own: Vec<_> = own.map(|one| one.service_credential_id.clone()).collect();
        assert_eq!(own, expected);
    }
}

#[tokio::test]
async fn of_many_that_are_made_at_once_one_is() {
    let server = Server::shared().await;
    for round in 0..5 {
        let identity = format!("spiffe://example.org/at-once/{round}");
        let at_once = (0..6).map(|_| make(&server, identified(&identity)));
        let answers = futures_util::future::join_all(at_once).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(made.len(), 1);
        for answer in refused {
            assert_eq!(answer.refused().reason, ErrorReason::ServiceIdentityTaken);
        }
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_before() {
    let server = Server::shared().await;
    let request_id = "service-identities-0001".to_owned();
    let asked =
        CreateServiceCredentialRequest { request_id, ..identified("spiffe://example.org/again") };
    let first = made(&server, asked.clone()).await;
    assert_eq!(made(&server, asked.clone()).await, first);
    revoke(&server, &first).await;
    assert_eq!(made(&server, asked).await, first, "it is the first answer, not a new credential");
}

#[tokio::test]
async fn an_identity_is_a_spiffe_id_of_a_workload() {
    let server = Server::shared().await;
    let long = format!("spiffe://example.org/{}", "p".repeat(2_048));
    for identity in [
        "edge",
        "spiffe://example.org",
        "spiffe://example.org/a/../b",
        "https://example.org/a",
        &long,
    ] {
        let refusal = make(&server, identified(identity)).await.refused();
        assert!(refusal.is_field("identity"), "{refusal:?}");
    }
}
