//! A read sees every write that was answered before it, and what a consistency token names.

use std::time::Duration;

use api::v1::{self as wire, ErrorReason};
use harness::{Refused, Server};

#[tokio::test]
async fn a_key_is_read_and_listed_right_after_it_was_made() {
    let server = Server::shared().await;
    let mut tenant = server.workspace("at once").await;
    for n in 0..10 {
        let made = tenant.create_key(&format!("key {n}")).await.api_key.unwrap();
        assert_eq!(tenant.read_key(&made.key_id).await, made);
        assert_eq!(tenant.names(tenant.list()).await.len(), n + 1);
        tenant.client.keys.get_config(tenant.config(&made.key_id)).await.unwrap();
        let disabled = tenant.client.keys.disable_api_key(tenant.disable(&made.key_id)).await;
        let disabled = disabled.unwrap().into_inner().api_key.unwrap();
        assert_eq!(tenant.read_key(&made.key_id).await, disabled);
    }
}

#[tokio::test]
async fn another_replica_reads_what_was_just_written_here() {
    let server = Server::start().await;
    let replica = server.replica().await;
    let tenant = server.workspace("replicas").await;
    let there = replica.tenant(&tenant);
    testkit::eventually("the replica knows the workspace", Duration::from_secs(5), async || {
        there.client.clone().keys.list_api_keys(there.list()).await.is_ok()
    })
    .await;
    for n in 0..10 {
        let made = tenant.create_key(&format!("key {n}")).await;
        let asked = wire::ListApiKeysRequest { at_least: made.consistency_token, ..there.list() };
        assert_eq!(there.names(asked).await.len(), n + 1);
        assert_eq!(there.read_key(&made.api_key.unwrap().key_id).await.name, format!("key {n}"));
    }
}

/// Every read, with this token; all must fail.
async fn refused(server: &Server, at_least: &str) -> Vec<ErrorReason> {
    let tenant = server.workspace("tokens").await;
    let id = tenant.create_key("key").await.api_key.unwrap().key_id;
    let at_least = || at_least.to_owned();
    let (mut keys, mut workspaces) =
        (tenant.client.keys.clone(), server.operator.workspaces.clone());
    let get = wire::GetApiKeyRequest { at_least: at_least(), ..tenant.get(&id) };
    let config = wire::GetConfigRequest { at_least: at_least(), ..tenant.config(&id) };
    let usage = wire::GetKeyUsageRequest {
        workspace_id: tenant.id.clone(),
        key_id: id.clone(),
        at_least: at_least(),
        ..Default::default()
    };
    let list = wire::ListApiKeysRequest { at_least: at_least(), ..tenant.list() };
    let workspace =
        wire::GetWorkspaceRequest { workspace_id: tenant.id.clone(), at_least: at_least() };
    let services =
        wire::ListServiceCredentialsRequest { at_least: at_least(), ..Default::default() };
    vec![
        keys.get_api_key(get).await.refused().reason,
        keys.get_config(config).await.refused().reason,
        keys.get_key_usage(usage).await.refused().reason,
        keys.list_api_keys(list).await.refused().reason,
        workspaces.get_workspace(workspace).await.refused().reason,
        workspaces.list_service_credentials(services).await.refused().reason,
    ]
}

#[tokio::test]
async fn a_token_of_another_log_is_refused_by_every_read() {
    let (server, elsewhere) = (Server::shared().await, Server::start().await);
    let far = elsewhere.workspace("far").await.create_key("far").await.consistency_token;
    let reasons = refused(&server, &far).await;
    assert_eq!(reasons, [ErrorReason::ConsistencyTokenForeignLog; 6]);
}

#[tokio::test]
async fn a_token_that_the_log_has_not_reached_is_not_waited_for_in_vain() {
    let server = Server::start().await;
    let token = server.workspace("any").await.create_key("key").await.consistency_token;
    let (log, position) = token.split_once('.').unwrap();
    let ahead = format!("{log}.{}", position.parse::<u64>().unwrap() + 1_000_000);
    let reasons = refused(&server, &ahead).await;
    assert_eq!(reasons, [ErrorReason::ConsistencyTokenNotReached; 6]);
}

#[tokio::test]
async fn a_read_model_that_stands_still_is_not_read_as_if_it_were_fresh() {
    let server = Server::start().await;
    let mut tenant = server.workspace("lagging").await;
    let id = tenant.create_key("old").await.api_key.unwrap().key_id;
    tenant.read_key(&id).await;
    // Whoever holds this lock keeps every projection from moving on, and reads nothing else.
    let mut other = server.tables().connect().await;
    let lock = other.transaction().await.unwrap();
    lock.execute("SELECT 1 FROM log.checkpoints FOR UPDATE", &[]).await.unwrap();
    tenant.create_key("new").await;
    let refusal = tenant.client.keys.list_api_keys(tenant.list()).await.refused();
    assert_eq!(refusal.reason, ErrorReason::ProjectionLagging);
    lock.rollback().await.unwrap();
    testkit::eventually("the projections go on", Duration::from_secs(10), async || {
        let mut keys = tenant.client.keys.clone();
        keys.list_api_keys(tenant.list()).await.is_ok_and(|list| list.get_ref().api_keys.len() == 2)
    })
    .await;
}
