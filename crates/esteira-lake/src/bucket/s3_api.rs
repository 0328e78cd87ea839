//! The few S3 requests that `object_store` has no call for, or cannot make for every key: listing
//! with encoded names, reading and conditionally writing any key, creating and listing buckets.
//!
//! Formats are those of the Amazon S3 API Reference: ListObjectsV2, GetObject, PutObject,
//! CreateBucket and ListBuckets; requests are signed with Signature Version 4.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpErrorKind, HttpRequest, HttpRequestBody};
use serde::Deserialize;
use uuid::Uuid;

use super::error::shown;
use super::s3_wire::{BucketList, Entry, ListPage, ServiceError, decode, encode};
use super::{BucketError, Fetched, Listed, PutNew};

const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub(super) const COPY_SOURCE: header::HeaderName =
    header::HeaderName::from_static("x-amz-copy-source");
pub(super) const COPY_SOURCE_IF_MATCH: header::HeaderName =
    header::HeaderName::from_static("x-amz-copy-source-if-match");

/// Codes of credentials that were good once.
const EXPIRED: [&str; 3] = ["ExpiredToken", "InvalidToken", "TokenRefreshRequired"];

/// What a plain copy gave.
enum PlainCopy {
    Done,
    Changed,
    Missing,
}

/// A signed connection to one S3 service.
#[derive(Debug, Clone)]
pub(super) struct S3Api {
    pub(super) client: HttpClient,
    pub(super) credentials: AwsCredentialProvider,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) bucket: String,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) struct Call<'a> {
    operation: &'static str,
    method: Method,
    key: &'a str,
    pub(super) query: String,
    pub(super) headers: Vec<(header::HeaderName, String)>,
    pub(super) body: Bytes,
}

impl<'a> Call<'a> {
    pub(super) fn new(operation: &'static str, method: Method, key: &'a str) -> Self {
        Self {
            operation,
            method,
            key,
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }
}

impl S3Api {
    /// One page of a listing and the token of the next, if there is one.
    pub(super) async fn list_page(
        &self,
        prefix: &str,
        after: &str,
        token: Option<&str>,
        most: u32,
    ) -> Result<(Vec<Listed>, Option<String>), BucketError> {
        let mut call = Call::new("listing", Method::GET, "");
        call.query = format!(
            "{}encoding-type=url&list-type=2&max-keys={most}&prefix={}{}",
            token.map_or_else(String::new, |t| format!(
                "continuation-token={}&",
                encode(t, false)
            )),
            encode(prefix, false),
            if after.is_empty() {
                String::new()
            } else {
                format!("&start-after={}", encode(after, false))
            }
        );
        let answer = self.send(&call).await?;
        let page: ListPage = self.parse(&call, &answer.body)?;
        let encoded = page.encoding_type.as_deref() == Some("url");
        let mut objects = Vec::with_capacity(page.contents.len());
        for entry in page.contents {
            objects.push(self.listed(&call, entry, encoded)?);
        }
        Ok((objects, page.next_continuation_token))
    }

    fn listed(&self, call: &Call<'_>, entry: Entry, encoded: bool) -> Result<Listed, BucketError> {
        let modified = chrono::DateTime::parse_from_rfc3339(&entry.last_modified)
            .map_err(|e| self.unexpected(call, &format!("LastModified: {e}")))?;
        Ok(Listed {
            key: if encoded {
                decode(&entry.key).ok_or_else(|| self.unexpected(call, "a key is not UTF-8"))?
            } else {
                entry.key
            },
            etag: entry.e_tag.trim_matches('"').to_owned(),
            size: entry.size,
            modified_micros: modified.timestamp_micros(),
        })
    }

    /// The bytes of `key`, if they are still those of `etag`.
    pub(super) async fn get(&self, key: &str, etag: Option<&str>) -> Result<Fetched, BucketError> {
        if has_dot_folder(key) {
            return self.get_through_copy(key, etag).await;
        }
        let mut call = Call::new("reading", Method::GET, key);
        if let Some(etag) = etag {
            call.headers.push((header::IF_MATCH, format!("\"{etag}\"")));
        }
        match self.send(&call).await {
            Ok(answer) if answer.status == StatusCode::PRECONDITION_FAILED => Ok(Fetched::Changed),
            Ok(answer) if answer.status == StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            Ok(answer) => Ok(Fetched::Bytes(answer.body)),
            Err(error) => Err(error),
        }
    }

    /// A URL cannot name a folder called `.` or `..` (RFC 3986 §5.2.4): such an object is copied to
    /// where it can be read.
    async fn get_through_copy(
        &self,
        key: &str,
        etag: Option<&str>,
    ) -> Result<Fetched, BucketError> {
        let reachable = format!("_esteira/unreachable/{}", encode(key, false));
        match self.copy(key, &reachable, etag).await? {
            PlainCopy::Changed => Ok(Fetched::Changed),
            PlainCopy::Missing => Ok(Fetched::Missing),
            PlainCopy::Done => {
                let call = Call::new("reading", Method::GET, &reachable);
                let body = self.send(&call).await?.body;
                self.delete(&reachable).await?;
                Ok(Fetched::Bytes(body))
            }
        }
    }

    /// Removes an object; an absent one is no error.
    pub(super) async fn delete(&self, key: &str) -> Result<(), BucketError> {
        self.send(&Call::new("removal", Method::DELETE, key))
            .await
            .map(drop)
    }

    /// Copies an object inside the bucket, if it still has the content of `etag`. The source travels
    /// in a header, so any key can be copied (Amazon S3 API Reference, *CopyObject*).
    async fn copy(
        &self,
        from: &str,
        to: &str,
        etag: Option<&str>,
    ) -> Result<PlainCopy, BucketError> {
        let mut call = Call::new("copying", Method::PUT, to);
        let source = format!("/{}/{}", self.bucket, encode(from, true));
        call.headers.push((COPY_SOURCE, source));
        if let Some(etag) = etag {
            call.headers
                .push((COPY_SOURCE_IF_MATCH, format!("\"{etag}\"")));
        }
        Ok(match self.send(&call).await?.status {
            StatusCode::PRECONDITION_FAILED => PlainCopy::Changed,
            StatusCode::NOT_FOUND => PlainCopy::Missing,
            _ => PlainCopy::Done,
        })
    }

    /// Writes `key` only if there is none yet.
    pub(super) async fn put_new(&self, key: &str, body: Bytes) -> Result<PutNew, BucketError> {
        let mut call = Call::new("writing", Method::PUT, key);
        call.headers.push((header::IF_NONE_MATCH, "*".to_owned()));
        call.body = body;
        let answer = self.send(&call).await?;
        Ok(if answer.status == StatusCode::PRECONDITION_FAILED {
            PutNew::Exists
        } else {
            PutNew::Created
        })
    }

    /// Writes `key`, whatever was there.
    pub(super) async fn put(&self, key: &str, body: Bytes) -> Result<(), BucketError> {
        let mut call = Call::new("writing", Method::PUT, key);
        call.body = body;
        self.send(&call).await.map(drop)
    }

    pub(super) async fn create_bucket(&self) -> Result<(), BucketError> {
        let mut call = Call::new("creation", Method::PUT, "");
        if self.region != "us-east-1" {
            call.body = Bytes::from(format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
                quick_xml::escape::escape(&self.region)
            ));
        }
        self.send(&call).await.map(drop)
    }

    /// The names of all buckets these credentials may see.
    pub(super) async fn list_buckets(&self) -> Result<Vec<String>, BucketError> {
        let call = Call::new("listing of buckets", Method::GET, "");
        let service = Self {
            bucket: String::new(),
            ..self.clone()
        };
        let answer = service.send(&call).await?;
        let list: BucketList = self.parse(&call, &answer.body)?;
        Ok(list.buckets.bucket.into_iter().map(|b| b.name).collect())
    }

    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, BucketError> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            match self.send_once(call).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    tracing::debug!(%error, attempt, "request will be tried again");
                    tokio::time::sleep(spread(pause)).await;
                    pause *= 2;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn send_once(&self, call: &Call<'_>) -> Result<Answer, BucketError> {
        let request = self.signed(call).await?;
        let response = self.client.execute(request).await.map_err(|error| {
            let reason = innermost(&error);
            if matches!(error.kind(), HttpErrorKind::Connect) {
                BucketError::Unreachable {
                    endpoint: without_credentials(&self.endpoint),
                    reason,
                }
            } else {
                self.failed(call, &reason, true)
            }
        })?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = response
            .into_body()
            .bytes()
            .await
            .map_err(|error| self.failed(call, &innermost(&error), true))?;
        // A copy that takes long has answered 200 before it fails (Amazon S3 API Reference, *CopyObject*).
        if status.is_success() && call.method != Method::GET && is_error(&body) {
            let ServiceError { code, message } = self.parse(call, &body)?;
            return Err(self.failed(call, &format!("{code} {message}"), true));
        }
        // The answer to a HEAD has no code.
        let nothing = call.method == Method::HEAD || is_code(&body, "NoSuchKey");
        if status.is_success()
            || status == StatusCode::PRECONDITION_FAILED
            || (status == StatusCode::NOT_FOUND && nothing)
        {
            return Ok(Answer {
                status,
                headers,
                body,
            });
        }
        Err(self.refusal(call, status, &body))
    }

    async fn signed(&self, call: &Call<'_>) -> Result<HttpRequest, BucketError> {
        let credential =
            self.credentials
                .get_credential()
                .await
                .map_err(|error| BucketError::Credentials {
                    bucket: self.shown_bucket(),
                    reason: innermost(&error),
                })?;
        let mut uri = self.endpoint.trim_end_matches('/').to_owned();
        uri.push('/');
        if !self.bucket.is_empty() {
            uri.push_str(&self.bucket);
            if !call.key.is_empty() {
                uri.push('/');
                uri.push_str(&encode(call.key, true));
            }
        }
        if !call.query.is_empty() {
            uri.push('?');
            uri.push_str(&call.query);
        }
        let mut builder = http::Request::builder().method(&call.method).uri(&uri);
        for (name, value) in &call.headers {
            builder = builder.header(name, value);
        }
        if matches!(call.method, Method::PUT | Method::POST) {
            builder = builder.header(header::CONTENT_LENGTH, call.body.len());
        }
        let mut request = builder
            .body(HttpRequestBody::from(call.body.clone()))
            .map_err(|error| self.failed(call, &error.to_string(), false))?;
        // The body's integrity is the transport's business; hashing it twice costs more than sending it.
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .with_sign_payload(false)
            .authorize(&mut request, None);
        Ok(request)
    }

    fn refusal(&self, call: &Call<'_>, status: StatusCode, body: &[u8]) -> BucketError {
        let parsed: ServiceError = std::str::from_utf8(body)
            .ok()
            .and_then(|text| quick_xml::de::from_str(text).ok())
            .unwrap_or_default();
        let code = if parsed.code.is_empty() {
            status.to_string()
        } else {
            parsed.code
        };
        match code.as_str() {
            "NoSuchBucket" => BucketError::Missing {
                bucket: self.shown_bucket(),
            },
            "BucketAlreadyOwnedByYou" | "BucketAlreadyExists" => BucketError::Exists {
                bucket: self.shown_bucket(),
            },
            // What has expired is answered with 400 (Amazon S3 API Reference, *Error responses*).
            known
                if matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED)
                    || EXPIRED.contains(&known) =>
            {
                BucketError::Refused {
                    bucket: self.shown_bucket(),
                    code,
                }
            }
            code => {
                // Some operation was in the way, and the service says to try again.
                let undecided = status == StatusCode::CONFLICT
                    && matches!(code, "ConditionalRequestConflict" | "OperationAborted");
                let transient = undecided
                    || status.is_server_error()
                    || status == StatusCode::TOO_MANY_REQUESTS
                    || status == StatusCode::REQUEST_TIMEOUT;
                self.failed(call, &format!("{code} {}", parsed.message), transient)
            }
        }
    }

    pub(super) fn parse<'de, T: Deserialize<'de>>(
        &self,
        call: &Call<'_>,
        body: &'de [u8],
    ) -> Result<T, BucketError> {
        let text = std::str::from_utf8(body).map_err(|e| self.unexpected(call, &e.to_string()))?;
        quick_xml::de::from_str(text).map_err(|e| self.unexpected(call, &e.to_string()))
    }

    fn unexpected(&self, call: &Call<'_>, what: &str) -> BucketError {
        self.failed(call, &format!("the answer cannot be read: {what}"), false)
    }

    pub(super) fn failed(&self, call: &Call<'_>, reason: &str, transient: bool) -> BucketError {
        BucketError::Service {
            operation: call.operation,
            bucket: self.shown_bucket(),
            key: shown(call.key),
            reason: reason.trim_end().to_owned(),
            transient,
        }
    }

    fn shown_bucket(&self) -> String {
        if self.bucket.is_empty() {
            without_credentials(&self.endpoint)
        } else {
            format!("s3://{}", self.bucket)
        }
    }
}

/// A pause of half to all of this length: clients that failed together do not come back together.
pub(super) fn spread(pause: Duration) -> Duration {
    let share = u32::from(Uuid::new_v4().as_bytes()[0]);
    pause / 2 + pause * share / 512
}

/// An endpoint may carry a user and a password (RFC 3986 §3.2.1); neither belongs into a message.
pub(crate) fn without_credentials(endpoint: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => endpoint.to_owned(),
    }
}

pub(super) fn has_dot_folder(key: &str) -> bool {
    key.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn is_error(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| text.contains("<Error>"))
}

fn is_code(body: &[u8], code: &str) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| text.contains(&format!("<Code>{code}</Code>")))
}

/// The last cause of an error: the layers above it only repeat that a request failed.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_shown_without_its_password() {
        assert_eq!(without_credentials("http://u:p@h:1/x"), "http://h:1/x");
        assert_eq!(without_credentials("https://h"), "https://h");
    }
}
