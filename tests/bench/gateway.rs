//! REST through the gateway, through Envoy's transcoder, and gRPC without either, 32 calls under way. Each of
//! the two proxies has one thread on the server's core; the service and the load are on the other one.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use api::v1::ListApiKeysRequest;
use api::v1::api_key_service_client::ApiKeyServiceClient;
use harness::proxy::{Proxy, found};
use prost::Message;
use tempfile::TempDir;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;

use crate::Scale;
use crate::client::{Caller, bearer, question};
use crate::create;
use crate::database::{Deployment, free_addresses};
use crate::http1::{self, Target};
use crate::load::{self, Shape};
use crate::machine::{self, Cores};
use crate::server::Server;
use crate::table::Table;
use crate::verify::ACCEPTED;

/// Calls under way, each on a connection of its own over REST.
const CALLS: Shape = Shape::UnderWay(32);
/// Keys that are made.
const KEYS: usize = 500;
/// Keys in a list.
const LISTED: i32 = 50;
const LIST: &str = "/keyward.v1.ApiKeyService/ListApiKeys";

/// The gateway in front of a service, on this core. It listens.
pub fn start(service: SocketAddr, cores: Cores, more: &[String]) -> Server {
    let [listen, metrics] = free_addresses();
    let flags = [
        format!("--listen={listen}"),
        format!("--service={service}"),
        format!("--metrics-listen={metrics}"),
        "--threads=1".to_owned(),
        "--access-log=false".to_owned(),
        "--log=warn".to_owned(),
    ];
    let gateway =
        Server::start("keyward-gateway", &[&flags[..], more].concat(), cores, Some(listen));
    while TcpStream::connect(listen).is_err() {
        std::thread::sleep(Duration::from_millis(2));
    }
    gateway
}

/// Envoy with the shipped configuration, if it is there.
struct Envoy {
    proxy: Proxy,
    _descriptors: TempDir,
}

impl Envoy {
    async fn start(service: SocketAddr) -> Option<Self> {
        found("envoy")?;
        let folder = TempDir::new().expect("a folder can be made");
        let file = folder.path().join("keyward.pb");
        std::fs::write(&file, api::DESCRIPTORS).expect("the descriptors are written");
        let (file, port) = (file.display().to_string(), format!("port_value: {}", service.port()));
        let replace = [("/etc/envoy/keyward.pb", file.as_str()), ("port_value: 50051", &port)];
        let proxy = Proxy::start("envoy", "transcoder.yaml", &replace).await;
        machine::bind_program(proxy.id(), Cores::Server);
        Some(Self { proxy, _descriptors: folder })
    }
}

/// The same calls by three ways.
struct Ways<'a> {
    gateway: &'a Server,
    envoy: Option<&'a Envoy>,
    rest: &'a [Vec<u8>],
    expect: &'a str,
    direct: Option<load::Target<'a>>,
    /// How every answer of gRPC begins.
    begins: &'a [u8],
}

/// What one way came to: calls a second, and microseconds of the proxy's processor a call.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    costs: Vec<f64>,
    middles: Vec<f64>,
}

/// Measures.
pub async fn run(deployment: &Deployment, scale: Scale, table: &mut Table) {
    if found("envoy").is_none() {
        println!("NOT MEASURED: Envoy is not installed (bash .ci/run brings it)");
    }
    let service = deployment.keyward(Cores::Load, &["--serving-threads", "1"]);
    let operator = deployment.operator(&service).await;
    operator.ready().await;
    let verifier = operator.create_verifier().await;
    let (workspace, token) = operator.create_workspace().await;
    let caller = Caller::connect(service.address(), &token).await;
    let secrets = create::keys(&caller, &workspace, KEYS, 32).await;
    let alone = deployment.keyward(Cores::Server, &["--serving-threads", "1"]);
    Caller::connect(alone.address(), &verifier).await.ready().await;
    verdicts(&service, &alone, &verifier, &secrets, scale, table).await;
    lists(&service, &workspace, &token, scale, table).await;
    service.stop();
    alone.stop();
}

async fn verdicts(
    service: &Server,
    alone: &Server,
    verifier: &str,
    secrets: &[String],
    scale: Scale,
    table: &mut Table,
) {
    let authorization = bearer(verifier);
    let asked = |secret: &String| {
        let scopes = r#"{"allOf":["orders:read"]}"#;
        let body =
            format!(r#"{{"key":"{secret}","clientIp":"10.11.12.13","requiredScopes":{scopes}}}"#);
        request("POST /v1/keys:verify", &authorization, &body)
    };
    let rest: Vec<_> = secrets.iter().map(asked).collect();
    let encoded = |secret: &String| question(secret.clone()).encode_to_vec();
    let requests: Vec<_> = secrets.iter().map(encoded).collect();
    let gateway = start(service.address(), Cores::Server, &[]);
    let envoy = Envoy::start(service.address()).await;
    let ways = Ways {
        gateway: &gateway,
        envoy: envoy.as_ref(),
        rest: &rest,
        expect: "DECISION_ACCEPTED",
        direct: Some(load::Target {
            address: alone.address(),
            path: crate::echo::PATH,
            authorization: &authorization,
            requests: &requests,
        }),
        begins: ACCEPTED,
    };
    tokio::task::block_in_place(|| ways.compare("VerifyKey by REST", ">= 1.8", scale, table));
}

/// A list from the service, whose work is the database's above all, and the same bytes from a server that
/// does nothing else.
async fn lists(service: &Server, workspace: &str, token: &str, scale: Scale, table: &mut Table) {
    let authorization = bearer(token);
    let listed = listed(service.address(), workspace, &authorization).await;
    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("list");
    std::fs::write(&file, listed.encode_to_vec()).expect("the list is written");
    let file = [file.display().to_string()];
    let canned = Server::start("canned", &file, Cores::Load, None);
    let alone = Server::start("canned", &file, Cores::Server, None);
    let path = format!("GET /v1/workspaces/{workspace}/keys?pageSize={LISTED}");
    let rest = [request(&path, &authorization, "")];
    let requests = [list(workspace).encode_to_vec()];
    for (what, service, direct, target) in [
        ("50 keys by REST", canned.address(), Some(alone.address()), ">= 1.3"),
        ("50 keys of the service", service.address(), None, ""),
    ] {
        let gateway = start(service, Cores::Server, &[]);
        let envoy = Envoy::start(service).await;
        let direct = direct.map(|address| load::Target {
            address,
            path: LIST,
            authorization: &authorization,
            requests: &requests,
        });
        let (gateway, envoy) = (&gateway, envoy.as_ref());
        let expect = "\"apiKeys\":[{\"keyId\":";
        let ways = Ways { gateway, envoy, rest: &rest, expect, direct, begins: &[] };
        tokio::task::block_in_place(|| ways.compare(what, target, scale, table));
    }
}

fn list(workspace: &str) -> ListApiKeysRequest {
    ListApiKeysRequest {
        workspace_id: workspace.to_owned(),
        page_size: LISTED,
        ..ListApiKeysRequest::default()
    }
}

async fn listed(
    service: SocketAddr,
    workspace: &str,
    authorization: &str,
) -> api::v1::ListApiKeysResponse {
    let endpoint = Endpoint::from_shared(format!("http://{service}")).expect("a URL");
    let mut request = tonic::Request::new(list(workspace));
    let authorization: MetadataValue<_> = authorization.parse().expect("visible ASCII");
    request.metadata_mut().insert("authorization", authorization);
    let mut client = ApiKeyServiceClient::new(endpoint.connect_lazy());
    loop {
        let mut again = tonic::Request::new(request.get_ref().clone());
        *again.metadata_mut() = request.metadata().clone();
        let listed = client.list_api_keys(again).await.expect("a list").into_inner();
        // The read model follows.
        if listed.api_keys.len() == usize::try_from(LISTED).expect("a small number") {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A request of HTTP/1.1.
pub fn request(line: &str, authorization: &str, body: &str) -> Vec<u8> {
    let length = match body {
        "" => String::new(),
        body => format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()),
    };
    format!(
        "{line} HTTP/1.1\r\nhost: keyward\r\nauthorization: {authorization}\r\n{length}\r\n{body}"
    )
    .into_bytes()
}

impl Ways<'_> {
    fn compare(&self, what: &str, target: &str, scale: Scale, table: &mut Table) {
        let time = Duration::from_millis(scale.millis);
        let (mut ours, mut envoys) = (Figures::default(), Figures::default());
        let mut direct = Vec::new();
        for _ in 0..scale.rounds {
            self.measure(self.gateway.address(), self.gateway.id(), time, &mut ours);
            if let Some(envoy) = self.envoy {
                self.measure(envoy.proxy.address, envoy.proxy.id(), time, &mut envoys);
            }
            if let Some(target) = self.direct {
                let measured = load::load(target, CALLS, time, self.begins);
                direct.push(measured.expect("every call is answered as expected").rate);
            }
        }
        if self.envoy.is_some() {
            let figures = [
                ("", &ours.rates, &envoys.rates, "/s", target),
                (", processor time a call", &ours.costs, &envoys.costs, "us", ""),
                (", p50", &ours.middles, &envoys.middles, "us", ""),
            ];
            for (figure, ours, envoys, unit, target) in figures {
                table.compare(&format!("{what} / Envoy{figure}"), ours, envoys, unit, target);
            }
        } else {
            table.state(&format!("{what}, processor time a call"), &ours.costs, "us", "");
        }
        if self.direct.is_some() {
            let what = format!("{what} / gRPC without a proxy");
            table.compare(&what, &ours.rates, &direct, "/s", "");
        }
    }

    fn measure(&self, address: SocketAddr, program: u32, time: Duration, into: &mut Figures) {
        let (requests, expect) = (self.rest, self.expect);
        let target = Target { address, requests, expect, cores: Cores::Load };
        let before = machine::cpu(program);
        let measured = http1::load(target, CALLS, time);
        let measured = measured.expect("every request is answered as expected");
        let calls = measured.rate * time.as_secs_f64() * 1.1;
        let spent = machine::cpu(program).saturating_sub(before);
        into.costs.push(spent.as_secs_f64() * 1e6 / calls);
        into.rates.push(measured.rate);
        into.middles.push(measured.micros(0.5));
    }
}
