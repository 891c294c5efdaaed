//! A standby: a copy of a durable server that follows it over a line which can be broken, and can take
//! its place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::durable::{DurableServer, away, durable_server_at};
use crate::eventually::eventually;
use crate::folder;
use crate::postgres::run;
use crate::proxy::FaultProxy;

/// What the standby calls itself.
const NAME: &str = "standby";
/// How long a copy, or catching up, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that follows a primary. Both end when they are dropped.
#[derive(Debug)]
pub struct Standby {
    server: DurableServer,
    line: FaultProxy,
}

/// A durable server that keeps enough of its log for a standby that is cut off for a while.
pub async fn primary_server() -> DurableServer {
    durable_server_at(folder::on_disk(), &[("wal_keep_size", "512MB")]).await
}

/// Copies a server, lets the copy follow it, and makes every commit of the server wait for the copy
/// from then on (`synchronous_standby_names`).
///
/// # Panics
/// When the folder of Postgres' binaries has no `pg_basebackup`.
pub async fn standby_of(primary: &DurableServer) -> Standby {
    let line = FaultProxy::in_front_of(primary);
    let follow = format!(
        "host=127.0.0.1 port={} user=postgres application_name={NAME}",
        line.address().port()
    );
    let folder = folder::on_disk();
    let (from, to, over) = (primary.server().folder().to_owned(), folder.clone(), follow.clone());
    let program = primary.server().binaries().folder().join("pg_basebackup");
    away(move || copy(&program, &from, &to, &over)).await;
    let settings = [
        ("primary_conninfo", follow.as_str()),
        ("wal_retrieve_retry_interval", "100ms"),
        ("wal_receiver_timeout", "5s"),
    ];
    let server = durable_server_at(folder, &settings).await;
    let names = format!("ALTER SYSTEM SET synchronous_standby_names = '{NAME}'");
    run(&primary.url(), &[&names, "SELECT pg_reload_conf()"]).await;
    let standby = Standby { server, line };
    standby.followed(primary).await;
    standby
}

impl Standby {
    /// The line that it follows over. While it is broken, no commit of the primary is acknowledged.
    pub fn line(&self) -> &FaultProxy {
        &self.line
    }

    /// Waits until commits of the primary are acknowledged.
    pub async fn followed(&self, primary: &DurableServer) {
        let url = primary.url();
        eventually("the standby follows", PATIENCE, async || {
            // The answer is one row at most; `DO` turns it into success or an error.
            let follows = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_stat_replication WHERE \
                 sync_state = 'sync' AND state = 'streaming') THEN RAISE 'not yet'; END IF; END $$";
            let Ok((client, line)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await
            else {
                return false;
            };
            let line = tokio::spawn(line);
            let met = client.batch_execute(follows).await.is_ok();
            line.abort();
            met
        })
        .await;
    }

    /// Makes it a primary, whose commits wait for nobody. What had not reached it is lost; the old
    /// primary goes on by itself, if it still runs, and none of its commits is acknowledged any more.
    pub async fn promote(self) -> DurableServer {
        self.line.cut();
        run(&self.server.url(), &["SELECT pg_promote(true, 60)"]).await;
        self.server
    }
}

/// A base backup, as the account that the primary runs as.
fn copy(program: &Path, from: &Path, to: &Path, over: &str) {
    let ours = fs::metadata(from.join("cluster/files")).expect("the primary has a cluster");
    let home = to.join("cluster");
    fs::create_dir(&home).expect("a new folder");
    give(&home, 0o700, &ours);
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    command.args([
        "--checkpoint=fast",
        "--wal-method=stream",
        "--write-recovery-conf",
        "--no-sync",
    ]);
    command.arg("--pgdata").arg(home.join("files")).arg("--dbname").arg(over);
    if ours.uid() != rustix::process::geteuid().as_raw() {
        command.uid(ours.uid()).gid(ours.gid());
    }
    let done = command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(done.status.success(), "no base backup: {}", String::from_utf8_lossy(&done.stderr));
    let password = home.join("password");
    fs::copy(from.join("cluster/password"), &password).expect("the primary has a password");
    give(&password, 0o600, &ours);
}

fn give(path: &Path, mode: u32, owner: &fs::Metadata) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    if owner.uid() != rustix::process::geteuid().as_raw() {
        chown(path, Some(owner.uid()), Some(owner.gid())).expect("we are root");
    }
}
