//! A collector that takes the connection and never answers. A program of its own, because
//! telemetry starts once.

use std::time::{Duration, Instant};

use telemetry::{SampleDecision, Telemetry, TelemetryError, TelemetryOptions, continue_trace};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

#[tokio::test]
async fn shutdown_gives_up_on_a_silent_collector_in_the_time_it_was_given() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = TelemetryOptions {
        otlp_endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
        span_targets: vec![String::from("silent_collector")],
        ..TelemetryOptions::default()
    };
    let telemetry = Telemetry::start(options).unwrap();
    let span = tracing::info_span!("work");
    continue_trace(&span, &SampleDecision::Root);
    drop(span);

    let started = Instant::now();
    let listening = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut preface = [0; 24];
        socket.read_exact(&mut preface).await.unwrap();
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        socket
    };
    // This runtime has one thread: a shutdown that blocked it would never let the preface be read.
    let both = async { tokio::join!(telemetry.shutdown(Duration::from_secs(1)), listening) };
    let ended = tokio::time::timeout(Duration::from_secs(20), both).await;
    let (stopped, _socket) = ended.expect("the collector is called and shutdown comes back");
    assert!(matches!(stopped, Err(TelemetryError::FlushTimeout(_))), "{stopped:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}
