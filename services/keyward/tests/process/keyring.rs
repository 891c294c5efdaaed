//! Rotating the keys of the ring on a running system: two nodes on one database, keys that verify all
//! along, and what is refused on the way.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use api::v1::{Denial, RevocationReason, RevokeApiKeyRequest};
use rustix::process::Signal;
use testkit::eventually;
use tonic::Code;

use crate::child::{Finished, Keyward, PATIENCE};
use crate::client::{Client, Tenant, bearer};
use crate::deployment::{Deployment, MIGRATOR, SERVICE};

/// Two nodes, each with a key ring file of its own, and the officer's file.
pub(crate) struct Site {
    pub(crate) deployment: Deployment,
    pub(crate) tenant: Tenant,
    pub(crate) nodes: [Keyward; 2],
    files: [PathBuf; 2],
}

impl Site {
    pub(crate) async fn new() -> Self {
        let deployment = Deployment::new().await;
        let tenant = deployment.tenant().await;
        let files = ["one.toml", "two.toml"].map(|name| deployment.file(name));
        files.iter().for_each(|file| give(&deployment.file("keyring.toml"), file));
        let start =
            async |file: &Path| deployment.serve(&["--keyring", file.to_str().unwrap()]).await;
        let nodes = [start(&files[0]).await, start(&files[1]).await];
        Self { nodes, files, tenant, deployment }
    }

    pub(crate) fn client(&self, node: usize) -> Client {
        Client::new(self.nodes[node].address(), &self.tenant)
    }

    /// Runs `keyward keyring` with these words on the officer's file.
    pub(crate) async fn officer(&self, words: &str) -> Finished {
        let words: Vec<&str> = words.split(' ').collect();
        self.deployment.run(SERVICE, &[&["keyring"], &words[..]].concat()).await
    }

    /// As `officer`; it must succeed.
    pub(crate) async fn does(&self, words: &str) -> String {
        let done = self.officer(words).await;
        assert_eq!(done.code, Some(0), "{words}: {}", done.err);
        done.out
    }

    /// As `officer`; it must be refused, in one line.
    pub(crate) async fn refused(&self, words: &str) -> String {
        let refused = self.officer(words).await;
        assert_eq!(refused.code, Some(1), "{words}: {}", refused.out);
        refused.complaint().to_owned()
    }

    /// Gives a node the officer's file, and waits until its metrics say so.
    pub(crate) async fn give(&self, node: usize, metric: &str) {
        give(&self.deployment.file("keyring.toml"), &self.files[node]);
        self.shows(node, metric).await;
    }

    pub(crate) async fn shows(&self, node: usize, metric: &str) {
        let url = format!("http://{}/metrics", self.nodes[node].metrics_address());
        eventually(&format!("{metric} on node {node}"), PATIENCE, async || {
            scrape(&url).await.lines().any(|line| line == metric)
        })
        .await;
    }

    /// A ring whose new key of this purpose all nodes have and use.
    pub(crate) async fn rotate(&self, purpose: &str) {
        self.does(&format!("new {purpose}")).await;
        for node in 0..2 {
            self.give(node, &newest(purpose, 2)).await;
        }
        self.activates(purpose).await;
        for node in 0..2 {
            self.give(node, &active(purpose, 2)).await;
        }
    }

    /// Activates the second key once all nodes have told that they have it.
    pub(crate) async fn activates(&self, purpose: &str) {
        let words = format!("activate {purpose} 2");
        eventually("the nodes have told that they have the key", PATIENCE, async || {
            self.officer(&words).await.code == Some(0)
        })
        .await;
    }

    /// Waits until a key that was made on another node passes on this one, too.
    pub(crate) async fn knows(&self, node: usize, key: &str) {
        let mut client = self.client(node);
        eventually("the new key passes on the other node", PATIENCE, async || {
            client.verify(key).await.is_ok_and(|verdict| verdict.denial() == Denial::Unspecified)
        })
        .await;
    }

    pub(crate) async fn stop(self) {
        for node in self.nodes {
            node.stop().await;
        }
        let sound = self.deployment.run(SERVICE, &["verify-log"]).await;
        assert_eq!(sound.code, Some(0), "{}", sound.err);
    }
}

pub(crate) fn active(purpose: &str, id: u16) -> String {
    format!("keyward_keyring_active_id{{purpose=\"{purpose}\"}} {id}")
}

pub(crate) fn newest(purpose: &str, id: u16) -> String {
    format!("keyward_keyring_newest_id{{purpose=\"{purpose}\"}} {id}")
}

/// Copies a ring as a careful operator does: whole, and readable by its owner only.
fn give(from: &Path, to: &Path) {
    let draft = to.with_extension("draft");
    std::fs::copy(from, &draft).unwrap();
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(draft, to).unwrap();
}

async fn scrape(url: &str) -> String {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    let ask = format!("GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut line, ask.as_bytes()).await.unwrap();
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut line, &mut text).await.unwrap();
    text
}

/// Verifies a key on both nodes without end. It must never be denied; a node that loses its lease on a
/// busy machine may say that it can't answer.
struct Watcher(tokio::task::JoinHandle<u64>, tokio_util::sync::CancellationToken);

impl Watcher {
    fn new(site: &Site, key: &str) -> Self {
        let stop = tokio_util::sync::CancellationToken::new();
        let (mut one, mut other) = (site.client(0), site.client(1));
        let (key, stopped) = (key.to_owned(), stop.clone());
        let task = tokio::spawn(async move {
            let mut accepted = 0;
            while !stopped.is_cancelled() {
                for verdict in [one.verify(&key).await, other.verify(&key).await] {
                    match verdict {
                        Ok(verdict) => {
                            assert_eq!(verdict.denial(), Denial::Unspecified);
                            accepted += 1;
                        }
                        Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
                    }
                }
            }
            accepted
        });
        Self(task, stop)
    }

    async fn end(self) {
        self.1.cancel();
        assert!(self.0.await.unwrap() > 100, "it has looked on all the time");
    }
}

#[tokio::test]
async fn every_kind_of_key_is_rotated_while_keys_verify_on_every_node() {
    let site = Site::new().await;
    let old = site.client(0).create(site.client(0).plain_key()).await.unwrap().secret;
    site.knows(1, &old).await;
    let watcher = Watcher::new(&site, &old);
    for purpose in ["kek", "pepper", "page_token", "chain"] {
        site.rotate(purpose).await;
        let mut maker = site.client(1);
        let request = maker.plain_key();
        let new = maker.create(request).await.unwrap().secret;
        maker.assert_accepted(&new).await;
        site.knows(0, &new).await;
        site.client(0).assert_accepted(&old).await;
    }
    watcher.end().await;
    let said = site.does("list").await;
    assert_eq!(said.lines().filter(|line| line.contains(" 2  active ")).count(), 4, "{said}");
    assert!(said.contains("pepper         1  inactive  3 living credentials"), "{said}");
    site.stop().await;
}

#[tokio::test]
async fn data_keys_are_wrapped_anew_and_the_old_kek_goes_only_then() {
    let site = Site::new().await;
    let mut client = site.client(0);
    let mut request = client.plain_key();
    let owner_email = "owner@example.com".to_owned();
    request.owner = Some(api::v1::Owner { owner_email, ..api::v1::Owner::default() });
    client.create(request).await.unwrap();
    assert!(site.refused("retire kek 1").await.contains("activate another one first"));
    site.rotate("kek").await;
    let refused = site.refused("retire kek 1").await;
    assert!(refused.contains("kek 1 is in use: 1 data keys"), "{refused}");
    assert!(refused.contains("rewrap"), "{refused}");
    assert_eq!(site.does("rewrap").await, "1 of 1 data keys wrapped anew under kek 2\n");
    assert_eq!(site.does("rewrap").await, "0 of 0 data keys wrapped anew under kek 2\n");
    site.does("retire kek 1").await;
    for node in 0..2 {
        site.give(node, &active("kek", 2)).await;
    }
    // What was sealed before opens, also on a node that starts with the ring of today.
    let key = client.create(client.plain_key()).await.unwrap().secret;
    site.knows(1, &key).await;
    let started = site.deployment.serve(&[]).await;
    Client::new(started.address(), &site.tenant).assert_accepted(&key).await;
    started.stop().await;
    site.stop().await;
}

#[tokio::test]
async fn a_key_that_is_in_use_is_not_retired_and_the_line_says_how_many_and_what_to_do() {
    let site = Site::new().await;
    let mut client = site.client(0);
    let mut request = client.plain_key();
    request.request_id = "3f0c8a52-2a4e-4cc5-b1a3-1f9d64b6b0aa".to_owned();
    client.create(request).await.unwrap();
    for purpose in ["pepper", "chain", "page_token"] {
        site.rotate(purpose).await;
    }
    let pepper = site.refused("retire pepper 1").await;
    assert!(pepper.contains("pepper 1 is in use: 2 living credentials"), "{pepper}");
    assert!(pepper.contains("rotate"), "{pepper}");
    let chain = site.refused("retire chain 1").await;
    assert!(chain.contains("can't lose its first [[chain]] key"), "{chain}");
    let token = site.refused("retire page_token 1").await;
    assert!(token.contains("1 replies") && token.contains("10 minutes"), "{token}");
    // Once nothing is under it any more, it goes.
    site.deployment.sql("UPDATE log.requests SET sealed_reply = NULL").await;
    assert!(site.does("retire page_token 1").await.contains("page tokens under it are void"));
    let file = std::fs::read_to_string(site.deployment.file("keyring.toml")).unwrap();
    assert_eq!(file.matches("[[page_token]]").count(), 1);
    assert_eq!(file.matches("[[pepper]]").count(), 2);
    site.deployment.serve(&[]).await.stop().await;
    site.stop().await;
}

#[tokio::test]
async fn a_pepper_without_living_credentials_is_retired_and_dead_keys_stay_denied() {
    let site = Site::new().await;
    let mut client = site.client(0);
    let dead = client.create(client.plain_key()).await.unwrap();
    let revoke = RevokeApiKeyRequest {
        workspace_id: site.tenant.workspace.clone(),
        key_id: dead.api_key.unwrap().key_id,
        reason: RevocationReason::Compromised.into(),
        ..RevokeApiKeyRequest::default()
    };
    client.rpc.revoke_api_key(bearer(&site.tenant.token, revoke)).await.unwrap();
    site.rotate("pepper").await;
    let reset = ["workspace", "reset-token", &site.tenant.workspace];
    let reset = site.deployment.run(SERVICE, &reset).await;
    assert_eq!(reset.code, Some(0), "{}", reset.err);
    let tenant = Tenant::printed(&reset.out);
    site.does("retire pepper 1").await;
    for node in 0..2 {
        site.give(node, &newest("pepper", 2)).await;
    }
    // Also where the whole log, with what was under the old pepper, is read anew.
    let rebuilt = site.deployment.run(MIGRATOR, &["rebuild", "all"]).await;
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.err);
    let started = site.deployment.serve(&[]).await;
    let mut client = Client::new(started.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    client.assert_accepted(&key).await;
    let denied = client.verify(&dead.secret).await.unwrap();
    assert_eq!(denied.denial(), Denial::NotFound);
    started.stop().await;
    site.stop().await;
}

#[tokio::test]
async fn a_key_that_a_living_node_lacks_is_not_activated_unless_forced() {
    let site = Site::new().await;
    site.does("new pepper").await;
    site.give(0, &newest("pepper", 2)).await;
    let refused = eventually("one node lacks it", PATIENCE, async || {
        Some(site.refused("activate pepper 2").await).filter(|said| said.starts_with("1 living"))
    })
    .await;
    assert!(refused.contains("don't have pepper 2 yet"), "{refused}");
    assert!(site.refused("activate pepper 3").await.contains("no pepper 3"));
    site.does("activate pepper 2 --force").await;
    site.give(0, &active("pepper", 2)).await;
    // A node that can't judge a credential does not deny it.
    let mut maker = site.client(0);
    let key = maker.create(maker.plain_key()).await.unwrap().secret;
    site.nodes[1].logged("no pepper 2").await;
    let refused = site.client(1).verify(&key).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    site.give(1, &active("pepper", 2)).await;
    site.client(1).assert_accepted(&key).await;
    site.stop().await;
}

#[tokio::test]
async fn a_node_without_the_kek_of_others_says_that_another_one_answers() {
    let site = Site::new().await;
    site.does("new kek").await;
    site.does("activate kek 2 --force").await;
    site.give(0, &active("kek", 2)).await;
    let [mut has, mut lacks] = [site.client(0), site.client(1)];
    let mut request = has.plain_key();
    let owner_email = "owner@example.com".to_owned();
    request.owner = Some(api::v1::Owner { owner_email, ..api::v1::Owner::default() });
    let made = has.create(request).await.unwrap().api_key.unwrap();
    let read = || {
        let request = api::v1::GetApiKeyRequest {
            workspace_id: made.workspace_id.clone(),
            key_id: made.key_id.clone(),
            ..api::v1::GetApiKeyRequest::default()
        };
        bearer(&site.tenant.token, request)
    };
    let refused = lacks.rpc.get_api_key(read()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    site.give(1, &active("kek", 2)).await;
    let read = lacks.rpc.get_api_key(read()).await.unwrap().into_inner().api_key.unwrap();
    assert_eq!(read.owner, made.owner);
    site.stop().await;
}

#[tokio::test]
async fn a_node_without_the_chain_key_of_others_answers_nothing_until_it_has_it() {
    let site = Site::new().await;
    let mut maker = site.client(0);
    let old = maker.create(maker.plain_key()).await.unwrap().secret;
    site.knows(1, &old).await;
    site.does("new chain").await;
    site.does("activate chain 2 --force").await;
    site.give(0, &active("chain", 2)).await;
    let key = maker.create(maker.plain_key()).await.unwrap().secret;
    site.nodes[1].logged("no chain key 2").await;
    let refused = site.client(1).verify(&old).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    site.give(1, &active("chain", 2)).await;
    for key in [&old, &key] {
        site.client(1).assert_accepted(key).await;
    }
    site.stop().await;
}

#[tokio::test]
async fn a_bad_ring_while_running_is_said_once_and_changes_nothing() {
    let site = Site::new().await;
    let mut client = site.client(0);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    let kept = std::fs::read_to_string(&site.files[0]).unwrap();
    let other = site.deployment.file("other.toml");
    let made = ["keyring", "new", "--keyring", other.to_str().unwrap()];
    assert_eq!(site.deployment.run(SERVICE, &made).await.code, Some(0));
    for (text, said) in [
        ("canary-in-a-ring = 1", "is not as it must be at line 1"),
        (std::fs::read_to_string(&other).unwrap().as_str(), "is not the one that this database"),
        (kept.replacen("id = 1", "id = 9", 1).as_str(), "has no pepper 1"),
    ] {
        std::fs::write(&site.files[0], text).unwrap();
        site.nodes[0].signal(Signal::HUP);
        site.nodes[0].logged(said).await;
        client.assert_accepted(&key).await;
    }
    std::fs::write(&site.files[0], kept).unwrap();
    site.nodes[0].signal(Signal::HUP);
    site.nodes[0].logged("the key ring is the same as before").await;
    client.assert_accepted(&key).await;
    let [one, two] = site.nodes;
    two.stop().await;
    let log = one.stop().await.err;
    assert!(!log.contains("canary-in-a-ring"), "{log}");
}

#[tokio::test]
async fn a_ring_may_come_from_a_program_and_is_then_changed_where_it_is_kept() {
    let deployment = Deployment::new().await;
    let tenant = deployment.tenant().await;
    let file = deployment.file("keyring.toml");
    let command = format!("cat {}", file.display());
    let url = deployment.url(SERVICE).await;
    let operator = deployment.file("operator-token");
    let environment = [
        ("KEYWARD_DATABASE_URL", url.as_str()),
        ("KEYWARD_KEYRING_COMMAND", command.as_str()),
        ("KEYWARD_OPERATOR_TOKEN_FILE", operator.to_str().unwrap()),
    ];
    let keyward = Keyward::start(crate::child::command(&crate::child::ANYWHERE, &environment));
    let keyward = keyward.up().await;
    let mut client = Client::new(keyward.address(), &tenant);
    let key = client.create(client.plain_key()).await.unwrap().secret;
    client.assert_accepted(&key).await;
    for words in [
        &["keyring", "new"][..],
        &["keyring", "activate", "kek", "1"],
        &["keyring", "retire", "kek", "1"],
    ] {
        let refused = crate::child::run(words, &environment).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.complaint().contains("works on a file only"), "{}", refused.err);
    }
    let added = deployment.run(SERVICE, &["keyring", "new", "kek"]).await;
    assert_eq!(added.code, Some(0), "{}", added.err);
    keyward.signal(Signal::HUP);
    keyward.logged("kek 1 (active), kek 2").await;
    // A program that fails changes nothing.
    std::fs::rename(&file, deployment.file("gone")).unwrap();
    keyward.signal(Signal::HUP);
    keyward.logged("--keyring-command: cat ended with").await;
    client.assert_accepted(&key).await;
    keyward.stop().await;

    let broken = [environment[0], ("KEYWARD_KEYRING_COMMAND", "/nowhere/at/all"), environment[2]];
    let refused = crate::child::run(&["serve"], &broken).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.complaint().contains("can't be run"), "{}", refused.err);
}
