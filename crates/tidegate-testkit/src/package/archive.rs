//! Deterministic archives: fixed times, owners and order.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// 1985-10-26T08:15:00Z, the time that npm itself writes into tarballs: ZIP cannot say anything before 1980.
const FILE_TIME: u64 = 499_162_500;

/// A gzip-compressed tar of `files`, each below the folder `root`.
pub(super) fn tar_gz(root: &str, files: &[(String, Bytes)]) -> Vec<u8> {
    let encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    let mut builder = tar::Builder::new(encoder);
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(FILE_TIME);
        builder
            .append_data(&mut header, format!("{root}/{path}"), &bytes[..])
            .expect("writing to memory does not fail");
    }
    let encoder = builder.into_inner().expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// A gzip-compressed tar of `files` where they are named, as layers of images are.
pub(crate) fn layer(files: &[(String, Bytes)]) -> Vec<u8> {
    let encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    let mut builder = tar::Builder::new(encoder);
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(FILE_TIME);
        builder.append_data(&mut header, path, &bytes[..]).expect("writing to memory does not fail");
    }
    let encoder = builder.into_inner().expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// A ZIP of `files`, deflated.
pub(crate) fn zip(files: &[(String, Bytes)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let time = zip::DateTime::from_date_and_time(1985, 10, 26, 8, 15, 0).expect("a literal time");
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .unix_permissions(0o644)
        .last_modified_time(time);
    for (path, bytes) in files {
        writer.start_file(path.as_str(), options).expect("writing to memory does not fail");
        writer.write_all(bytes).expect("writing to memory does not fail");
    }
    writer.finish().expect("writing to memory does not fail").into_inner()
}

/// `length` bytes that do not compress, the same for the same `seed` (xorshift64*, Vigna 2016).
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        out.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    out.truncate(length);
    out
}
