//! What `deploy/RUNBOOK.md` says to do, done.

use api::v1::{Denial, RevocationReason, RevokeApiKeyRequest};
use keyward::config::{Config, Settings};
use keyward::storage;
use testkit::eventually;
use tonic::Code;

use crate::child::PATIENCE;
use crate::client::{Client, Tenant, bearer};
use crate::deployment::{Deployment, MIGRATOR, SERVICE};
use crate::keyring::{Site, active, newest};

/// Appends an event to a tenant's log as a newer build would: of a schema that this one can't read.
async fn append_unreadable(deployment: &Deployment, tenant: &Tenant) {
    let config = Config::resolve(Settings {
        database_url: Some(deployment.url(SERVICE).await.into()),
        keyring: Some(deployment.file("keyring.toml")),
        operator_token_file: Some(deployment.file("operator-token")),
        ..Settings::default()
    });
    let chain = storage::chain_mac(&storage::key_ring(&config.unwrap()).unwrap());
    let url = deployment.url(SERVICE).await;
    let database = eventlog::Database::new(&url, eventlog::DatabaseOptions::default()).unwrap();
    let options = eventlog::EventLogOptions::default();
    let log = eventlog::EventLog::open(&database, chain, options).await.unwrap();
    let event = eventlog::NewEvent {
        event_id: uuid::Uuid::from_u128(0x77),
        kind: "workspace.suspended".to_owned(),
        schema: 9_999,
        payload: b"{}".to_vec(),
    };
    let stream = eventlog::StreamAppend {
        stream: eventlog::StreamId::new(tenant.workspace.clone()).unwrap(),
        expected: eventlog::Expected::Any,
        events: vec![event],
    };
    let append = eventlog::Append {
        workspace_id: Some(tenant.workspace.clone()),
        streams: vec![stream],
        metadata: eventlog::Metadata::default(),
        request: None,
    };
    log.append(append).await.unwrap();
    log.close().await;
}

/// Waits until keys of the tenant are answered with UNAVAILABLE, and nothing else than that.
async fn quarantined(client: &mut Client, key: &str) {
    eventually("the workspace is under quarantine", PATIENCE, async || {
        let refused = client.verify(key).await.err();
        refused.is_some_and(|status| {
            status.code() == Code::Unavailable && status.message().contains("this build")
        })
    })
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_and_stays_so_after_a_rebuild_by_the_same_build() {
    let deployment = Deployment::new().await;
    let (tenant, other) = (deployment.tenant().await, deployment.tenant().await);
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    append_unreadable(&deployment, &tenant).await;
    keyward.logged("an event can't be read: what it is about is answered with UNAVAILABLE").await;
    quarantined(&mut client, &key).await;
    let rebuilt = deployment.run(MIGRATOR, &["rebuild", "all"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    keyward.stop().await;

    let again = deployment.serve(&[]).await;
    quarantined(&mut Client::new(again.address(), &tenant), &key).await;
    let mut neighbour = Client::new(again.address(), &other);
    let theirs = neighbour.create(neighbour.plain_key()).await.unwrap().secret;
    neighbour.assert_accepted(&theirs).await;
    let sound = deployment.run(SERVICE, &["verify-log"]).await;
    assert_eq!(sound.code, Some(0), "{}", sound.err);
    again.stop().await;
}

#[tokio::test]
async fn the_quarantine_of_an_older_build_ends_with_a_rebuild_and_a_restart() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    keyward.stop().await;
    // What a build leaves behind that could not read an event which this one can.
    for table in ["keys_quarantine", "configs_quarantine", "workspaces_quarantine"] {
        let workspace = &tenant.workspace;
        let insert = format!("INSERT INTO readmodel.{table} VALUES ('{workspace}', 1, 'too new')");
        deployment.sql(&insert).await;
    }

    let updated = deployment.serve(&[]).await;
    let mut client = Client::new(updated.address(), &tenant);
    quarantined(&mut client, &key).await;
    let refused = deployment.run(SERVICE, &["rebuild", "all"]).await;
    assert_eq!(refused.code, Some(1), "the service may not rebuild: {}", refused.out);
    let rebuilt = deployment.run(MIGRATOR, &["rebuild", "all"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    quarantined(&mut client, &key).await;
    updated.stop().await;
    let again = deployment.serve(&[]).await;
    Client::new(again.address(), &tenant).assert_accepted(&key).await;
    again.stop().await;
}

#[tokio::test]
async fn a_key_that_was_revived_in_the_read_model_is_dead_again_after_a_rebuild_and_a_restart() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let created = client.create(client.plain_key()).await.unwrap();
    let revoke = RevokeApiKeyRequest {
        workspace_id: tenant.workspace.clone(),
        key_id: created.api_key.unwrap().key_id,
        reason: RevocationReason::Compromised.into(),
        ..RevokeApiKeyRequest::default()
    };
    client.rpc.revoke_api_key(bearer(&tenant.token, revoke)).await.unwrap();
    let superuser = deployment.superuser().await;
    eventually("the read model knows of it", PATIENCE, async || {
        let revoked = "SELECT FROM readmodel.keys WHERE revoked_at IS NOT NULL";
        superuser.query_opt(revoked, &[]).await.unwrap().is_some()
    })
    .await;
    keyward.stop().await;
    deployment
        .sql(
            "UPDATE readmodel.keys SET revoked_at = NULL, revoked_by = NULL, \
             revoked_reason = NULL, revoked_text = NULL",
        )
        .await;

    // What the runbook warns of.
    let deceived = deployment.serve(&[]).await;
    Client::new(deceived.address(), &tenant).assert_accepted(&created.secret).await;
    let rebuilt = deployment.run(MIGRATOR, &["rebuild", "all"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    deceived.stop().await;
    let again = deployment.serve(&[]).await;
    let verdict = Client::new(again.address(), &tenant).verify(&created.secret).await.unwrap();
    assert_eq!(verdict.denial(), Denial::Revoked);
    again.stop().await;
}

/// The commands of the runbook's section on rotation, for a purpose.
fn rotation_of(purpose: &str) -> Vec<String> {
    let runbook = include_str!("../../../../deploy/RUNBOOK.md");
    let (_, section) = runbook.split_once("## Rotate a key of the ring").unwrap();
    let steps = section.lines().filter_map(|line| line.trim().strip_prefix("keyward keyring "));
    steps.map(|step| step.replace("PURPOSE", purpose)).collect()
}

#[tokio::test]
async fn the_steps_of_a_rotation_are_as_the_runbook_has_them() {
    let steps = rotation_of("kek");
    let names: Vec<_> = steps.iter().map(|step| step.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["new", "activate", "rewrap", "retire"]);
    let site = Site::new().await;
    let mut client = Client::new(site.nodes[0].address(), &site.tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    site.knows(1, &key).await;
    for step in &steps {
        eventually(step, PATIENCE, async || site.officer(step).await.code == Some(0)).await;
        let metric = match step.split_once(' ').map_or(step.as_str(), |(name, _)| name) {
            "new" => newest("kek", 2),
            _ => active("kek", 2),
        };
        for node in 0..2 {
            site.give(node, &metric).await;
            let mut client = Client::new(site.nodes[node].address(), &site.tenant);
            client.assert_accepted(&key).await;
        }
    }
    site.stop().await;
}
