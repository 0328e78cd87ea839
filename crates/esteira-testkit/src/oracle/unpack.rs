//! Compressed objects unpacked: bytes in, text out. Compression is told by the first bytes
//! (gzip: RFC 1952 section 2.3.1; zstd: RFC 8878 section 3.1.1) and is never looked for twice.

use std::borrow::Cow;
use std::io::{self, Read};

/// The text in `bytes`, or the reason why there is none. `limit` is in unpacked bytes.
pub(super) fn unpack(bytes: &[u8], limit: u64) -> Result<Cow<'_, [u8]>, &'static str> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read(flate2::read::MultiGzDecoder::new(bytes), limit)
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        match zstd::stream::read::Decoder::with_buffer(bytes) {
            Ok(decoder) => read(decoder, limit),
            Err(_) => Err("compression"),
        }
    } else {
        Ok(Cow::Borrowed(bytes))
    }
}

fn read(decoder: impl Read, limit: u64) -> Result<Cow<'static, [u8]>, &'static str> {
    let mut text = Vec::new();
    let outcome: io::Result<usize> = decoder.take(limit.saturating_add(1)).read_to_end(&mut text);
    match outcome {
        Ok(length) if u64::try_from(length).unwrap_or(u64::MAX) > limit => Err("too_large"),
        Ok(_) => Ok(Cow::Owned(text)),
        Err(_) => Err("compression"),
    }
}
