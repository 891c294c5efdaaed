//! Compiles `proto/` into Rust types and a descriptor set, without protoc.
//!
//! Deliberately not here: a list of the messages that carry secrets. It is read from the protos: a
//! message with a `debug_redact` field gets no derived `Debug`, so it cannot be printed at all until
//! `src/redact.rs` has one for it (`tests/redaction.rs` asks for that).

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use protox::Compiler;
use protox::prost_reflect::prost::Message;
use protox::prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Value};

const PACKAGE: &str = "keyward.v1";

/// What Envoy calls, in descriptors of its own: it is no part of our API, and REST has no way to it.
const ENVOY: &str = "envoy/service/auth/v3/external_auth.proto";

/// Shipped beside our own files: clients decode the details of errors by them.
const ERROR_DETAILS: &str = "google/rpc/error_details.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let proto = Path::new("../../proto");
    println!("cargo::rerun-if-changed={}", proto.display());

    let mut compiler = Compiler::new([proto])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(our_files(proto)?)?;
    compiler.open_file(ERROR_DETAILS)?;

    // Types: of our package alone; the generator looks up the well-known ones and takes prost-types'.
    // Source info carries the comments into the documentation.
    let mut ours = compiler.file_descriptor_set();
    ours.file.retain(|file| [PACKAGE, "google.protobuf"].contains(&file.package()));
    let comments = comments(&ours);
    tonic_prost_build::configure()
        .btree_map(".")
        .skip_debug(messages_with_secrets(&compiler.descriptor_pool()))
        .compile_fds(ours)?;

    // Descriptors: everything, with the options, without the comments.
    compiler.include_source_info(false);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    fs::write(out.join("comments.bin"), comments.encode_to_vec())?;
    envoy(proto, &out)
}

/// The part of Envoy's API that the service answers, and `google.rpc.Status` with it.
fn envoy(proto: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut compiler = Compiler::new([proto])?;
    compiler.include_imports(true).include_source_info(true).open_file(ENVOY)?;
    tonic_prost_build::configure()
        .btree_map(".")
        .skip_debug(messages_with_secrets(&compiler.descriptor_pool()))
        .compile_fds(compiler.file_descriptor_set())?;
    compiler.include_source_info(false);
    fs::write(out.join("envoy_descriptors.bin"), compiler.encode_file_descriptor_set())?;
    Ok(())
}

/// The comments of our files, and nothing else of them.
fn comments(ours: &FileDescriptorSet) -> FileDescriptorSet {
    let ours = ours.file.iter().filter(|file| file.package() == PACKAGE);
    let of_file = |file: &FileDescriptorProto| {
        let mut info = file.source_code_info.clone().unwrap_or_default();
        info.location.retain(|location| location.leading_comments.is_some());
        for location in &mut info.location {
            location.span.clear();
            location.leading_detached_comments.clear();
        }
        let (name, source_code_info) = (file.name.clone(), Some(info));
        FileDescriptorProto { name, source_code_info, ..FileDescriptorProto::default() }
    };
    FileDescriptorSet { file: ours.map(of_file).collect() }
}

/// Every file of the package, sorted, so that a build does not depend on the order of a directory.
fn our_files(proto: &Path) -> Result<BTreeSet<PathBuf>, Box<dyn Error>> {
    let folder = proto.join(PACKAGE.replace('.', "/"));
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.insert(path);
        }
    }
    Ok(files)
}

fn messages_with_secrets(pool: &DescriptorPool) -> BTreeSet<String> {
    pool.all_messages()
        .filter(|message| message.fields().any(|field| is_secret(&field)))
        .map(|message| format!(".{}", message.full_name()))
        .collect()
}

fn is_secret(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").as_deref() == Some(&Value::Bool(true))
}
