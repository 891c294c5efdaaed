//! The deployment: a primary, a synchronous standby, and three replicas, each with a line of its own to
//! the database that can be broken.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use testkit::{DurableServer, FaultProxy, Standby, primary_server, standby_of};
use tokio_postgres::NoTls;

use crate::replica::{Replica, command};
use crate::schedule::REPLICAS;

const SERVICE: &str = "keyward_service";
const DATABASE: &str = "keyward";
const ROLES: &str = include_str!("../../deploy/roles.sql");

/// A workspace and its token.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// The deployment. All of it ends when this is dropped.
pub(crate) struct Cluster {
    pub(crate) replicas: Vec<Arc<Replica>>,
    pub(crate) lines: Vec<FaultProxy>,
    /// Nobody's only while it is started again.
    primary: Option<DurableServer>,
    standby: Option<Standby>,
    /// A primary that was left behind by a failover, and lives on.
    old: Option<DurableServer>,
    folder: TempDir,
}

impl Cluster {
    /// A new deployment, its replicas serving.
    pub(crate) async fn start(lease: Duration) -> Self {
        let prefix = format!("kwtest-{}-", std::process::id());
        let passable = std::fs::Permissions::from_mode(0o711);
        let folder =
            tempfile::Builder::new().prefix(&prefix).permissions(passable).tempdir().unwrap();
        let primary = primary_server().await;
        prepare(&primary).await;
        let mut cluster = Self {
            replicas: Vec::new(),
            lines: (0..REPLICAS).map(|_| FaultProxy::in_front_of(&primary)).collect(),
            standby: None,
            primary: Some(primary),
            old: None,
            folder,
        };
        for arguments in [["keyring", "new"], ["operator-token", "new"]] {
            cluster.run(SERVICE, &arguments);
        }
        cluster.run("keyward_migrator", &["migrate"]);
        cluster.standby = Some(standby_of(cluster.primary()).await);
        for (number, line) in cluster.lines.iter().enumerate() {
            let url = line.url_as(SERVICE, DATABASE);
            let log = cluster.folder.path().join(format!("replica-{number}.log"));
            let replica = Replica::new(flags(lease), cluster.environment(&url), &log);
            cluster.replicas.push(Arc::new(replica));
        }
        for replica in &cluster.replicas {
            replica.start().await;
        }
        cluster
    }

    /// A new workspace, made on the command line.
    pub(crate) fn workspace(&self) -> Workspace {
        let said = self.run(SERVICE, &["workspace", "create", "a workspace"]);
        let word = |begin: &str| {
            let at = said.find(begin).expect("the command names the workspace");
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            said[at..].split(end).next().unwrap().to_owned()
        };
        Workspace { id: word("ws_"), token: word("kww_live_") }
    }

    /// What the operator presents.
    pub(crate) fn operator_token(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("operator-token")).unwrap();
        text.trim().to_owned()
    }

    /// Checks every event and every MAC of the log.
    pub(crate) fn verify_log(&self) -> String {
        self.run(SERVICE, &["verify-log"])
    }

    /// Leaves the folder with the replicas' logs behind, and says where it is.
    pub(crate) fn keep_logs(&mut self) -> String {
        self.folder.disable_cleanup(true);
        self.folder.path().display().to_string()
    }

    fn primary(&self) -> &DurableServer {
        self.primary.as_ref().expect("only gone while it is started again")
    }

    fn run(&self, role: &str, arguments: &[&str]) -> String {
        let environment = self.environment(&self.primary().url_as(role, DATABASE));
        let done = command(arguments, &environment).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn environment(&self, url: &str) -> Vec<(String, String)> {
        let file = |name| self.folder.path().join(name).to_str().unwrap().to_owned();
        vec![
            ("KEYWARD_DATABASE_URL".to_owned(), url.to_owned()),
            ("KEYWARD_KEYRING".to_owned(), file("keyring.toml")),
            ("KEYWARD_OPERATOR_TOKEN_FILE".to_owned(), file("operator-token")),
        ]
    }

    /// Stops the primary as by a crash and starts it again.
    pub(crate) async fn restart_primary(&mut self) {
        let primary = self.primary.take().expect("only one restarts it");
        self.primary = Some(primary.start_again().await);
    }

    /// Cuts the standby off: from now on no commit is acknowledged.
    pub(crate) fn cut_standby_off(&self) {
        if let Some(standby) = &self.standby {
            standby.line().blackhole();
        }
    }

    /// Makes the standby the primary, and leads all replicas to it but one. The old primary lives on,
    /// for whoever is still connected to it, if `old_lives`.
    pub(crate) async fn fail_over(&mut self, late: usize, old_lives: bool) {
        let standby = self.standby.take().expect("there is one failover");
        for (number, line) in self.lines.iter().enumerate() {
            if number != late || !old_lives {
                line.cut();
            }
        }
        let new = standby.promote().await;
        for (number, line) in self.lines.iter().enumerate() {
            if number != late {
                line.lead_to(&new);
                line.resume();
            }
        }
        self.old = self.primary.replace(new).filter(|_| old_lives);
    }

    /// Leads the last replica to the new primary; the old one ends.
    pub(crate) fn end_failover(&mut self, late: usize) {
        let line = &self.lines[late];
        line.cut();
        line.lead_to(self.primary());
        line.resume();
        self.old = None;
    }

    /// Lets nobody read the table that a replica warms from, until the answer is dropped.
    pub(crate) async fn hold_read_model(&self) -> Option<tokio_postgres::Client> {
        let url = self.primary().url_as("postgres", DATABASE);
        let (client, line) = tokio_postgres::connect(&url, NoTls).await.ok()?;
        tokio::spawn(line);
        let hold = "SET lock_timeout = '1s'; BEGIN; LOCK TABLE readmodel.keys";
        client.batch_execute(hold).await.ok()?;
        Some(client)
    }
}

fn flags(lease: Duration) -> Vec<String> {
    let flags = format!(
        "--listen 127.0.0.1:0 --no-metrics --lease-ms {} --heartbeat-ms {} --serving-threads 1 \
         --pool-size 4 --drain-ms 1000",
        lease.as_millis(),
        lease.as_millis() / 5
    );
    flags.split(' ').map(str::to_owned).collect()
}

async fn prepare(primary: &DurableServer) {
    let run = async |database: &str, statements: &str| {
        let url = primary.url_as("postgres", database);
        let (client, line) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(line);
        client.batch_execute(statements).await.unwrap();
    };
    run("postgres", &format!("CREATE DATABASE {DATABASE}")).await;
    run(DATABASE, ROLES).await;
    run(DATABASE, &format!("CREATE ROLE {SERVICE} LOGIN IN ROLE keyward_writer")).await;
}
