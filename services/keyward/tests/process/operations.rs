//! What operators do: migrate, rebuild, check, make workspaces and secrets, read the log; and what the
//! service refuses to start on.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::eventually;
use tonic::Code;

use crate::child::{PATIENCE, run};
use crate::client::{Client, Tenant};
use crate::deployment::{Deployment, MIGRATOR, SERVICE, SUPERUSER, connect};

#[tokio::test]
async fn migrating_twice_is_migrating_once() {
    let deployment = Deployment::without_tables().await;
    let first = deployment.run(MIGRATOR, &["migrate"]).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.lines().all(|line| line.starts_with("applied ")), "{}", first.out);
    let second = deployment.run(MIGRATOR, &["migrate"]).await;
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert_eq!(second.out, "nothing to do: the tables are up to date\n");
}

#[tokio::test]
async fn a_database_without_tables_is_not_served_and_the_line_says_what_to_do() {
    let deployment = Deployment::without_tables().await;
    for command in [&["serve"][..], &["verify-log"], &["workspace", "create", "x"]] {
        let refused = deployment.run(SERVICE, command).await;
        assert_eq!(refused.code, Some(1), "{}", refused.err);
        assert!(refused.complaint().contains("`keyward migrate`"), "{command:?}: {}", refused.err);
    }
}

#[tokio::test]
async fn a_rebuild_while_serving_changes_nothing_that_is_read() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let created = client.create(client.plain_key()).await.unwrap();
    let rebuilt = deployment.run(MIGRATOR, &["rebuild", "all"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    for name in ["keys", "configs", "workspaces"] {
        let line = rebuilt.out.lines().find(|line| line.starts_with(&format!("{name}: ")));
        assert!(line.is_some_and(|line| line.contains("up to position 3")), "{}", rebuilt.out);
    }
    client.assert_accepted(&created.secret).await;
    keyward.stop().await;
    let again = deployment.serve(&[]).await;
    Client::new(again.address(), &tenant).assert_accepted(&created.secret).await;
}

#[tokio::test]
async fn verify_log_ends_with_3_and_names_the_event_that_was_tampered_with() {
    let deployment = Deployment::new().await;
    deployment.tenant().await;
    deployment.tenant().await;
    let sound = deployment.run(SERVICE, &["verify-log"]).await;
    assert_eq!(sound.code, Some(0), "{}", sound.err);
    assert!(sound.out.starts_with("sound: 2 events"), "{}", sound.out);
    deployment
        .sql(
            "SET session_replication_role = replica; \
             UPDATE log.events SET payload = convert_to(replace(convert_from(payload, 'UTF8'), \
             'a tenant', 'a tyrant'), 'UTF8') WHERE position = 1",
        )
        .await;
    let tampered = deployment.run(SERVICE, &["verify-log"]).await;
    assert_eq!(tampered.code, Some(3), "{}", tampered.out);
    assert!(tampered.complaint().contains("position 1"), "{}", tampered.err);
}

#[tokio::test]
async fn a_reset_token_replaces_the_old_one_under_a_running_service() {
    let deployment = Deployment::new().await;
    let old = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut before = Client::new(keyward.address(), &old);
    let key = before.create(before.plain_key()).await.unwrap().secret;

    let reset = deployment.run(SERVICE, &["workspace", "reset-token", &old.workspace]).await;
    assert_eq!(reset.code, Some(0), "{}", reset.err);
    let new = Tenant::printed(&reset.out);
    assert_eq!(new.workspace, old.workspace);
    assert_ne!(new.token, old.token);
    eventually("the old token is refused", PATIENCE, async || {
        let refused = before.verify(&key).await.err();
        refused.is_some_and(|status| status.code() == Code::Unauthenticated)
    })
    .await;
    Client::new(keyward.address(), &new).assert_accepted(&key).await;
}

#[tokio::test]
async fn a_token_of_a_workspace_that_does_not_exist_cannot_be_reset() {
    let deployment = Deployment::new().await;
    let unknown = "ws_01m7y4grj8fhark71y19zc8kqd";
    let refused = deployment.run(SERVICE, &["workspace", "reset-token", unknown]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains(unknown), "{}", refused.err);
}

#[tokio::test]
async fn events_are_shown_one_json_object_a_line_without_what_is_secret() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let keyward = deployment.serve(&[]).await;
    let mut client = Client::new(keyward.address(), &tenant);
    let mut request = client.plain_key();
    let email = request.email.get_or_insert_default();
    email.api_key = "SG.events-canary-0123456789".to_owned();
    let created = client.create(request).await.unwrap();

    let tail = deployment.run(SERVICE, &["events", "tail", "--no-follow", "--after", "0"]).await;
    assert_eq!(tail.code, Some(0), "{}", tail.err);
    let lines: Vec<Value> =
        tail.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: BTreeMap<_, _> = lines
        .iter()
        .map(|line| (line["position"].as_u64().unwrap(), line["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(kinds[&1], "workspace.created");
    assert!(kinds.values().any(|kind| *kind == "api_key.created"), "{kinds:?}");
    for secret in [&tenant.token, &created.secret, "canary"] {
        assert!(!tail.out.contains(secret));
    }
    let shown: Vec<_> = lines.iter().flat_map(|line| members(line, "digest")).collect();
    assert!(!shown.is_empty() && shown.iter().all(|digest| *digest == "..."), "{shown:?}");

    let rest = deployment.run(SERVICE, &["events", "tail", "--no-follow", "--after", "2"]).await;
    assert_eq!(rest.out.lines().count(), 1);
}

/// The members of this name, however deep.
fn members<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, member)| match key == name {
                true => vec![member],
                false => members(member, name),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| members(item, name)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[tokio::test]
async fn a_secret_file_that_exists_is_never_replaced() {
    let deployment = Deployment::new().await;
    for (noun, file) in [("keyring", "keyring.toml"), ("operator-token", "operator-token")] {
        let kept = std::fs::read(deployment.file(file)).unwrap();
        let refused = deployment.run(SERVICE, &[noun, "new"]).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.complaint().contains(file), "{}", refused.err);
        let why = ["already there", "already"];
        assert!(why.iter().any(|why| refused.err.contains(why)), "{}", refused.err);
        assert_eq!(std::fs::read(deployment.file(file)).unwrap(), kept);
    }
}

#[tokio::test]
async fn a_key_ring_of_another_deployment_is_refused() {
    let deployment = Deployment::new().await;
    deployment.tenant().await;
    let other = deployment.file("other.toml");
    let other = ["--keyring", other.to_str().unwrap()];
    assert_eq!(run(&[&["keyring", "new"], &other[..]].concat(), &[]).await.code, Some(0));
    for command in [&["serve"][..], &["workspace", "create", "x"]] {
        let refused = deployment.run(SERVICE, &[command, &other].concat()).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.complaint().contains("key ring"), "{}", refused.err);
    }
}

/// One more entry for the file of a key ring.
fn entry(table: &str, id: u16, active: bool) -> String {
    let key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=";
    format!("\n[[{table}]]\nid = {id}\nkey = \"{key}\"\nactive = {active}\n")
}

#[tokio::test]
async fn a_key_ring_that_lacks_a_key_which_is_in_use_is_refused() {
    let deployment = Deployment::new().await;
    deployment.tenant().await;
    let file = deployment.file("keyring.toml");
    let first = std::fs::read_to_string(&file).unwrap();
    let both = format!("{first}{}", entry("pepper", 2, false));
    let (pepper, rest) = first.split_once("[[kek]]").unwrap();
    let second = format!("{}\n[[kek]]{rest}", entry("pepper", 2, true));
    assert!(pepper.contains("[[pepper]]"));

    // One that was never active is in no use: a node that was not given it yet may start.
    std::fs::write(&file, both).unwrap();
    deployment.serve(&[]).await.stop().await;
    std::fs::write(&file, &first).unwrap();
    deployment.serve(&[]).await.stop().await;
    let changed = first.replacen("active = true", "active = false", 1);
    std::fs::write(&file, format!("{changed}{}", entry("pepper", 2, true))).unwrap();
    deployment.serve(&[]).await.stop().await;
    for (text, missing) in [(&first, "no pepper 2,"), (&second, "no pepper 1,")] {
        std::fs::write(&file, text).unwrap();
        for command in [&["serve"][..], &["workspace", "create", "x"]] {
            let refused = deployment.run(SERVICE, command).await;
            assert_eq!(refused.code, Some(1));
            assert!(refused.complaint().contains(missing), "{}", refused.err);
        }
    }
}

#[tokio::test]
async fn a_key_ring_that_is_refused_leaves_none_of_its_keys_behind() {
    let deployment = Deployment::new().await;
    deployment.tenant().await;
    let other = deployment.file("other.toml");
    let flag = ["--keyring", other.to_str().unwrap()];
    assert_eq!(run(&[&["keyring", "new"], &flag[..]].concat(), &[]).await.code, Some(0));
    let text = std::fs::read_to_string(&other).unwrap();
    std::fs::write(&other, format!("{text}{}", entry("pepper", 2, false))).unwrap();
    let refused = deployment.run(SERVICE, &[&["serve"], &flag[..]].concat()).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("is not the one"), "{}", refused.err);
    deployment.serve(&[]).await.stop().await;
}

#[tokio::test]
async fn a_database_that_would_break_the_promises_is_refused() {
    let deployment = Deployment::new().await;
    let refused = deployment.run(SUPERUSER, &["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("superuser"), "{}", refused.err);

    // The server of ordinary tests runs with fsync off.
    let forgetful = testkit::database().await;
    let refused = deployment.run_on(forgetful.url(), &["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("fsync"), "{}", refused.err);

    let nobody = "postgres://u:canary-pw@127.0.0.1:1/d";
    let refused = deployment.run_on(nobody, &["serve"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(!refused.complaint().contains("canary-pw"), "{}", refused.err);
}

#[tokio::test]
async fn commits_that_wait_for_no_standby_are_refused_where_one_may_take_over() {
    let deployment = Deployment::new().await;
    let server = testkit::durable_server().await;
    let admin = connect(&server.url()).await;
    for statement in [
        "SET synchronous_commit = local",
        "CREATE ROLE hasty LOGIN",
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
        "SELECT pg_reload_conf()",
    ] {
        admin.batch_execute(statement).await.unwrap();
    }
    eventually("the standbys are named", PATIENCE, async || {
        let shown = admin.query_one("SHOW synchronous_standby_names", &[]).await.unwrap();
        shown.get::<_, &str>(0) == "nobody"
    })
    .await;
    let url = server.url_as("hasty", "postgres");
    // What a database that is safe enough is refused for here.
    let (no_tables, accept) = ("`keyward migrate`", &["serve", "--accept-async"][..]);
    for (commit, flags, said) in [
        ("local", &["serve"][..], "synchronous_commit = local"),
        ("local", accept, no_tables),
        ("off", &["serve"], "synchronous_commit off"),
        ("off", accept, "synchronous_commit off"),
        ("on", &["serve"], no_tables),
    ] {
        let set = format!("ALTER ROLE hasty SET synchronous_commit = {commit}");
        admin.batch_execute(&set).await.unwrap();
        let refused = deployment.run_on(&url, flags).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.complaint().contains(said), "{commit} {flags:?}: {}", refused.err);
    }
}

#[tokio::test]
async fn in_production_a_line_to_the_database_that_nobody_checks_is_refused() {
    let deployment = Deployment::new().await;
    let elsewhere = "postgres://u:canary-pw@192.0.2.1/d";
    for (url, command) in [
        (elsewhere.to_owned(), "serve"),
        (format!("{elsewhere}?sslmode=require"), "serve"),
        (elsewhere.to_owned(), "migrate"),
    ] {
        let refused = deployment.run_on(&url, &[command, "--production"]).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.complaint().contains("sslmode=verify-full"), "{}", refused.err);
        assert!(!refused.err.contains("canary-pw"), "{}", refused.err);
    }
    // Through a Unix socket there is nothing to check.
    deployment.serve(&["--production"]).await.stop().await;
}
