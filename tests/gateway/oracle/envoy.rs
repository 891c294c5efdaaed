//! Envoy with the shipped configuration and descriptors, in front of a server.

use std::net::SocketAddr;

use harness::proxy::Proxy;
use tempfile::TempDir;

/// A running Envoy, and the file that it read.
pub(super) struct Envoy {
    pub(super) address: SocketAddr,
    proxy: Proxy,
    _descriptors: TempDir,
}

pub(super) async fn start(service: SocketAddr) -> Envoy {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keyward.pb");
    // What `keyward descriptors` writes.
    std::fs::write(&file, api::DESCRIPTORS).unwrap();
    let port = format!("port_value: {}", service.port());
    let replace = [("/etc/envoy/keyward.pb", file.to_str().unwrap()), ("port_value: 50051", &port)];
    let proxy = Proxy::start("envoy", "transcoder.yaml", &replace).await;
    Envoy { address: proxy.address, proxy, _descriptors: folder }
}

impl Envoy {
    pub(super) fn runs(&mut self) -> bool {
        self.proxy.runs()
    }
}
