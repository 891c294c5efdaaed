//! What `/verify` adds to a request of nginx: with `auth_request` and without, the same upstream behind. All
//! programs share both cores, as they would on one machine.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use harness::proxy::{Proxy, found};
use tempfile::TempDir;

use crate::Scale;
use crate::client::Caller;
use crate::create;
use crate::database::Deployment;
use crate::gateway;
use crate::http1::{self, Target};
use crate::load::Shape;
use crate::machine::Cores;
use crate::server::Server;
use crate::table::Table;

/// Requests a second at the fixed rate.
const RATE: f64 = 1_000.0;
const KEYS: usize = 500;

/// Measures.
pub async fn run(deployment: &Deployment, scale: Scale, table: &mut Table) {
    if found("nginx").is_none() {
        println!("NOT MEASURED: nginx is not installed (apt-get install)");
        return;
    }
    let service = deployment.keyward(Cores::All, &["--serving-threads", "1"]);
    let operator = deployment.operator(&service).await;
    operator.ready().await;
    let verifier = operator.create_verifier().await;
    let (workspace, token) = operator.create_workspace().await;
    let caller = Caller::connect(service.address(), &token).await;
    let secrets = create::keys(&caller, &workspace, KEYS, 32).await;
    let folder = TempDir::new().expect("a folder can be made");
    let credential = folder.path().join("credential");
    let file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&credential);
    writeln!(file.expect("a new file"), "{verifier}").expect("the credential is written");
    let flags = [
        format!("--verify-credential-file={}", credential.display()),
        "--trusted-proxy=127.0.0.1/32".to_owned(),
        // All come from one address.
        "--requests-per-second=0".to_owned(),
    ];
    let gateway = gateway::start(service.address(), Cores::All, &flags);
    let upstream = Server::start("upstream", &[], Cores::All, None);
    let with = nginx(&gateway, &upstream, true).await;
    let without = nginx(&gateway, &upstream, false).await;
    let requests: Vec<_> = secrets
        .iter()
        .map(|secret| {
            // An address that the keys allow, as from a proxy in front.
            let headers = format!("Bearer {secret}\r\nx-forwarded-for: 10.11.12.13");
            gateway::request("GET /orders", &headers, "")
        })
        .collect();
    let of = |proxy: &Proxy| Target {
        address: proxy.address,
        requests: &requests,
        expect: "ok",
        cores: Cores::All,
    };
    tokio::task::block_in_place(|| compare([of(&with), of(&without)], scale, table));
    service.stop();
}

/// nginx with the shipped configuration but for the scope, a proxy in front, and connections to the upstream that
/// are kept.
async fn nginx(gateway: &Server, upstream: &Server, asks: bool) -> Proxy {
    let (gateway, upstream) = (gateway.address().to_string(), upstream.address().to_string());
    let backend = format!(
        "upstream backend {{ server {upstream}; keepalive 32; }}\nupstream keyward_gateway {{"
    );
    let replace = [
        ("127.0.0.1:8080", gateway.as_str()),
        ("upstream keyward_gateway {", &backend),
        (
            "proxy_pass http://127.0.0.1:9000;",
            "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://backend;",
        ),
        // As the file says for nginx behind another proxy, which the load plays.
        ("X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;"),
        ("payment:read", "orders:read"),
        (if asks { "\0" } else { "auth_request /_keyward;" }, ""),
    ];
    Proxy::start("nginx", "keyward.conf", &replace).await
}

fn compare(sides: [Target<'_>; 2], scale: Scale, table: &mut Table) {
    let time = Duration::from_millis(scale.millis);
    for (shape, name) in [
        (Shape::UnderWay(1), "1 caller".to_owned()),
        (Shape::Rate(RATE), format!("{RATE} a second")),
    ] {
        let mut micros = [(); 2].map(|()| [Vec::new(), Vec::new()]);
        for _ in 0..scale.rounds {
            for (side, target) in sides.iter().enumerate() {
                let measured = http1::load(*target, shape, time);
                let measured = measured.expect("every request is answered as expected");
                for (at, quantile) in [0.5, 0.99].into_iter().enumerate() {
                    micros[at][side].push(measured.micros(quantile));
                }
            }
        }
        for (quantile, [with, without]) in ["p50", "p99"].into_iter().zip(&micros) {
            let what = format!("nginx with /verify / without, {quantile}, {name}");
            table.compare(&what, with, without, "us", "");
            let added: Vec<_> = with.iter().zip(without).map(|(with, bare)| with - bare).collect();
            table.state(&format!("/verify adds, {quantile}, {name}"), &added, "us", "");
        }
    }
}
