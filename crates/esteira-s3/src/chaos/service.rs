//! Does to a request what was decided.
//!
//! A request that is refused is read to its end first, as S3 mostly does; one whose connection is cut is
//! not. A fault is counted when it happens, not when it is decided: an answer without a body cannot end
//! early.

use std::{error::Error, sync::Arc};

use futures::future::BoxFuture;
use hyper::{
    Request, StatusCode,
    body::{Body as _, Incoming},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    service::Service,
};
use s3s::{Body, HttpRequest, HttpResponse, service::S3Service};

use super::{
    Cut, Kind, Weather, body,
    fault::{Fault, OddPage},
};
use crate::gate::HEALTH_PATH;

type Failure = Box<dyn Error + Send + Sync>;
type Answer = Result<HttpResponse, Failure>;

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("chaos ended the connection: {0:?}")]
struct Ended(Kind);

/// The service behind one connection, with faults.
#[derive(Clone)]
pub(crate) struct Faulty {
    service: S3Service,
    weather: Arc<Weather>,
    /// The connection's.
    cut: Cut,
}

impl Faulty {
    pub(crate) fn new(service: S3Service, weather: Arc<Weather>, cut: Cut) -> Self {
        Self {
            service,
            weather,
            cut,
        }
    }

    async fn answer(self, request: HttpRequest) -> Answer {
        let fault = if request.uri().path() == HEALTH_PATH {
            None
        } else {
            self.weather.decide(&request)
        };
        let Some(fault) = fault else {
            return self.serve(request).await;
        };
        match fault {
            Fault::Truncated(share) => self.truncated(request, share).await,
            Fault::SlowBody { pieces, pause } => {
                let answer = self.serve(request).await?;
                self.happens(fault);
                Ok(answer.map(|whole| body::slow(whole, pieces, pause)))
            }
            Fault::Page(page) => self.page(request, page).await,
            other => {
                self.happens(other);
                self.instead(request, other).await
            }
        }
    }

    /// Something else than the answer.
    async fn instead(self, request: HttpRequest, fault: Fault) -> Answer {
        let ended = || Box::new(Ended(fault.kind()));
        match fault {
            Fault::ResetBefore => {
                self.cut.reset();
                return Err(ended());
            }
            Fault::Timeout(hang) => {
                tokio::time::sleep(hang).await;
                return Err(ended());
            }
            Fault::ResetAfter => {
                self.serve(request).await?;
                self.cut.reset();
                return Err(ended());
            }
            Fault::ErrorAfter => {
                self.serve(request).await?;
            }
            _ => body::drain(request.into_body()).await,
        }
        Ok(match fault {
            Fault::SlowDown => refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "SlowDown",
                "Please reduce your request rate.",
            ),
            Fault::Conflict => refusal(
                StatusCode::CONFLICT,
                "ConditionalRequestConflict",
                "The conditional request cannot succeed due to a conflicting operation against this resource.",
            ),
            _ => refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
            ),
        })
    }

    async fn truncated(self, request: HttpRequest, share: u64) -> Answer {
        let mut answer = self.serve(request).await?;
        let announced = answer.headers().get(CONTENT_LENGTH);
        let length = announced
            .and_then(|length| length.to_str().ok()?.parse().ok())
            .or_else(|| answer.body().size_hint().exact());
        let Some(length) = length.filter(|length| *length > 0) else {
            return Ok(answer);
        };
        self.happens(Fault::Truncated(share));
        answer
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        let kept = u128::from(length) * u128::from(share) / 1_000;
        let kept = u64::try_from(kept).unwrap_or(0);
        Ok(answer.map(|whole| body::truncated(whole, kept)))
    }

    async fn page(self, mut request: HttpRequest, page: OddPage) -> Answer {
        request.extensions_mut().insert(page);
        let answer = self.serve(request).await?;
        if answer.status().is_success() {
            self.happens(Fault::Page(page));
        }
        Ok(answer)
    }

    fn happens(&self, fault: Fault) {
        tracing::debug!(?fault, "chaos");
        self.weather.count(fault.kind());
    }

    async fn serve(&self, request: HttpRequest) -> Answer {
        Ok(self.service.call(request).await?)
    }
}

impl Service<Request<Incoming>> for Faulty {
    type Response = HttpResponse;
    type Error = Failure;
    type Future = BoxFuture<'static, Answer>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(self.clone().answer(request.map(Body::from)))
    }
}

/// An error as S3 writes it, see "Error responses" in the Amazon S3 API Reference.
fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let mut answer = HttpResponse::new(Body::from(text));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}
