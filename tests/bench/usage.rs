//! VerifyKey with usage recorded and flushed against VerifyKey without: two programs on one core, of which
//! one stands still while the other is measured, so that neither pays for the other's flush.

use std::time::Duration;

use prost::Message;

use crate::Scale;
use crate::client::{Caller, bearer, question};
use crate::database::Deployment;
use crate::machine::Cores;
use crate::ready::Filled;
use crate::table::Table;
use crate::verify::{ACCEPTED, Pairs, SATURATED, Side, measure};

/// A turn holds several flushes, which come every 5 s.
const TURN: Duration = Duration::from_secs(16);
const QUICK_TURN: Duration = Duration::from_secs(6);
/// As browsers say it: it is compared, and copied for a first use.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36";

/// Measures.
pub async fn run(deployment: &Deployment, filled: &Filled, scale: Scale, table: &mut Table) {
    let start = async |flush: &str| {
        let flags = ["--serving-threads", "1", "--usage-flush-ms", flush];
        let server = deployment.keyward(Cores::Server, &flags);
        Caller::connect(server.address(), &filled.verifier).await.ready().await;
        server.pause();
        server
    };
    let servers = [start("5000").await, start("0").await];
    let encoded = |secret: &String| {
        let mut asked = question(secret.clone());
        asked.user_agent = USER_AGENT.to_owned();
        asked.encode_to_vec()
    };
    let requests: Vec<_> = filled.secrets.iter().map(encoded).collect();
    let authorization = bearer(&filled.verifier);
    let time = if scale.millis < 1_000 { QUICK_TURN } else { TURN };
    let (mut rates, mut costs) = (Pairs::default(), Pairs::default());
    for round in 0..scale.rounds {
        // Each side goes first in turn.
        for side in [round % 2, (round + 1) % 2] {
            let server = &servers[side];
            server.resume();
            Caller::connect(server.address(), &filled.verifier).await.ready().await;
            let (authorization, requests) = (authorization.as_str(), requests.as_slice());
            let of = Side { server, authorization, requests, expect: ACCEPTED };
            let before = server.cpu();
            let measured = tokio::task::block_in_place(|| measure(&of, SATURATED, time));
            let calls = measured.rate * time.as_secs_f64() * 1.1;
            costs.0[side].push(server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / calls);
            rates.0[side].push(measured.rate);
            server.pause();
        }
    }
    rates.tell(table, "VerifyKey with usage / without, throughput", "/s", ">= 0.98");
    costs.tell(table, "VerifyKey with usage / without, processor", "us", "");
    for server in servers {
        server.resume();
        server.stop();
    }
}
