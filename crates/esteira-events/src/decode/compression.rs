//! Objects that are compressed.
//!
//! Comes in: an object's bytes. Goes out: its text. Compression is told by the first bytes, never
//! by a name: gzip (RFC 1952 §2.3.1, any number of members) and zstd (RFC 8878 §3.1, any number of
//! frames). Invariant: one level only, all or nothing, and never more than the limit in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

use super::issue::Issue;
use super::report::{Reason, TEXT};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gzip,
    Zstd,
}

/// The text of an object: its own bytes, or what they unpack to, which is put into `buffer`.
///
/// An issue when the stream is broken or the text is longer than `limit` bytes.
pub(super) fn unpack<'a>(
    object: &'a [u8],
    limit: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8], Issue> {
    buffer.clear();
    let text = match format_of(object) {
        None => object,
        Some(format) => {
            let unpacked = match format {
                Format::Gzip => read(MultiGzDecoder::new(object), limit, buffer),
                Format::Zstd => zstd::Decoder::with_buffer(object)
                    .and_then(|decoder| read(decoder, limit, buffer)),
            };
            unpacked.map_err(|error| broken(format, &error))?;
            buffer
        }
    };
    if text.len() > limit {
        let message =
            format!("the text has more than the {limit} bytes that `{TEXT}` allows; raise it");
        return Err(Issue::whole(0, Reason::TooLarge, message));
    }
    Ok(text)
}

/// The text of an object: its own bytes, or what they unpack to. Nothing when the stream is broken or the
/// text is longer than `limit` bytes.
#[must_use]
pub fn text_of(object: &[u8], limit: usize) -> Option<Cow<'_, [u8]>> {
    if !is_compressed(object) {
        return (object.len() <= limit).then_some(Cow::Borrowed(object));
    }
    let mut buffer = Vec::new();
    unpack(object, limit, &mut buffer).ok()?;
    Some(Cow::Owned(buffer))
}

/// Whether an object is compressed, by its first bytes.
#[must_use]
pub fn is_compressed(object: &[u8]) -> bool {
    format_of(object).is_some()
}

/// How many bytes the text of an object has: counted up to one more than `most`, and as far as the
/// stream is not broken. Takes no memory for the text.
#[must_use]
pub fn text_length(object: &[u8], most: usize) -> usize {
    let count = |decoder: &mut dyn Read| {
        let mut piece = vec![0; 1 << 16];
        let mut length = 0;
        while length <= most {
            match decoder.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        length.min(most.saturating_add(1))
    };
    match format_of(object) {
        None => object.len(),
        Some(Format::Gzip) => count(&mut MultiGzDecoder::new(object)),
        Some(Format::Zstd) => {
            zstd::Decoder::with_buffer(object).map_or(0, |mut decoder| count(&mut decoder))
        }
    }
}

fn format_of(object: &[u8]) -> Option<Format> {
    match object {
        [0x1f, 0x8b, ..] => Some(Format::Gzip),
        // a frame, or a skippable frame before the first one
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Format::Zstd),
        _ => None,
    }
}

/// Reads one byte beyond the limit at most: enough to see that there is more.
fn read(decoder: impl Read, limit: usize, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(buffer)
}

fn broken(format: Format, error: &io::Error) -> Issue {
    let name = match format {
        Format::Gzip => "gzip",
        Format::Zstd => "zstd",
    };
    Issue::whole(
        0,
        Reason::Compression,
        format!("the {name} stream is broken: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use crate::decode::Reason;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn text(object: &[u8]) -> Result<Vec<u8>, Reason> {
        unpack(object, 1_000, &mut Vec::new())
            .map(<[u8]>::to_vec)
            .map_err(|issue| issue.reason)
    }

    #[test]
    fn object_of_several_members_or_frames_is_one_text() {
        assert_eq!(text(b"{}"), Ok(b"{}".to_vec()));
        assert_eq!(
            text(&[gzip(b"{\"a\""), gzip(b":1}")].concat()),
            Ok(b"{\"a\":1}".to_vec())
        );
        let skippable = [
            &[0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..],
            &zstd(b"{}"),
        ]
        .concat();
        assert_eq!(text(&skippable), Ok(b"{}".to_vec()));
        assert_eq!(text(&[zstd(b"{"), zstd(b"}")].concat()), Ok(b"{}".to_vec()));
    }

    #[test]
    fn object_that_is_cut_or_damaged_is_refused_whole() {
        for packed in [
            gzip(&[b'x'; 500]),
            zstd(b"a text that is long enough to be damaged"),
        ] {
            for end in 4..packed.len() {
                assert_eq!(
                    text(&packed[..end]),
                    Err(Reason::Compression),
                    "cut at {end}"
                );
            }
        }
        let mut damaged = gzip(&[b'x'; 500]);
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert_eq!(text(&damaged), Err(Reason::Compression));
        let second_cut = [gzip(b"{}"), gzip(b"{}")[..10].to_vec()].concat();
        assert_eq!(text(&second_cut), Err(Reason::Compression));
    }

    #[test]
    fn object_beyond_the_limit_is_too_large_however_it_is_packed() {
        let long = vec![b' '; 1_001];
        for object in [long.clone(), gzip(&long), zstd(&long)] {
            assert_eq!(text(&object), Err(Reason::TooLarge));
        }
        assert_eq!(text(&gzip(&long[..1_000])), Ok(long[..1_000].to_vec()));
    }

    #[test]
    fn object_packed_twice_is_unpacked_once() {
        let inner = gzip(b"{}");
        assert_eq!(text(&gzip(&inner)), Ok(inner));
    }

    #[test]
    fn text_of_an_object_is_what_it_unpacks_to_within_the_limit() {
        assert_eq!(super::text_of(b"[1]", 3).as_deref(), Some(&b"[1]"[..]));
        assert_eq!(
            super::text_of(&gzip(b"[1]"), 3).as_deref(),
            Some(&b"[1]"[..])
        );
        assert_eq!(super::text_of(b"[1]", 2), None);
        assert_eq!(super::text_of(&zstd(b"[1]"), 2), None);
        assert_eq!(super::text_of(b"\x1f\x8bx", 9), None);
    }
}
