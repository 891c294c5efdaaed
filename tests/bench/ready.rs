//! Loading: from the start of the program to ready, and the memory that a key takes.

use std::time::{Duration, Instant};

use crate::Scale;
use crate::client::Caller;
use crate::create;
use crate::database::Deployment;
use crate::machine::Cores;
use crate::server::Server;
use crate::table::Table;

/// Keys straight into the read model, as many as are wanted, beside those that the service made.
/// They bear secrets that nobody knows; a verdict about one is never asked.
const FILL: &str = "
    SET synchronous_commit = off;
    WITH made AS (
        INSERT INTO readmodel.keys (key_id, workspace_id, name, env, description, scopes,
            ip_allowlist, domains, allow_localhost, metadata, created_by, created_at, updated_at,
            revision, position)
        SELECT md5('key' || n)::uuid, workspace_id, 'orders of shop ' || n, env, description,
            ARRAY['orders:read', 'orders:write', 'area' || n % 500 || ':read'],
            CASE WHEN n % 2 = 0 THEN ip_allowlist END, domains, allow_localhost, metadata,
            created_by, created_at, updated_at, revision, position
        FROM (SELECT * FROM readmodel.keys LIMIT 1) AS one, generate_series(1, MISSING) AS n
        RETURNING key_id
    )
    INSERT INTO readmodel.credentials (kid, key_id, workspace_id, generation, pepper, algorithm,
        digest, created_at, position)
    SELECT substring(uuid_send(made.key_id) FROM 1 FOR 12), made.key_id, workspace_id, generation,
        pepper, algorithm, sha256(uuid_send(made.key_id)), created_at, position
    FROM (SELECT * FROM readmodel.credentials LIMIT 1) AS one, made;
    ANALYZE readmodel.keys; ANALYZE readmodel.credentials; CHECKPOINT;";

/// A deployment with keys in it.
pub struct Filled {
    /// Keys that the service made.
    pub secrets: Vec<String>,
    /// A credential that may ask for verdicts.
    pub verifier: String,
    /// What Keyward holds in memory with no key in it, in bytes.
    pub empty: u64,
}

/// Fills the deployment.
pub async fn fill(deployment: &Deployment, scale: Scale) -> Filled {
    let superuser = deployment.superuser().await;
    let server = deployment.keyward(Cores::All, &["--max-management-calls", "4096"]);
    let operator = deployment.operator(&server).await;
    operator.ready().await;
    let empty = settled(&server).await;
    let verifier = operator.create_verifier().await;
    let (workspace, token) = operator.create_workspace().await;
    let caller = Caller::connect(server.address(), &token).await;
    let began = Instant::now();
    let secrets = create::keys(&caller, &workspace, scale.made, 256).await;
    let rate = scale.made as f64 / began.elapsed().as_secs_f64();
    println!("made {} keys, {rate:.0} a second", scale.made);
    let made = scale.made.to_string();
    let folded = format!("SELECT count(*) >= {made} FROM readmodel.credentials");
    while !superuser.query_one(&folded, &[]).await.expect("a count").get::<_, bool>(0) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.stop();
    let missing = scale.keys.saturating_sub(scale.made).to_string();
    let fill = FILL.replace("MISSING", &missing);
    superuser.batch_execute(&fill).await.expect("the read model is filled");
    println!("filled up to {} keys", scale.keys);
    Filled { secrets, verifier, empty }
}

/// Measures the load.
pub async fn run(deployment: &Deployment, filled: &Filled, scale: Scale, table: &mut Table) {
    let (mut seconds, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let began = Instant::now();
        let server = deployment.keyward(Cores::All, &[]);
        deployment.operator(&server).await.ready().await;
        seconds.push(began.elapsed().as_secs_f64());
        let held = settled(&server).await.saturating_sub(filled.empty);
        bytes.push(held as f64 / scale.keys as f64);
        server.stop();
    }
    let what = format!("{} keys, program start to ready", scale.keys);
    table.state(&what, &seconds, "s", "<= 5 s");
    table.state("memory of the program, a key", &bytes, "B", "<= 250 B");
}

/// The memory held once it no longer changes: what the load needed for a moment is given back.
async fn settled(server: &Server) -> u64 {
    let mut before = server.resident();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = server.resident();
        if now.abs_diff(before) < 1 << 20 {
            return now;
        }
        before = now;
    }
    before
}
