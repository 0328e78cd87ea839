//! What a client says a body's digests are, and whether it is right.
//!
//! Sources: "Checking object integrity" in the Amazon S3 User Guide; `Content-MD5` is RFC 1864.

use s3s::{S3Result, TrailingHeaders, checksum::ChecksumHasher, dto::ChecksumAlgorithm, s3_error};

use crate::store::{Checksums, Digest};

/// What is known of a body before, or right after, it has come.
pub(super) struct Expected {
    pub(super) content_md5: Option<String>,
    /// Those that stand in headers.
    pub(super) given: Checksums,
    /// The one the client announced, its value possibly at the end of the body.
    pub(super) algorithm: Option<ChecksumAlgorithm>,
    /// The names of the headers at the end of the body (`x-amz-trailer`).
    pub(super) announced: Option<String>,
    pub(super) trailers: Option<TrailingHeaders>,
}

/// The expectations of a request, from any input that has these fields.
macro_rules! expected {
    ($request:ident) => {
        $crate::protocol::checksums::Expected {
            content_md5: $request.input.content_md5.take(),
            given: $crate::store::Checksums {
                crc32: $request.input.checksum_crc32.take(),
                crc32c: $request.input.checksum_crc32c.take(),
                crc64nvme: $request.input.checksum_crc64nvme.take(),
                sha1: $request.input.checksum_sha1.take(),
                sha256: $request.input.checksum_sha256.take(),
            },
            algorithm: $request.input.checksum_algorithm.take(),
            announced: $request
                .headers
                .get("x-amz-trailer")
                .and_then(|names| names.to_str().ok())
                .map(str::to_ascii_lowercase),
            trailers: $request.trailing_headers.take(),
        }
    };
}
pub(super) use expected;

/// Fills the checksum fields of any output that has them.
macro_rules! checksum_fields {
    ($output:ident, $checksums:expr) => {{
        let checksums = $checksums;
        $output.checksum_crc32 = checksums.crc32;
        $output.checksum_crc32c = checksums.crc32c;
        $output.checksum_crc64nvme = checksums.crc64nvme;
        $output.checksum_sha1 = checksums.sha1;
        $output.checksum_sha256 = checksums.sha256;
    }};
}
pub(super) use checksum_fields;

impl Expected {
    /// Computes just what there is to compare with.
    pub(super) fn hasher(&self) -> ChecksumHasher {
        let wants = |given: &Option<String>, name: &str| {
            given.is_some()
                || self
                    .algorithm
                    .as_ref()
                    .is_some_and(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
                || self
                    .announced
                    .as_ref()
                    .is_some_and(|trailers| names(trailers, name))
        };
        let given = &self.given;
        ChecksumHasher {
            crc32: wants(&given.crc32, "crc32").then(Default::default),
            crc32c: wants(&given.crc32c, "crc32c").then(Default::default),
            crc64nvme: wants(&given.crc64nvme, "crc64nvme").then(Default::default),
            sha1: wants(&given.sha1, "sha1").then(Default::default),
            sha256: wants(&given.sha256, "sha256").then(Default::default),
        }
    }

    /// # Errors
    /// `BadDigest` for the first digest that differs.
    pub(super) fn verify(mut self, digest: &Digest) -> S3Result<()> {
        self.take_trailers();
        if let Some(given) = self.content_md5
            && given != digest.content_md5()
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let (given, computed) = (&self.given, &digest.checksums);
        for (name, given, computed) in [
            ("CRC32", &given.crc32, &computed.crc32),
            ("CRC32C", &given.crc32c, &computed.crc32c),
            ("CRC64NVME", &given.crc64nvme, &computed.crc64nvme),
            ("SHA1", &given.sha1, &computed.sha1),
            ("SHA256", &given.sha256, &computed.sha256),
        ] {
            if given.is_some() && given != computed {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }

    /// Trailers are there once the body has been read.
    fn take_trailers(&mut self) {
        let Some(trailers) = self.trailers.take().and_then(|trailers| trailers.take()) else {
            return;
        };
        let given = &mut self.given;
        for (name, slot) in [
            ("x-amz-checksum-crc32", &mut given.crc32),
            ("x-amz-checksum-crc32c", &mut given.crc32c),
            ("x-amz-checksum-crc64nvme", &mut given.crc64nvme),
            ("x-amz-checksum-sha1", &mut given.sha1),
            ("x-amz-checksum-sha256", &mut given.sha256),
        ] {
            if let Some(value) = trailers.get(name).and_then(|value| value.to_str().ok()) {
                *slot = Some(value.to_owned());
            }
        }
    }
}

fn names(trailers: &str, algorithm: &str) -> bool {
    trailers
        .split(',')
        .any(|name| name.trim().strip_prefix("x-amz-checksum-") == Some(algorithm))
}
