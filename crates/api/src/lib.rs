//! The wire: messages, clients and servers of the package `keyward.v1`, generated from `proto/`, and
//! the descriptor set for reflection and transcoding.
//!
//! Deliberately not here: what any of it means. Turning wire fields into domain values is the
//! service's `grpc/convert.rs`; this crate sees none of ours, so that a successor of the generator
//! changes this crate alone.

pub mod envoy;
mod reason;
mod redact;

/// The package `keyward.v1`, at its protobuf path.
pub mod keyward {
    /// Generated types; their documentation is that of the protos.
    #[allow(
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
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/keyward.v1.rs"));
    }
}

pub use keyward::v1;

/// Of `google.rpc`, what Envoy's messages have in them.
pub mod google {
    /// Generated types; their documentation is that of the protos.
    #[allow(missing_docs, unreachable_pub, rustdoc::all, clippy::all, reason = "generated")]
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}

/// The encoded `FileDescriptorSet` of `keyward.v1`, its imports and `google.rpc` error details, options
/// included, comments left out.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The encoded `FileDescriptorSet` of what Envoy calls, for reflection. Apart from [`DESCRIPTORS`], which
/// REST and its documentation are made from.
pub const ENVOY_DESCRIPTORS: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/envoy_descriptors.bin"));

/// An encoded `FileDescriptorSet` with the names of our files and their comments, for documentation.
pub const COMMENTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/comments.bin"));
