//! Migrations: at once from anywhere, never a changed or foreign history.

use eventlog::{
    Database, LOG_MIGRATIONS, MigrateError, Migration, MigrationSet, migrate, pending_migrations,
};
use testkit::TestDatabase;

use crate::setup::{ROLES, connect_to};

const ONE: Migration =
    Migration { name: "0001_a.sql", sql: "CREATE SCHEMA x; CREATE TABLE x.a ()" };
const TWO: Migration = Migration { name: "0002_b.sql", sql: "CREATE TABLE x.b ()" };
const BAD: Migration = Migration { name: "0002_b.sql", sql: "CREATE TABLE x.c (); SELECT 1/0" };
const EDITED: Migration = Migration { name: "0001_a.sql", sql: "CREATE SCHEMA x" };

fn set(files: &'static [Migration]) -> MigrationSet {
    MigrationSet { component: "x", files }
}

async fn empty() -> (TestDatabase, Database) {
    let test = testkit::database().await;
    let database = connect_to(test.url());
    database.client().await.unwrap().batch_execute(ROLES).await.unwrap();
    (test, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_programs_that_start_at_once_migrate_once() {
    let (test, _) = empty().await;
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let database = connect_to(test.url());
            tokio::spawn(
                async move { migrate(&database, &[LOG_MIGRATIONS, set(&[ONE, TWO])]).await },
            )
        })
        .collect();
    let mut applied = Vec::new();
    for task in starting {
        applied.extend(task.await.unwrap().unwrap().files);
    }
    let ours = LOG_MIGRATIONS.files.iter().map(|file| format!("log/{}", file.name));
    let theirs = ["x/0001_a.sql", "x/0002_b.sql"].map(str::to_owned);
    assert_eq!(applied, ours.chain(theirs).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_pending_is_told_and_then_applied() {
    let (_test, database) = empty().await;
    let pending = pending_migrations(&database, &[set(&[ONE])]).await.unwrap();
    assert_eq!(pending.files, ["x/0001_a.sql"]);
    migrate(&database, &[set(&[ONE])]).await.unwrap();
    let pending = pending_migrations(&database, &[set(&[ONE, TWO])]).await.unwrap();
    assert_eq!(pending.files, ["x/0002_b.sql"]);
    assert_eq!(migrate(&database, &[set(&[ONE, TWO])]).await.unwrap().files, ["x/0002_b.sql"]);
    assert!(migrate(&database, &[set(&[ONE, TWO])]).await.unwrap().files.is_empty());
}

#[tokio::test]
async fn a_changed_a_missing_and_a_newer_file_are_refused() {
    let (_test, database) = empty().await;
    migrate(&database, &[set(&[ONE, TWO])]).await.unwrap();
    let refused = migrate(&database, &[set(&[EDITED, TWO])]).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Changed { ref name, .. } if name == ONE.name));
    let refused = migrate(&database, &[set(&[TWO])]).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Missing { ref name, .. } if name == ONE.name));
    let refused = migrate(&database, &[set(&[ONE])]).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Newer { ref name, .. } if name == TWO.name));
}

#[tokio::test]
async fn a_failing_file_leaves_nothing_of_itself() {
    let (_test, database) = empty().await;
    let refused = migrate(&database, &[set(&[ONE, BAD])]).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Failed { name: "0002_b.sql", .. }), "{refused}");
    let client = database.client().await.unwrap();
    let tables = "SELECT to_regclass('x.a') IS NOT NULL, to_regclass('x.c') IS NOT NULL";
    let row = client.query_one(tables, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, false));
    assert_eq!(migrate(&database, &[set(&[ONE, TWO])]).await.unwrap().files, ["x/0002_b.sql"]);
}

#[tokio::test]
async fn the_migrator_works_as_the_owner_and_needs_no_superuser() {
    let (test, _) = empty().await;
    let database = connect_to(&test.url_as("keyward_migrator"));
    migrate(&database, &[LOG_MIGRATIONS]).await.unwrap();
    let owner = "SELECT pg_get_userbyid(relowner)::text FROM pg_class \
         WHERE oid = 'log.events'::regclass";
    let row = database.client().await.unwrap().query_one(owner, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "keyward_owner");
}

#[tokio::test]
async fn a_database_without_the_owners_rights_is_refused_in_one_line() {
    let test = testkit::database().await;
    // The roles belong to the server: another test's database has made them.
    let _roles = empty().await;
    let database = connect_to(&test.url_as("keyward_migrator"));
    let refused = migrate(&database, &[LOG_MIGRATIONS]).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Roles("keyward_owner")), "{refused}");
    assert!(refused.to_string().contains("deploy/roles.sql"));
}
