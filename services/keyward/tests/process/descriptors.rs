//! `keyward descriptors`: what transcoders are given.

use prost_reflect::DescriptorPool;

use crate::child::command;

#[test]
fn the_descriptors_are_those_of_the_api_with_the_details_of_errors() {
    let written = command(&["descriptors"], &[]).output().unwrap();
    assert!(written.status.success() && written.stderr.is_empty(), "{written:?}");
    assert!(written.stdout == api::DESCRIPTORS, "{} bytes", written.stdout.len());
    let pool = DescriptorPool::decode(written.stdout.as_slice()).unwrap();
    for file in [
        "google/api/annotations.proto",
        "google/rpc/error_details.proto",
        "google/protobuf/struct.proto",
        "keyward/v1/audit_service.proto",
    ] {
        assert!(pool.get_file_by_name(file).is_some(), "{file}");
    }
}
