//! VerifyKey on a node that follows 1,000 writes a second of another, against the same node with nothing to
//! follow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost::Message;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::Scale;
use crate::client::{Caller, bearer, question};
use crate::database::Deployment;
use crate::machine::Cores;
use crate::ready::Filled;
use crate::table::Table;
use crate::verify::{ACCEPTED, Pairs, SATURATED, Side, measure};

/// Who writes, each so often that together it is 1,000 a second.
const WRITERS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// Measures.
pub async fn run(deployment: &Deployment, filled: &Filled, scale: Scale, table: &mut Table) {
    let follower = deployment.keyward(Cores::Server, &["--serving-threads", "1"]);
    let writer = deployment.keyward(Cores::Load, &["--serving-threads", "1"]);
    Caller::connect(follower.address(), &filled.verifier).await.ready().await;
    let operator = deployment.operator(&writer).await;
    operator.ready().await;
    let (workspace, token) = operator.create_workspace().await;
    let writes = Writes {
        caller: Caller::connect(writer.address(), &token).await,
        workspace,
        written: Arc::default(),
    };
    let encoded = |secret: &String| question(secret.clone()).encode_to_vec();
    let requests: Vec<_> = filled.secrets.iter().map(encoded).collect();
    let authorization = bearer(&filled.verifier);
    let time = Duration::from_millis(scale.millis);
    let (mut rates, mut costs, mut written) = (Pairs::default(), Pairs::default(), Vec::new());
    for _ in 0..scale.rounds {
        for side in [0, 1] {
            let writing = if side == 0 { writes.begin() } else { JoinSet::new() };
            let (authorization, requests) = (authorization.as_str(), requests.as_slice());
            let of = Side { server: &follower, authorization, requests, expect: ACCEPTED };
            let (before, wrote) = (follower.cpu(), writes.count());
            let measured = tokio::task::block_in_place(|| measure(&of, SATURATED, time));
            let took = time.as_secs_f64() * 1.1;
            let calls = measured.rate * took;
            costs.0[side].push(follower.cpu().saturating_sub(before).as_secs_f64() * 1e6 / calls);
            rates.0[side].push(measured.rate);
            if side == 0 {
                written.push((writes.count() - wrote) as f64 / took);
            }
            drop(writing);
        }
    }
    rates.tell(table, "VerifyKey while following / idle, throughput", "/s", ">= 0.90");
    costs.tell(table, "VerifyKey while following / idle, processor", "us", "");
    table.state("writes that were followed meanwhile", &written, "/s", "1000");
    writer.stop();
    follower.stop();
}

/// Keys that are made on the other node.
struct Writes {
    caller: Caller,
    workspace: String,
    written: Arc<AtomicUsize>,
}

impl Writes {
    /// Writes until what this answers is dropped.
    fn begin(&self) -> JoinSet<()> {
        let mut writing = JoinSet::new();
        for _ in 0..WRITERS {
            let (caller, workspace) = (self.caller.clone(), self.workspace.clone());
            let written = Arc::clone(&self.written);
            writing.spawn(async move {
                let mut turns = interval(PAUSE);
                turns.set_missed_tick_behavior(MissedTickBehavior::Burst);
                loop {
                    turns.tick().await;
                    caller.create_key(&workspace, 0).await;
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        writing
    }

    fn count(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}
