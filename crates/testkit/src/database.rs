//! A database of its own for each test, empty or cloned from a template.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::postgres::{Postgres, run};

/// A database that nobody else uses. It goes with the server, so it need not be dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// The superuser's URL, `postgres://...` through the Unix socket.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of another role; every role gets in without a password.
    pub fn url_as(&self, role: &str) -> String {
        Postgres::url_as(role, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A copy as it is now, like a standby that replication does not reach any more. Ends all
    /// connections to this database.
    pub async fn fork(&self) -> Fork {
        let name = fresh_name("kw_fork");
        let copy = format!("CREATE DATABASE {name} TEMPLATE {}", self.name);
        run(&Postgres::url("postgres"), &[&end_connections(&self.name), &copy]).await;
        Fork { name }
    }

    /// Puts a copy in this database's place, as a failover to that standby does: what was committed
    /// since it was made is lost. Ends all connections.
    pub async fn fail_over_to(&self, fork: Fork) {
        let (name, lost) = (&self.name, fresh_name("kw_lost"));
        let aside = format!("ALTER DATABASE {name} RENAME TO {lost}");
        let promote = format!("ALTER DATABASE {} RENAME TO {name}", fork.name);
        run(&Postgres::url("postgres"), &[&end_connections(name), &aside, &promote]).await;
    }

    async fn create(options: &str) -> Self {
        let name = fresh_name("kw");
        let create = format!("CREATE DATABASE {name} {options}");
        run(&Postgres::url("postgres"), &[&create]).await;
        let url = Postgres::url(&name);
        Self { name, url }
    }
}

/// A copy of a database, to fail over to.
#[derive(Debug)]
pub struct Fork {
    name: String,
}

/// An empty database.
pub async fn database() -> TestDatabase {
    TestDatabase::create("").await
}

/// A copy of the template of this name. The first caller in the test binary makes the template:
/// `prepare` gets the superuser's URL of an empty database and fills it. Templates are prepared one
/// after the other, because roles are shared by all databases; so `prepare` must not ask for a
/// template itself. Connections that `prepare` leaves open are closed.
///
/// # Panics
/// When `prepare` does; the next caller then tries it again on another empty database.
pub async fn database_from(template_name: &str, prepare: impl AsyncFnOnce(&str)) -> TestDatabase {
    static TEMPLATES: Mutex<Option<Templates>> = Mutex::new(None);
    static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let template = {
        let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
        let templates = templates.get_or_insert_default();
        Arc::clone(templates.entry(template_name.to_owned()).or_default())
    };
    let name = template
        .get_or_init(async || {
            let _turn = ONE_AT_A_TIME.lock().await;
            make_template(prepare).await
        })
        .await;
    TestDatabase::create(&format!("TEMPLATE {name}")).await
}

type Templates = HashMap<String, Arc<OnceCell<String>>>;

async fn make_template(prepare: impl AsyncFnOnce(&str)) -> String {
    let name = fresh_name("kw_template");
    let admin = Postgres::url("postgres");
    run(&admin, &[&format!("CREATE DATABASE {name}")]).await;
    prepare(&Postgres::url(&name)).await;
    let close = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
    run(&admin, &[&close, &end_connections(&name)]).await;
    name
}

fn end_connections(database: &str) -> String {
    format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'"
    )
}

fn fresh_name(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
