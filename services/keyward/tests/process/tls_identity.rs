//! Callers by certificate: services and operators with an identity, over mutual TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use api::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::audit_service_client::AuditServiceClient;
use api::v1::workspace_service_client::WorkspaceServiceClient;
use api::v1::{
    BatchVerifyKeysRequest, CreateApiKeyRequest, CreateServiceCredentialRequest,
    CreateWorkspaceRequest, Decision, ErrorReason, ListApiKeysRequest, ListEventsRequest,
    Permission, RevokeServiceCredentialRequest, ServiceCredential, VerifyKeyRequest,
};
use rustls::{ClientConfig, HandshakeKind};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::child::Keyward;
use crate::client::bearer;
use crate::ext_authz;
use crate::rest_beside_the_service::{ask, ask_over, from_elsewhere};
use crate::tls::{Authority, Leaf, Scene, encrypted};

const OPERATOR: &str = "spiffe://example.org/operator/ann";
const EDGE: &str = "spiffe://example.org/edge";
const GATEWAY: &str = "spiffe://example.org/gateway";

/// A service that knows operators and services by their certificates.
struct World {
    scene: Scene,
    clients: Authority,
    keyward: Keyward,
}

/// Somebody with a certificate.
#[derive(Clone)]
struct Caller(Channel);

impl World {
    async fn new() -> Self {
        let (scene, clients) = (Scene::new().await, Authority::new());
        scene.write("clients.pem", &clients.0.pem());
        let keyward = Self::serve(&scene).await;
        Self { scene, clients, keyward }
    }

    async fn serve(scene: &Scene) -> Keyward {
        let roots = scene.deployment.file("clients.pem");
        let roots = roots.to_str().unwrap();
        let operator = ["--operator-identity", OPERATOR, "--gateway-identity", GATEWAY];
        scene.serve(&[&["--tls-client-ca", roots][..], &operator].concat()).await
    }

    fn address(&self) -> SocketAddr {
        self.keyward.address()
    }

    fn caller(&self, uris: &[&str]) -> Caller {
        self.with(&self.clients.identify(uris))
    }

    fn with(&self, leaf: &Leaf) -> Caller {
        Caller(encrypted(self.address(), self.scene.authority.client(Some(leaf))))
    }

    /// A service with an identity and one permission.
    async fn service(&self, identity: &str, permission: Permission) -> ServiceCredential {
        let asked = CreateServiceCredentialRequest {
            name: "edge".to_owned(),
            permissions: vec![permission.into()],
            identity: identity.to_owned(),
            ..Default::default()
        };
        let made = self.caller(&[OPERATOR]).workspaces().create_service_credential(asked).await;
        made.unwrap().into_inner().service_credential.unwrap()
    }

    /// A new key of the tenant.
    async fn key(&self) -> String {
        let any = self.clients.identify(&[]);
        let config = self.scene.authority.client(Some(&any));
        let mut client = self.scene.client(self.address(), config);
        client.create(client.plain_key()).await.unwrap().secret
    }
}

impl Caller {
    fn keys(&self) -> ApiKeyServiceClient<Channel> {
        ApiKeyServiceClient::new(self.0.clone())
    }

    fn workspaces(&self) -> WorkspaceServiceClient<Channel> {
        WorkspaceServiceClient::new(self.0.clone())
    }

    /// The decision on a key by both ways of asking; or why there is none, which is the same for both.
    async fn verify(&self, key: &str) -> Result<Decision, ErrorReason> {
        let asked = VerifyKeyRequest { key: key.to_owned(), ..VerifyKeyRequest::default() };
        let batch = BatchVerifyKeysRequest { requests: vec![asked.clone()] };
        let one = self.keys().verify_key(asked).await.map(|one| one.into_inner().decision());
        let many = self.keys().batch_verify_keys(batch).await;
        let many = many.map(|many| many.into_inner().verdicts[0].decision());
        let [one, many] = [one, many].map(|answer| answer.map_err(|status| reason(&status)));
        assert_eq!(one, many);
        // And by Envoy's, whose certificate it may be.
        let checked = AuthorizationClient::new(self.0.clone()).check(ext_authz::request(key)).await;
        let checked = checked.map(|checked| match checked.into_inner().status.unwrap().code {
            0 => Decision::Accepted,
            _ => Decision::Denied,
        });
        assert_eq!(one, checked.map_err(|status| reason(&status)));
        one
    }

    async fn list(&self, workspace_id: &str) -> Result<usize, ErrorReason> {
        let asked = ListApiKeysRequest {
            workspace_id: workspace_id.to_owned(),
            ..ListApiKeysRequest::default()
        };
        let listed = self.keys().list_api_keys(asked).await;
        listed.map(|page| page.into_inner().api_keys.len()).map_err(|status| reason(&status))
    }

    async fn create_workspace(&self) -> Result<(), ErrorReason> {
        let asked = CreateWorkspaceRequest { name: "new".to_owned(), ..Default::default() };
        let made = self.workspaces().create_workspace(asked).await;
        made.map(drop).map_err(|status| reason(&status))
    }
}

fn reason(status: &Status) -> ErrorReason {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no reason: {status:?}"));
    ErrorReason::from_reason(&info.reason).unwrap()
}

#[tokio::test]
async fn a_service_calls_by_its_certificate_until_it_is_revoked() {
    let world = World::new().await;
    let key = world.key().await;
    let edge = world.caller(&[EDGE]);
    assert_eq!(edge.verify(&key).await, Err(ErrorReason::CredentialInvalid));
    let made = world.service(EDGE, Permission::Verify).await;
    assert_eq!(edge.verify(&key).await, Ok(Decision::Accepted));
    let other = world.caller(&["spiffe://example.org/edge/other"]);
    assert_eq!(other.verify(&key).await, Err(ErrorReason::CredentialInvalid));

    // A start from the tables knows it as well.
    let World { scene, clients, keyward } = world;
    keyward.stop().await;
    let keyward = World::serve(&scene).await;
    let world = World { scene, clients, keyward };
    let edge = world.caller(&[EDGE]);
    assert_eq!(edge.verify(&key).await, Ok(Decision::Accepted));

    let revoke = RevokeServiceCredentialRequest {
        service_credential_id: made.service_credential_id,
        ..RevokeServiceCredentialRequest::default()
    };
    let operator = world.caller(&[OPERATOR]);
    let ended = operator.workspaces().revoke_service_credential(revoke).await.unwrap();
    assert!(ended.into_inner().barrier.is_some());
    assert_eq!(edge.verify(&key).await, Err(ErrorReason::CredentialInvalid));
    world.service(EDGE, Permission::OrgRead).await;
    assert_eq!(edge.verify(&key).await, Err(ErrorReason::PermissionDenied));
}

/// Who may what, by certificate: as by any other credential.
#[tokio::test]
async fn a_certificate_gives_the_permissions_of_its_identity_and_no_more() {
    let world = World::new().await;
    let (key, workspace) = (world.key().await, world.scene.tenant.workspace.clone());
    let identity = |name: &str| format!("spiffe://example.org/{name}");
    world.service(&identity("asks"), Permission::Verify).await;
    world.service(&identity("reads"), Permission::OrgRead).await;
    let denied = Err(ErrorReason::PermissionDenied);

    let asks = world.caller(&[&identity("asks")]);
    assert_eq!(asks.verify(&key).await, Ok(Decision::Accepted));
    assert_eq!(asks.list(&workspace).await, Err(ErrorReason::PermissionDenied));
    assert_eq!(asks.create_workspace().await, denied);
    let reads = world.caller(&[&identity("reads")]);
    assert_eq!(reads.verify(&key).await, Err(ErrorReason::PermissionDenied));
    assert_eq!(reads.list(&workspace).await, Ok(1));
    assert_eq!(reads.create_workspace().await, denied);
    let operator = world.caller(&[OPERATOR]);
    assert_eq!(operator.verify(&key).await, Err(ErrorReason::PermissionDenied));
    assert_eq!(operator.list(&workspace).await, Err(ErrorReason::PermissionDenied));
    assert_eq!(operator.create_workspace().await, Ok(()));
}

#[tokio::test]
async fn a_certificate_that_names_nobody_or_two_is_no_credential() {
    let world = World::new().await;
    world.service(EDGE, Permission::Verify).await;
    let two = [EDGE, "spiffe://example.org/other"];
    for uris in [&[][..], &two, &["https://example.org/edge"]] {
        let nobody = world.caller(uris);
        assert_eq!(nobody.verify("x").await, Err(ErrorReason::CredentialMissing), "{uris:?}");
        assert_eq!(nobody.create_workspace().await, Err(ErrorReason::CredentialMissing));
    }
}

/// Whether a client that has been served before is verified anew.
async fn shakes_hands_in_full(world: &World, config: &Arc<ClientConfig>) -> bool {
    let socket = TcpStream::connect(world.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::clone(config));
    let mut stream = connector.connect(name, socket).await.unwrap();
    // The preface and empty settings; what the client could come back with would be sent by then.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    stream.read_exact(&mut [0; 9]).await.unwrap();
    stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Full)
}

#[tokio::test]
async fn no_session_is_taken_up_again_past_the_end_of_its_certificate() {
    let world = World::new().await;
    let leaf = world.clients.identify(&[EDGE]);
    let config = Arc::new(world.scene.authority.client(Some(&leaf)));
    for _ in 0..3 {
        assert!(shakes_hands_in_full(&world, &config).await);
    }
}

/// A gateway has a certificate of its own and forwards the credentials of its callers.
#[tokio::test]
async fn a_credential_in_the_metadata_goes_before_the_certificate() {
    let world = World::new().await;
    let operator = world.caller(&[OPERATOR]);
    let token = &world.scene.tenant.token;
    let asked = CreateWorkspaceRequest { name: "new".to_owned(), ..Default::default() };
    let refused = operator.workspaces().create_workspace(bearer(token, asked.clone())).await;
    assert_eq!(reason(&refused.unwrap_err()), ErrorReason::PermissionDenied);
    // One that is not good is not made up for.
    for wrong in ["kww_live_wrong", ""] {
        let refused = operator.workspaces().create_workspace(bearer(wrong, asked.clone())).await;
        assert_eq!(reason(&refused.unwrap_err()), ErrorReason::CredentialInvalid);
    }
    let mut half = Request::new(asked);
    half.metadata_mut().insert("x-keyward-api-key", "key_x".parse().unwrap());
    let refused = operator.workspaces().create_workspace(half).await;
    assert_eq!(reason(&refused.unwrap_err()), ErrorReason::CredentialMissing);
}

#[tokio::test]
async fn an_operator_s_identity_is_no_service_s_and_needs_client_certificates() {
    let world = World::new().await;
    let asked = CreateServiceCredentialRequest {
        name: "edge".to_owned(),
        permissions: vec![Permission::Verify.into()],
        identity: OPERATOR.to_owned(),
        ..Default::default()
    };
    let made = world.caller(&[OPERATOR]).workspaces().create_service_credential(asked).await;
    assert_eq!(reason(&made.unwrap_err()), ErrorReason::ServiceIdentityTaken);
    for (identity, said) in [(OPERATOR, "needs --tls-client-ca"), ("ann", "needs --tls-client-ca")]
    {
        let flags = ["--operator-identity", identity];
        let refused = world.scene.deployment.start(&flags).await.finish().await;
        assert!(refused.complaint().contains(said), "{}", refused.err);
    }
}

#[tokio::test]
async fn a_gateway_s_certificate_speaks_for_its_clients_addresses_and_is_no_credential() {
    let world = World::new().await;
    let (token, workspace) = (&world.scene.tenant.token, &world.scene.tenant.workspace);
    let made_from = async |identity: &str| {
        let asked = CreateApiKeyRequest {
            workspace_id: workspace.clone(),
            name: "a key".to_owned(),
            ..CreateApiKeyRequest::default()
        };
        let mut asked = bearer(token, asked);
        let named = "x-keyward-client-address";
        asked.metadata_mut().insert(named, "198.51.100.7".parse().unwrap());
        let caller = world.caller(&[identity]);
        caller.keys().create_api_key(asked).await.unwrap();
        let events =
            ListEventsRequest { workspace_id: workspace.clone(), ..ListEventsRequest::default() };
        let events = AuditServiceClient::new(caller.0).list_events(bearer(token, events)).await;
        events.unwrap().into_inner().events[0].caller_address.clone()
    };
    assert_eq!(made_from(GATEWAY).await, "198.51.100.7");
    assert_eq!(made_from(EDGE).await, "127.0.0.1");
    assert_eq!(made_from(OPERATOR).await, "127.0.0.1");
    // Whoever reaches it without a credential must not be what it is.
    let gateway = world.caller(&[GATEWAY]);
    assert_eq!(gateway.verify("x").await, Err(ErrorReason::CredentialMissing));
    assert_eq!(gateway.create_workspace().await, Err(ErrorReason::CredentialMissing));
    let asked = CreateServiceCredentialRequest {
        name: "gateway".to_owned(),
        permissions: vec![Permission::Verify.into()],
        identity: GATEWAY.to_owned(),
        ..Default::default()
    };
    let made = world.caller(&[OPERATOR]).workspaces().create_service_credential(asked).await;
    assert_eq!(reason(&made.unwrap_err()), ErrorReason::ServiceIdentityTaken);
}

/// A real gateway whose certificate is of this identity.
async fn gateway_as(world: &World, identity: &str) -> gateway::Gateway {
    let leaf = world.clients.identify(&[identity]);
    let file = |name: &str, text: String| Some(world.scene.write(name, &text));
    let settings = gateway::config::Settings {
        listen: Some(([127, 0, 0, 1], 0).into()),
        no_metrics: Some(true),
        threads: Some(1),
        service: Some(world.address().to_string()),
        service_name: Some("localhost".to_owned()),
        service_ca: file("server-roots.pem", world.scene.authority.0.pem()),
        service_cert: file("gateway.pem", leaf.certificate.pem()),
        service_key: file("gateway.key", leaf.key.serialize_pem()),
        ..gateway::config::Settings::default()
    };
    assert!(world.scene.deployment.file("gateway.pem").exists());
    let config = gateway::Config::resolve(settings).unwrap();
    gateway::Gateway::start(config, &telemetry::Telemetry::for_tests()).await.unwrap()
}

#[tokio::test]
async fn nobody_is_what_a_gateway_s_certificate_is_whatever_that_may_do() {
    let world = World::new().await;
    world.service(EDGE, Permission::Verify).await;
    for identity in [OPERATOR, EDGE] {
        let gateway = gateway_as(&world, identity).await;
        for (path, body) in [
            ("/v1/workspaces", r#"{"name":"anybody's"}"#),
            ("/v1/serviceCredentials", r#"{"name":"anybody's"}"#),
            ("/v1/keys:verify", r#"{"key":"kwk_live_x"}"#),
        ] {
            let asked = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
            stream.write_all(asked.as_bytes()).await.unwrap();
            let mut answered = String::new();
            stream.read_to_string(&mut answered).await.unwrap();
            assert!(answered.starts_with("HTTP/1.1 401"), "{identity}, {path}: {answered}");
            assert!(answered.contains("CREDENTIAL_MISSING"), "{identity}, {path}: {answered}");
        }
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_real_gateway_with_that_certificate_is_believed() {
    let world = World::new().await;
    let Scene { tenant, .. } = &world.scene;
    let gateway = gateway_as(&world, GATEWAY).await;
    let (at, path) = (gateway.address(), format!("/v1/workspaces/{}", tenant.workspace));
    let stream = from_elsewhere(at).await;
    let (create, list) = (format!("POST {path}/keys"), format!("GET {path}/events?pageSize=1"));
    let token = tenant.token.clone();
    // The client blocks; the gateway accepts on this thread.
    let asked = tokio::task::spawn_blocking(move || {
        let made = ask_over(stream, &create, &token, r#"{"name":"from elsewhere"}"#);
        (made, ask(at, &list, &token, ""))
    });
    let ((status, made), (_, events)) = asked.await.unwrap();
    assert_eq!(status, 200, "{made}");
    assert_eq!(events["events"][0]["callerAddress"], "127.0.0.2", "{events}");
    gateway.stop().await;
}
