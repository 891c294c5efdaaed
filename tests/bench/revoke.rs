//! RevokeApiKey with three replicas: from the call to its answer, which means that none of them accepts
//! the key any more.

use std::time::Instant;

use crate::Scale;
use crate::client::Caller;
use crate::database::Deployment;
use crate::machine::Cores;
use crate::table::Table;

/// Replicas, the answering one among them.
const REPLICAS: usize = 3;

/// Measures one revocation after the other.
pub async fn run(deployment: &Deployment, scale: Scale, table: &mut Table) {
    let servers: Vec<_> = (0..REPLICAS).map(|_| deployment.keyward(Cores::All, &[])).collect();
    for server in &servers {
        deployment.operator(server).await.ready().await;
    }
    let operator = deployment.operator(&servers[0]).await;
    let (workspace, token) = operator.create_workspace().await;
    let caller = Caller::connect(servers[0].address(), &token).await;
    let (mut median, mut late) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let mut took = Vec::new();
        for number in 0..scale.revoked {
            let key_id = caller.create_key(&workspace, number).await.1;
            let began = Instant::now();
            let confirmed = caller.revoke_key(&workspace, &key_id).await;
            took.push(began.elapsed().as_secs_f64() * 1e3);
            assert_eq!(confirmed, REPLICAS, "each replica confirms");
        }
        took.sort_by(f64::total_cmp);
        median.push(took[took.len() / 2]);
        late.push(took[took.len() * 99 / 100]);
    }
    table.state("RevokeApiKey, 3 replicas, p50", &median, "ms", "<= 50");
    table.state("RevokeApiKey, 3 replicas, p99", &late, "ms", "<= 250");
    for server in servers {
        server.stop();
    }
}
