//! The metrics page, read over real HTTP and checked line by line against the text format.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use telemetry::metrics::{Buckets, Metrics, MetricsServer};
use telemetry::{Telemetry, TelemetryError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn serve(metrics: &Metrics) -> Served {
    let server = MetricsServer::bind(LOOPBACK, metrics.clone()).await.unwrap();
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap_or_default() };
    Served { address, stop, server: tokio::spawn(server.serve(stopped)) }
}

async fn ask(address: SocketAddr, head: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(format!("{head} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Reads a page as Prometheus would and answers with its samples; fails on what it would refuse.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let mut families: BTreeMap<&str, &str> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut samples = BTreeMap::new();
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, _) = help.split_once(' ').unwrap();
            assert!(helped.insert(name), "HELP twice: {name}");
            assert!(!families.contains_key(name), "HELP after TYPE: {name}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(families.insert(name, kind).is_none(), "TYPE twice: {name}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| {
                    name.strip_suffix(suffix).filter(|f| families.get(f) == Some(&"histogram"))
                })
                .unwrap_or(name);
            assert!(families.contains_key(family), "no TYPE: {line}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
            assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
            let value = value.parse().unwrap();
            assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {series}");
        }
    }
    samples
}

#[tokio::test]
async fn the_page_shows_what_was_counted() {
    let metrics = Metrics::apart();
    metrics.describe_counter("verdicts_total", "Verdicts by denial.");
    metrics.describe_histogram("verify_seconds", "How long a verdict takes.");
    metrics.hot_counter("verdicts_total", &[("denial", "none")]).add(2);
    metrics.hot_counter("verdicts_total", &[("denial", "REVOKED")]).add(1);
    for (rpc, micros) in [("VerifyKey", 3), ("VerifyKey", 300), ("BatchVerifyKeys", 30)] {
        metrics
            .hot_histogram("verify_seconds", &[("rpc", rpc)], Buckets::IN_MEMORY)
            .record(Duration::from_micros(micros));
    }

    let served = serve(&metrics).await;
    let (head, body) = ask(served.address, "GET /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(
        body.contains("# HELP verdicts_total Verdicts by denial.\n# TYPE verdicts_total counter\n")
    );
    assert!(body.contains(
        "# HELP verify_seconds How long a verdict takes.\n# TYPE verify_seconds histogram\n"
    ));
    let samples = parse(&body);
    let expected = [
        (r#"verdicts_total{denial="none"}"#, 2.0),
        (r#"verdicts_total{denial="REVOKED"}"#, 1.0),
        (r#"verify_seconds_bucket{rpc="VerifyKey",le="0.000005"}"#, 1.0),
        (r#"verify_seconds_bucket{rpc="VerifyKey",le="0.0005"}"#, 2.0),
        (r#"verify_seconds_bucket{rpc="VerifyKey",le="+Inf"}"#, 2.0),
        (r#"verify_seconds_count{rpc="VerifyKey"}"#, 2.0),
        (r#"verify_seconds_sum{rpc="VerifyKey"}"#, 0.000_303),
        (r#"verify_seconds_count{rpc="BatchVerifyKeys"}"#, 1.0),
    ];
    for (series, value) in expected {
        let shown = samples.get(series).copied().unwrap_or(f64::NAN);
        assert!((shown - value).abs() < 1e-12, "{series} is {shown}, not {value}");
    }
    if cfg!(target_os = "linux") {
        assert!(samples["process_resident_memory_bytes"] > 100_000.0);
        assert!(samples.contains_key("process_cpu_seconds_total"));
        assert!(samples.contains_key("process_start_time_seconds"));
    }
}

#[tokio::test]
async fn only_reads_of_the_page_are_answered() {
    let served = serve(&Metrics::apart()).await;
    for (head, status) in [
        ("GET /", "404"),
        ("GET /metrics/", "404"),
        ("POST /other", "404"),
        ("POST /metrics", "405"),
        ("HEAD /metrics", "200"),
        ("GET /metrics?x=y", "200"),
    ] {
        let (answer, _) = ask(served.address, head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_and_is_then_served() {
    let served = serve(&Metrics::apart()).await;
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(TcpStream::connect(served.address).await.unwrap());
    }
    let waiting = tokio::spawn(ask(served.address, "GET /metrics"));
    let early = tokio::time::timeout(Duration::from_millis(200), async {
        while !waiting.is_finished() {
            tokio::task::yield_now().await;
        }
    });
    assert!(early.await.is_err(), "served beyond the bound");
    drop(idle);
    assert!(waiting.await.unwrap().0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn stopping_ends_the_server_though_a_caller_says_nothing() {
    let served = serve(&Metrics::apart()).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    assert!(ask(served.address, "GET /").await.0.starts_with("HTTP/1.1 404 "));
    served.stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(4), served.server).await;
    ended.expect("stopped well before the head's time-out").unwrap();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9000"] {
        let bound = MetricsServer::bind(address.parse().unwrap(), Metrics::apart()).await;
        assert!(matches!(bound, Err(TelemetryError::NotLoopback(_))), "{address}");
    }
}

#[test]
fn the_same_labels_in_any_order_are_the_same_number() {
    let metrics = Metrics::apart();
    metrics.hot_counter("a_total", &[("x", "1"), ("y", "2")]).add(1);
    let again = metrics.hot_counter("a_total", &[("y", "2"), ("x", "1")]);
    again.add(1);
    assert_eq!(again.total(), 2);
    assert_eq!(metrics.hot_counter("a_total", &[("x", "2")]).total(), 0);
}

#[test]
fn a_second_start_in_one_program_gets_the_same_metrics() {
    let (first, second) = (Telemetry::for_tests(), Telemetry::for_tests());
    first.metrics().hot_counter("starts_total", &[]).add(1);
    second.metrics().hot_counter("starts_total", &[]).add(1);
    metrics::counter!("by_macro_total").increment(1);
    metrics::histogram!("call_seconds").record(0.002);
    metrics::histogram!("batch_size").record(3.0);
    let samples = parse(&first.metrics().render());
    assert_eq!(samples["starts_total"], 2.0);
    assert_eq!(samples["by_macro_total"], 1.0);
    assert_eq!(samples[r#"call_seconds_bucket{le="0.001"}"#], 0.0);
    assert_eq!(samples[r#"call_seconds_bucket{le="0.0025"}"#], 1.0);
    assert_eq!(samples[r#"batch_size_bucket{le="2"}"#], 0.0);
    assert_eq!(samples[r#"batch_size_bucket{le="4"}"#], 1.0);
    assert_eq!(samples[r#"keyward_build_info{service="keyward",version="test"}"#], 1.0);
}
