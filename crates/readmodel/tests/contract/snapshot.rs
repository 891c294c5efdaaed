//! The warm start.

use domain::Suspect;
use domain::api_key::ApiKey;
use domain::service_credential::ServiceCredential;
use domain::workspace::Workspace;
use eventlog::{Checkpoints, Connection, Position, rebuild};
use readmodel::keys::{self, Keys};
use readmodel::snapshot::{Snapshot, load};
use readmodel::workspaces::Workspaces;
use readmodel::{ReadError, service_credentials, workspaces};

use crate::setup::{chain, world};
use crate::story::{
    by_id, disabled, full, history, key_created, key_id, plain, workspace_created, workspace_id,
};

#[derive(Default)]
struct Loaded {
    workspaces: Vec<Workspace>,
    service_credentials: Vec<ServiceCredential>,
    keys: Vec<ApiKey>,
}

async fn loaded(connection: &mut Connection) -> Result<(Loaded, Snapshot), ReadError> {
    let mut loaded = Loaded::default();
    let snapshot = load(
        connection,
        |workspace| loaded.workspaces.push(workspace),
        |credential| loaded.service_credentials.push(credential),
        |key| loaded.keys.push(key),
    )
    .await?;
    Ok((loaded, snapshot))
}

#[tokio::test]
async fn a_snapshot_holds_what_the_queries_show() {
    let mut world = world().await;
    world.given(history(60)).await;
    let (loaded, snapshot) = loaded(&mut world.reader).await.unwrap();
    let head = world.log.head().await.unwrap().position;
    assert_eq!((snapshot.keys, snapshot.workspaces), (head, head));
    assert_eq!((snapshot.follow_from(), snapshot.key_count), (head, 60));
    assert_eq!(snapshot.quarantined, []);

    assert_eq!(by_id(&loaded.keys, |key| key.key_id.uuid()).len(), 60);
    for key in loaded.keys {
        let row = keys::get(&*world.reader, key.workspace_id, key.key_id).await.unwrap();
        assert_eq!(row.unwrap().key, key);
    }
    assert_eq!(loaded.workspaces.len(), 2);
    for workspace in loaded.workspaces {
        let row = workspaces::get(&*world.reader, workspace.workspace_id).await.unwrap();
        assert_eq!(row.unwrap().workspace, workspace);
    }
    assert_eq!(loaded.service_credentials.len(), 2);
    for credential in loaded.service_credentials {
        let id = credential.service_credential_id;
        let row = service_credentials::get(&*world.reader, id).await.unwrap();
        assert_eq!(row.unwrap().service_credential, credential);
    }
}

#[tokio::test]
async fn a_snapshot_gathers_all_credentials_of_a_key_oldest_first() {
    let mut world = world().await;
    let created = (1..=3).map(|number| key_created(1, number, full("one"), 0));
    world.given(created).await;
    // A second generation, as a rotation will leave it, and a key that lost its only credential.
    world
        .sql(
            "INSERT INTO readmodel.credentials \
             SELECT kid || '\\x02', key_id, workspace_id, 2, pepper, algorithm, digest, created_at, \
             created_at, position FROM readmodel.credentials; \
             UPDATE readmodel.credentials SET kid = substring(kid FROM 2) WHERE generation = 2",
        )
        .await;
    let second = key_id(2).uuid();
    world.sql(&format!("DELETE FROM readmodel.credentials WHERE key_id = '{second}'")).await;
    let (loaded, _) = loaded(&mut world.reader).await.unwrap();
    // Keys come in no order that is promised; each comes once.
    let mut keys_found = loaded.keys;
    keys_found.sort_unstable_by_key(|key| key.key_id.uuid());
    let generations: Vec<Vec<u32>> = keys_found
        .iter()
        .map(|key| key.credentials.iter().map(|credential| credential.generation).collect())
        .collect();
    assert_eq!(generations, [vec![1, 2], vec![], vec![1, 2]]);
    for key in keys_found {
        let row = keys::get(&*world.reader, key.workspace_id, key.key_id).await.unwrap();
        assert_eq!(row.unwrap().key, key);
    }
}

#[tokio::test]
async fn a_snapshot_names_the_slower_projection_and_the_quarantined() {
    let mut world = world().await;
    let facts = [workspace_created(1, 0), key_created(1, 1, plain("one"), 0), disabled(1, 1, 1)];
    world.given(facts).await;
    let unreadable = world.record_unreadable(Some(workspace_id(1))).await;
    world.runner(Workspaces, 10).catch_up().await.unwrap();
    let (_, snapshot) = loaded(&mut world.reader).await.unwrap();
    assert_eq!((snapshot.keys, snapshot.workspaces), (Position::new(3), unreadable));
    assert_eq!(snapshot.follow_from(), Position::new(3));
    let quarantined: Vec<_> = snapshot.quarantined.iter().map(|entry| entry.suspect).collect();
    assert_eq!(quarantined, [Suspect::Workspace(workspace_id(1))]);
}

#[tokio::test]
async fn a_snapshot_of_an_empty_log_is_empty() {
    let mut world = world().await;
    let (loaded, snapshot) = loaded(&mut world.reader).await.unwrap();
    assert_eq!((loaded.keys.len(), snapshot.follow_from()), (0, Position::ZERO));
}

#[tokio::test]
async fn a_snapshot_is_whole_while_tables_are_exchanged() {
    let mut world = world().await;
    world.given(history(60)).await;
    let checkpoints = Checkpoints::new(&world.root);
    let (root, chain) = (world.root.clone(), chain());
    let rebuilding = tokio::spawn(async move {
        for _ in 0..5 {
            rebuild(&root, &chain, &Keys, &checkpoints, |_, _| {}).await.unwrap();
            rebuild(&root, &chain, &Workspaces, &checkpoints, |_, _| {}).await.unwrap();
        }
    });
    let mut loads = 0;
    while !rebuilding.is_finished() {
        let (loaded, snapshot) = loaded(&mut world.reader).await.unwrap();
        let counts = (loaded.workspaces.len(), loaded.service_credentials.len(), loaded.keys.len());
        assert_eq!((counts, snapshot.key_count), ((2, 2, 60), 60));
        loads += 1;
    }
    rebuilding.await.unwrap();
    assert!(loads > 5, "only {loads} snapshots met {} exchanges", 10);
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_an_error_and_no_panic() {
    let faults = [
        "keys SET env = 'moon'",
        "keys SET owner_email = '\\x01'",
        "keys SET scopes = '{NOT A SCOPE}'",
        "keys SET ip_allowlist = '{10.0.0.1/8}'",
        "keys SET domains = '{com}'",
        "keys SET metadata = '[]'",
        "keys SET expires_at = 'infinity'",
        "keys SET principal_kind = 'ghost'",
        "keys SET revoked_at = now(), revoked_reason = 'whim', revoked_by = 'x'",
        "credentials SET digest = '\\x00'",
        "credentials SET kid = '\\x00'",
        "credentials SET algorithm = 'rot13'",
        "credentials SET generation = -1",
        "credentials SET pepper = 65536",
    ];
    let mut world = world().await;
    world.given([key_created(1, 1, full("one"), 0)]).await;
    for fault in faults {
        world.sql("CREATE TABLE kept AS TABLE readmodel.keys; CREATE TABLE kept_too AS TABLE readmodel.credentials").await;
        world.sql(&format!("UPDATE readmodel.{fault}")).await;
        let loaded = loaded(&mut world.reader).await.map(|_| ());
        assert!(matches!(loaded, Err(ReadError::Corrupt { .. })), "{fault}: {loaded:?}");
        let got = keys::get(&*world.reader, workspace_id(1), key_id(1)).await;
        assert!(matches!(got, Err(ReadError::Corrupt { .. })), "{fault}: {got:?}");
        world
            .sql(
                "TRUNCATE readmodel.keys, readmodel.credentials; \
                 INSERT INTO readmodel.keys TABLE kept; \
                 INSERT INTO readmodel.credentials TABLE kept_too; DROP TABLE kept, kept_too",
            )
            .await;
    }
    assert!(loaded(&mut world.reader).await.is_ok());
}
