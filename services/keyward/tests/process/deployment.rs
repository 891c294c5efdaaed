//! A deployment as an operator makes it: a database of its own on a durable Postgres, a role in
//! `keyward_writer`, a key ring and an operator token, each made by the binary itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use testkit::DurableServer;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

use crate::child::{ANYWHERE, Finished, Keyward, command, run};
use crate::client::Tenant;
use crate::embedded::fresh_folder;

/// The role that the service logs in as.
pub(crate) const SERVICE: &str = "keyward_service";
/// The role that migrates and rebuilds.
pub(crate) const MIGRATOR: &str = "keyward_migrator";
/// The role that may do everything.
pub(crate) const SUPERUSER: &str = "postgres";

/// A template is copied by one at a time, and roles are shared by all databases.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const ROLES: &str = include_str!("../../../../deploy/roles.sql");

/// One deployment.
pub(crate) struct Deployment {
    pub(crate) folder: tempfile::TempDir,
    database: String,
}

impl Deployment {
    /// One that is ready to serve.
    pub(crate) async fn new() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(async || {
            let made = Self::without_tables().await;
            let migrated = made.run(MIGRATOR, &["migrate"]).await;
            assert_eq!(migrated.code, Some(0), "{}", migrated.err);
            made.database
        });
        Self::of(&format!("TEMPLATE {}", template.await)).await
    }

    /// One whose database has the roles and nothing else.
    pub(crate) async fn without_tables() -> Self {
        let made = Self::of("").await;
        let _turn = ONE_AT_A_TIME.lock().await;
        made.sql(ROLES).await;
        made.sql(&format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{SERVICE}') THEN \
             CREATE ROLE {SERVICE} LOGIN IN ROLE keyward_writer; END IF; END $$"
        ))
        .await;
        made
    }

    async fn of(options: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let database = format!("kw_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        {
            let _turn = ONE_AT_A_TIME.lock().await;
            let create = format!("CREATE DATABASE {database} {options}");
            let grant = format!("GRANT CREATE ON DATABASE {database} TO keyward_owner");
            let admin = connect(&server().await.url()).await;
            admin.batch_execute(&create).await.unwrap();
            if !options.is_empty() {
                // Rights on a database itself are not copied with it.
                admin.batch_execute(&grant).await.unwrap();
            }
        }
        let made = Self { folder: fresh_folder(), database };
        for noun in ["keyring", "operator-token"] {
            let run = made.run(SERVICE, &[noun, "new"]).await;
            assert_eq!(run.code, Some(0), "{}", run.err);
        }
        made
    }

    /// The URL of its database for a role.
    pub(crate) async fn url(&self, role: &str) -> String {
        server().await.url_as(role, &self.database)
    }

    /// The file of this name in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command on it as a role.
    pub(crate) async fn run(&self, role: &str, arguments: &[&str]) -> Finished {
        self.run_on(&self.url(role).await, arguments).await
    }

    /// Runs a command with its files on another database.
    pub(crate) async fn run_on(&self, url: &str, arguments: &[&str]) -> Finished {
        run(arguments, &environment(url, &self.files())).await
    }

    /// Starts the service on it and waits until it serves.
    pub(crate) async fn serve(&self, flags: &[&str]) -> Keyward {
        self.start(flags).await.up().await
    }

    /// Starts the service on it.
    pub(crate) async fn start(&self, flags: &[&str]) -> Keyward {
        let (files, flags) = (self.files(), [&ANYWHERE, flags].concat());
        let url = self.url(SERVICE).await;
        Keyward::start(command(&flags, &environment(&url, &files)))
    }

    /// A new workspace, made on the command line.
    pub(crate) async fn tenant(&self) -> Tenant {
        let made = self.run(SERVICE, &["workspace", "create", "a tenant"]).await;
        assert_eq!(made.code, Some(0), "{}", made.err);
        Tenant::printed(&made.out)
    }

    /// Runs SQL as the superuser.
    pub(crate) async fn sql(&self, statements: &str) {
        self.superuser().await.batch_execute(statements).await.unwrap();
    }

    /// A connection as the superuser.
    pub(crate) async fn superuser(&self) -> tokio_postgres::Client {
        connect(&self.url(SUPERUSER).await).await
    }

    /// All that is in all tables of the service, row by row.
    pub(crate) async fn dump(&self) -> String {
        let client = self.superuser().await;
        let tables = "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables \
                      WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
        let mut dump = String::new();
        for table in client.query(tables, &[]).await.unwrap() {
            let table: String = table.get(0);
            let rows = client.query(&format!("SELECT t::text FROM {table} t"), &[]).await.unwrap();
            for row in rows {
                dump.push_str(row.get(0));
                dump.push('\n');
            }
        }
        dump
    }

    fn files(&self) -> [String; 2] {
        ["keyring.toml", "operator-token"].map(|name| self.file(name).to_str().unwrap().to_owned())
    }
}

fn environment<'a>(url: &'a str, files: &'a [String; 2]) -> [(&'static str, &'a str); 3] {
    [
        ("KEYWARD_DATABASE_URL", url),
        ("KEYWARD_KEYRING", &files[0]),
        ("KEYWARD_OPERATOR_TOKEN_FILE", &files[1]),
    ]
}

/// The Postgres of all deployments, with `fsync` on: the binary refuses another. It is in a static,
/// so its watchdog stops it when the test binary ends.
async fn server() -> &'static DurableServer {
    static SERVER: OnceCell<DurableServer> = OnceCell::const_new();
    SERVER.get_or_init(testkit::durable_server).await
}

/// All files of Postgres, once everything is in them: tables, write-ahead log, its own log.
pub(crate) async fn files_of_postgres() -> Vec<(String, Vec<u8>)> {
    let server = server().await;
    let admin = connect(&server.url()).await;
    admin.batch_execute("CHECKPOINT; SELECT pg_switch_wal()").await.unwrap();
    let (mut folders, mut files) = (vec![server.server().folder().to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                // Those of other tests come and go.
                files.push((path.display().to_string(), bytes));
            }
        }
    }
    files
}

/// A connection to a database.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
