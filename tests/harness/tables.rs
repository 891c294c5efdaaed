//! A look into the tables behind the service, as a superuser: what was really written.

use testkit::TestDatabase;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row};

/// The schemas of Keyward.
const SCHEMAS: &str = "('log', 'readmodel', 'vault', 'usage')";

/// The tables of one database.
#[derive(Debug, Clone)]
pub struct Tables {
    url: String,
}

impl Tables {
    /// Those of a test's database.
    #[must_use]
    pub fn of(database: &TestDatabase) -> Self {
        Self::at(database.url())
    }

    /// Those at a URL.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) {
        self.connect().await.batch_execute(sql).await.unwrap();
    }

    /// The one row of a query.
    pub async fn row(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Row {
        self.connect().await.query_one(sql, values).await.unwrap()
    }

    /// How many events the log has.
    pub async fn events(&self) -> i64 {
        self.row("SELECT count(*) FROM log.events", &[]).await.get(0)
    }

    /// How many events the log has of one workspace.
    pub async fn events_of(&self, workspace_id: &str) -> i64 {
        let sql = "SELECT count(*) FROM log.events WHERE workspace_id = $1";
        self.row(sql, &[&workspace_id]).await.get(0)
    }

    /// All that is kept, table by table: every row as text, binary columns as their bytes read as
    /// Latin-1, so that a plain text anywhere in them is found.
    pub async fn dump(&self) -> String {
        let client = self.connect().await;
        let columns = client
            .query(
                &format!(
                    "SELECT quote_ident(c.table_schema) || '.' || quote_ident(c.table_name), \
                     quote_ident(column_name), data_type FROM information_schema.columns c \
                     JOIN information_schema.tables USING (table_schema, table_name) \
                     WHERE c.table_schema IN {SCHEMAS} AND table_type = 'BASE TABLE'"
                ),
                &[],
            )
            .await
            .unwrap();
        let mut dump = String::new();
        for column in columns {
            let (table, name, kind): (String, String, String) =
                (column.get(0), column.get(1), column.get(2));
            let shown = match kind.as_str() {
                "bytea" => format!("encode({name}, 'escape') || ' ' || encode({name}, 'hex')"),
                _ => format!("{name}::text"),
            };
            let rows = client.query(&format!("SELECT {shown} FROM {table}"), &[]).await.unwrap();
            dump.push_str(&format!("\n{table}.{name}:"));
            for row in rows {
                dump.push('\n');
                dump.push_str(&row.get::<_, Option<String>>(0).unwrap_or_default());
            }
        }
        dump
    }
}
