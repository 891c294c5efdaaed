//! What Envoy calls: the packages `envoy.*` of `proto/`, each at its protobuf path.
//!
//! Generated types; their documentation is that of the protos.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    rustdoc::all,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    clippy::match_wildcard_for_single_variants,
    clippy::too_many_lines,
    reason = "generated"
)]

pub mod config {
    pub mod core {
        pub mod v3 {
            include!(concat!(env!("OUT_DIR"), "/envoy.config.core.v3.rs"));
        }
    }
}

pub mod service {
    pub mod auth {
        pub mod v3 {
            include!(concat!(env!("OUT_DIR"), "/envoy.service.auth.v3.rs"));
        }
    }
}

pub mod r#type {
    pub mod v3 {
        include!(concat!(env!("OUT_DIR"), "/envoy.r#type.v3.rs"));
    }
}
