//! Bodies, both ways. Small ones, the usual case, are written and read at once where they are; large ones in
//! pieces on threads that may block.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use bytes::Bytes;
use futures::StreamExt as _;
use s3s::{Body, S3Error, S3ErrorCode, S3Result, dto::StreamingBlob};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::checksums::Expected;
use crate::store::{Digests, Draft, DraftWriter, Store, StoreError};

/// Bodies up to this many bytes are handled in place: a switch of threads would cost more than the call.
const SMALL: usize = 256 * 1024;
/// Larger bodies are written in pieces of at least this many bytes, and read in pieces of this many.
const PIECE: usize = 1024 * 1024;

/// Writes a body into a draft and checks it against what the client said of it.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    expected: Expected,
) -> S3Result<Draft> {
    let mut body = body.unwrap_or_else(|| StreamingBlob::from(Body::empty()));
    let digests = Digests::new(expected.hasher());
    let (mut pieces, ended) = collect(&mut body, SMALL).await?;
    let mut writer = store.drafts.begin(digests).map_err(StoreError::from)?;
    if ended {
        write(&mut writer, &pieces)?;
    } else {
        let mut ended = false;
        loop {
            writer = blocking(move || {
                write(&mut writer, &pieces)?;
                Ok(writer)
            })
            .await?;
            if ended {
                break;
            }
            (pieces, ended) = collect(&mut body, PIECE).await?;
        }
    }
    let draft = writer.finish();
    expected.verify(&draft.digest)?;
    Ok(draft)
}

/// Takes pieces from a body until there are more than `enough` bytes, and tells whether it has ended.
async fn collect(body: &mut StreamingBlob, enough: usize) -> S3Result<(Vec<Bytes>, bool)> {
    let mut pieces = Vec::new();
    let mut size = 0;
    while size <= enough {
        match body.next().await {
            Some(Ok(piece)) => {
                size += piece.len();
                pieces.push(piece);
            }
            // The protocol's own checks (signature, checksum of the payload, length) speak through the body.
            Some(Err(error)) => return Err(broken_body(error)),
            None => return Ok((pieces, true)),
        }
    }
    Ok((pieces, false))
}

fn broken_body(error: Box<dyn std::error::Error + Send + Sync>) -> S3Error {
    match error.downcast::<S3Error>() {
        Ok(error) => *error,
        Err(error) => {
            let message = format!("The request body could not be read: {error}");
            S3Error::with_message(S3ErrorCode::IncompleteBody, message)
        }
    }
}

fn write(writer: &mut DraftWriter, pieces: &[Bytes]) -> Result<(), StoreError> {
    match pieces {
        [one] => writer.write(one)?,
        // One call for all of them: small bodies often come in two or three pieces.
        several => writer.write(&several.concat())?,
    }
    Ok(())
}

/// The bytes `start..start + length` of a file.
pub(super) async fn send(
    mut file: File,
    start: u64,
    length: u64,
) -> Result<StreamingBlob, StoreError> {
    match usize::try_from(length) {
        Ok(length) if length <= SMALL => {
            if start > 0 {
                file.seek(SeekFrom::Start(start))?;
            }
            let mut bytes = vec![0; length];
            file.read_exact(&mut bytes)?;
            Ok(StreamingBlob::from(Body::from(bytes)))
        }
        _ => {
            let mut file = tokio::fs::File::from_std(file);
            file.set_max_buf_size(PIECE);
            file.seek(SeekFrom::Start(start)).await?;
            let stream = ReaderStream::with_capacity(file.take(length), PIECE);
            Ok(StreamingBlob::wrap(stream))
        }
    }
}

/// Copies `length` bytes of a file from `start` on into a draft.
pub(super) async fn duplicate(
    store: &Arc<Store>,
    file: File,
    start: u64,
    length: u64,
) -> S3Result<Draft> {
    let store = Arc::clone(store);
    let copy = move || -> Result<Draft, StoreError> {
        let mut file = file;
        let mut writer = store.drafts.begin(Digests::new(<_>::default()))?;
        file.seek(SeekFrom::Start(start))?;
        writer.copy(file.take(length))?;
        Ok(writer.finish())
    };
    if length <= SMALL as u64 {
        return Ok(copy()?);
    }
    blocking(copy).await
}

/// Runs work that may block for long where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(died) => Err(StoreError::from(io::Error::other(died)).into()),
    }
}
