//! An answer's bytes that end early, or come slowly.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use s3s::{Body, dto::StreamingBlob};

/// Before a body breaks off, what was sent of it has this long to get onto the wire.
const TO_BE_SENT: Duration = Duration::from_millis(20);

/// The first `length` bytes, and then a failure.
pub(super) fn truncated(body: Body, length: u64) -> Body {
    let pieces = StreamingBlob::from(body);
    let broken = stream::unfold(Some((pieces, length)), |state| async move {
        let (mut pieces, left) = state?;
        let broke = || Err(io::Error::other("chaos ends the answer early"));
        if left > 0 {
            match pieces.next().await {
                Some(Ok(mut piece)) => {
                    let kept = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    piece.truncate(kept);
                    return Some((Ok(piece), Some((pieces, left - kept as u64))));
                }
                Some(Err(error)) => return Some((Err(io::Error::other(error)), None)),
                None => {}
            }
        }
        tokio::time::sleep(TO_BE_SENT).await;
        Some((broke(), None))
    });
    of_stream(broken)
}

/// The same bytes, the first of them in some pieces with pauses.
pub(super) fn slow(body: Body, pieces: u64, pause: Duration) -> Body {
    let whole = StreamingBlob::from(body);
    let slow = stream::unfold((whole, Bytes::new(), pieces), move |state| async move {
        let (mut rest, mut waiting, left) = state;
        if waiting.is_empty() {
            waiting = match rest.next().await? {
                Ok(piece) => piece,
                Err(error) => return Some((Err(io::Error::other(error)), (rest, waiting, left))),
            };
        }
        if left == 0 {
            return Some((Ok(std::mem::take(&mut waiting)), (rest, waiting, 0)));
        }
        tokio::time::sleep(pause).await;
        let share = usize::try_from(left).unwrap_or(1).max(1);
        let piece = waiting.split_to(waiting.len().div_ceil(share));
        Some((Ok(piece), (rest, waiting, left - 1)))
    });
    of_stream(slow)
}

/// Reads a body to its end, and throws it away.
pub(super) async fn drain(body: Body) {
    let mut pieces = StreamingBlob::from(body);
    while let Some(Ok(_)) = pieces.next().await {}
}

fn of_stream(pieces: impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static) -> Body {
    Body::from(StreamingBlob::wrap(pieces))
}
