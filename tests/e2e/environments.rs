//! A service that is bound to one environment sees and changes nothing of the other one.

use api::v1::{self as wire, Environment, ErrorReason};
use harness::{Refusal, Refused, Server, Tenant};

use crate::asks::{Target, ask, missing};

/// The secret of a service that may do everything with keys of TEST in this workspace.
async fn sandboxed(server: &Server, tenant: &Tenant) -> String {
    let request = wire::CreateServiceCredentialRequest {
        name: "sandbox".to_owned(),
        permissions: vec![
            wire::Permission::OrgReadWrite.into(),
            wire::Permission::Verify.into(),
            wire::Permission::Reveal.into(),
        ],
        workspace_ids: vec![tenant.id.clone()],
        envs: vec![Environment::Test.into()],
        ..Default::default()
    };
    let made = server.operator.workspaces.clone().create_service_credential(request).await;
    made.unwrap().into_inner().secret
}

fn of(env: Environment, tenant: &Tenant, name: &str) -> wire::CreateApiKeyRequest {
    wire::CreateApiKeyRequest { env: env.into(), ..tenant.key(name) }
}

#[tokio::test]
async fn it_makes_keys_of_its_own_environment_only() {
    let server = Server::shared().await;
    let tenant = server.workspace("makes").await;
    let mut service = server.bearer(&sandboxed(&server, &tenant).await).keys;
    for live in [Environment::Live, Environment::Unspecified] {
        let refusal = service.create_api_key(of(live, &tenant, "live")).await.refused();
        assert_eq!(refusal.reason, ErrorReason::PermissionDenied);
    }
    service.create_api_key(of(Environment::Test, &tenant, "test")).await.unwrap();
    assert_eq!(tenant.names(tenant.list()).await, ["test"]);
}

#[tokio::test]
async fn a_key_of_the_other_environment_is_answered_as_one_that_does_not_exist() {
    let server = Server::shared().await;
    let tenant = server.workspace("sees").await;
    let service = server.bearer(&sandboxed(&server, &tenant).await);
    let real = Target::in_workspace(&tenant).await;
    let none = Target { key: missing(&real.key), ..real.clone() };
    let before = tenant.read_key(&real.key).await;
    for rpc in [
        "GetApiKey",
        "GetConfig",
        "GetKeyUsage",
        "DisableApiKey",
        "EnableApiKey",
        "RevokeApiKey",
        "UpdateConfig",
        "PutConfigSecret",
        "DeleteConfigSecret",
        "RevealConfigSecret",
    ] {
        let mut said = Vec::new();
        for at in [&real, &none] {
            let refusal = Refusal::of(&ask(&service, rpc, at).await.expect_err(rpc));
            assert_eq!(refusal.resource.as_ref().unwrap().1, at.key);
            said.push(Refusal { resource: None, ..refusal });
        }
        assert_eq!(said[0], said[1], "{rpc}");
    }
    let request = wire::ListEventsRequest { key_id: real.key.clone(), ..tenant.events() };
    let made = tenant.all_events(request).await.into_iter().map(|event| event.position).max();
    for key in [&real.key, &none.key] {
        let as_of = made.map(wire::get_config_request::AsOf::AsOfPosition);
        let asked = wire::GetConfigRequest { as_of, ..tenant.config(key) };
        let refused = service.keys.clone().get_config(asked).await.refused();
        assert_eq!(refused.reason, ErrorReason::ConfigNotFound);
    }
    assert_eq!(tenant.read_key(&real.key).await, before);
    let verdict = service.keys.clone().verify_key(tenant.question(&real.secret)).await.unwrap();
    assert_eq!(verdict.into_inner().denial(), wire::Denial::NotFound);
}

#[tokio::test]
async fn its_lists_hold_its_own_environment_only() {
    let server = Server::shared().await;
    let tenant = server.workspace("lists").await;
    let mut service = server.bearer(&sandboxed(&server, &tenant).await).keys;
    let made = tenant.create(of(Environment::Test, &tenant, "test")).await.api_key.unwrap();
    tenant.create(of(Environment::Live, &tenant, "live")).await;
    for (env, count) in
        [(Environment::Unspecified, 1), (Environment::Test, 1), (Environment::Live, 0)]
    {
        let asked = wire::ListApiKeysRequest { env: env.into(), ..tenant.list() };
        let listed = service.list_api_keys(asked).await.unwrap().into_inner().api_keys;
        assert_eq!(listed.len(), count, "{env:?}");
        assert!(listed.iter().all(|key| key.name == "test"));
    }
    service.disable_api_key(tenant.disable(&made.key_id)).await.unwrap();
}
