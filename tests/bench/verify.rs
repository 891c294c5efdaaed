//! VerifyKey against a server that answers as many bytes and does nothing; each on one core, the load
//! on the other. Metrics are on, and 1 % of calls are traced and exported.

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::Scale;
use crate::client::{Caller, bearer, question};
use crate::database::Deployment;
use crate::echo::{self, Blob};
use crate::load::{Measured, Shape, Target, load};
use crate::machine::Cores;
use crate::ready::Filled;
use crate::server::Server;
use crate::table::{Table, median};

/// Calls under way at saturation.
pub const SATURATED: Shape = Shape::UnderWay(128);
/// An answer that says ACCEPTED begins so: field 1 is 1.
pub const ACCEPTED: &[u8] = &[8, 1];

/// One side of the comparison.
pub struct Side<'a> {
    /// Who is asked.
    pub server: &'a Server,
    /// As whom.
    pub authorization: &'a str,
    /// What, encoded.
    pub requests: &'a [Vec<u8>],
    /// How every answer begins.
    pub expect: &'a [u8],
}

/// Measures.
pub async fn run(deployment: &Deployment, filled: &Filled, scale: Scale, table: &mut Table) {
    let collector = format!("http://{}", collect().await);
    let traced = ["--serving-threads", "1", "--otlp-endpoint", &collector];
    let server = deployment.keyward(Cores::Server, &traced);
    let caller = Caller::connect(server.address(), &filled.verifier).await;
    caller.ready().await;
    let encoded = |secret: &String| question(secret.clone()).encode_to_vec();
    let requests: Vec<_> = filled.secrets.iter().map(encoded).collect();
    let answer = caller.verify(question(filled.secrets[0].clone())).await;
    assert!(answer.starts_with(ACCEPTED), "the key is not accepted");
    println!("request {} bytes, answer {} bytes", requests[0].len(), answer.len());
    let idle = Server::start("echo", &[answer.len().to_string()], Cores::Server, None);
    let blobs = [Blob::of_length(requests[0].len()).encode_to_vec()];
    let authorization = bearer(&filled.verifier);
    let authorization = authorization.as_str();
    let ours = Side { server: &server, authorization, requests: &requests, expect: ACCEPTED };
    let theirs = Side { server: &idle, authorization, requests: &blobs, expect: &[] };
    // The load runs on this thread's children; the collector goes on beside it.
    tokio::task::block_in_place(|| compare(&ours, &theirs, scale, table));
    server.stop();
}

fn compare(ours: &Side<'_>, theirs: &Side<'_>, scale: Scale, table: &mut Table) {
    let time = Duration::from_millis(scale.millis);
    let (mut rates, mut costs) = (Pairs::default(), Pairs::default());
    for _ in 0..scale.rounds {
        for (of, side) in [(&ours, 0), (&theirs, 1)] {
            let before = of.server.cpu();
            let measured = measure(of, SATURATED, time);
            let calls = measured.rate * time.as_secs_f64() * 1.1;
            costs.0[side].push(of.server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / calls);
            rates.0[side].push(measured.rate);
        }
    }
    rates.tell(table, "VerifyKey / echo, throughput at saturation", "/s", ">= 0.90");
    costs.tell(table, "VerifyKey / echo, processor time a call", "us", "");
    let half = Shape::Rate(median(&rates.0[1]) / 2.0);
    for (shape, name) in [(half, "at half of it"), (Shape::UnderWay(1), "1 caller")] {
        let (mut middle, mut late) = (Pairs::default(), Pairs::default());
        for _ in 0..scale.rounds {
            for (of, side) in [(&ours, 0), (&theirs, 1)] {
                let measured = measure(of, shape, time);
                middle.0[side].push(measured.micros(0.5));
                late.0[side].push(measured.micros(0.99));
            }
        }
        middle.tell(table, &format!("VerifyKey / echo, p50 {name}"), "us", "");
        late.tell(table, &format!("VerifyKey / echo, p99 {name}"), "us", "<= 1.25");
    }
}

/// What was measured of us and of the other.
#[derive(Default)]
pub struct Pairs(pub [Vec<f64>; 2]);

impl Pairs {
    /// Adds it to the table.
    pub fn tell(&self, table: &mut Table, what: &str, unit: &str, target: &str) {
        let [ours, theirs] = &self.0;
        table.compare(what, ours, theirs, unit, target);
    }
}

/// Loads a side for `time`.
pub fn measure(side: &Side<'_>, shape: Shape, time: Duration) -> Measured {
    let target = Target {
        address: side.server.address(),
        path: echo::PATH,
        authorization: side.authorization,
        requests: side.requests,
    };
    load(target, shape, time, side.expect).expect("every call is answered as expected")
}

/// Where traces go: a collector that forgets them.
async fn collect() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Forgetful))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    address
}

struct Forgetful;

#[tonic::async_trait]
impl TraceService for Forgetful {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
