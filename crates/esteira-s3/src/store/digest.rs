//! Digests of bytes on their way to a file: the MD5 that becomes the ETag, and the checksums asked for.

use s3s::{
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Md5},
};

use super::object::Checksums;
use crate::hex;

/// Running digests of one body.
pub(crate) struct Digests {
    md5: Md5,
    /// Only the algorithms that were asked for run.
    checksums: ChecksumHasher,
    size: u64,
}

/// The digests of a whole body.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksums,
}

impl Digests {
    pub(crate) fn new(checksums: ChecksumHasher) -> Self {
        Self {
            md5: Md5::new(),
            checksums,
            size: 0,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksums.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> Digest {
        let checksums = self.checksums.finalize();
        Digest {
            size: self.size,
            md5: self.md5.finalize(),
            checksums: Checksums {
                crc32: checksums.checksum_crc32,
                crc32c: checksums.checksum_crc32c,
                crc64nvme: checksums.checksum_crc64nvme,
                sha1: checksums.checksum_sha1,
                sha256: checksums.checksum_sha256,
            },
        }
    }
}

impl Digest {
    /// The ETag of an object that was stored in one piece.
    pub(crate) fn etag(&self) -> String {
        hex::encode(&self.md5)
    }

    /// The MD5 as the header `Content-MD5` has it (RFC 1864).
    pub(crate) fn content_md5(&self) -> String {
        base64(&self.md5)
    }
}

/// The ETag of an object made from parts with these MD5s.
pub(crate) fn etag_of_parts(md5s: &[[u8; 16]]) -> String {
    format!(
        "{}-{}",
        hex::encode(&Md5::checksum(&md5s.concat())),
        md5s.len()
    )
}

/// The MD5 that an ETag of one piece spells.
pub(crate) fn md5_of_etag(etag: &str) -> Option<[u8; 16]> {
    hex::decode(etag)?.try_into().ok()
}

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let packed = group
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let index = packed >> (18 - 6 * place) & 0x3F;
                text.push(char::from(ALPHABET[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_known_text_is_spelled_as_s3_does() {
        let mut digests = Digests::new(ChecksumHasher::default());
        digests.update(b"hello ");
        digests.update(b"world");
        let digest = digests.finish();
        assert_eq!(digest.size, 11);
        assert_eq!(digest.etag(), "5eb63bbbe01eeed093cb22bb8f5acdc3");
        assert_eq!(digest.content_md5(), "XrY7u+Ae7tCTyyK7j1rNww==");
        assert_eq!(md5_of_etag(&digest.etag()), Some(digest.md5));
    }

    #[test]
    fn base64_pads_every_length() {
        let texts = [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", b"foobar"].map(base64);
        assert_eq!(
            texts,
            [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
            ]
        );
    }

    #[test]
    fn etag_that_is_no_md5_is_refused() {
        assert_eq!(md5_of_etag("5eb63bbbe01eeed093cb22bb8f5acdc3-2"), None);
        assert_eq!(md5_of_etag("zz"), None);
        assert_eq!(md5_of_etag("+eb63bbbe01eeed093cb22bb8f5acdc3"), None);
    }
}
