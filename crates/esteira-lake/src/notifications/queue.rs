//! A queue of Amazon SQS: the three requests that a reader of it needs.
//!
//! The protocol is AWS JSON 1.0 (Amazon SQS Developer Guide, *Making query API requests using AWS JSON
//! protocol*; Amazon SQS API Reference: GetQueueUrl, ReceiveMessage, DeleteMessageBatch). Requests are signed
//! with Signature Version 4 and go through the HTTP client of the bucket.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpErrorKind, HttpRequestBody};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::QueueError;
use crate::bucket::{Access, BucketError, Environment, access, innermost, without_credentials};

/// Messages that one request gives or deletes at most (*ReceiveMessage*, *DeleteMessageBatch*).
const MOST_MESSAGES: usize = 10;
/// The longest that the service holds a request back while there is nothing (*ReceiveMessage*).
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The longest that a message stays hidden from other readers (*ReceiveMessage*).
const LONGEST_HIDDEN: Duration = Duration::from_hours(12);
const TARGET: header::HeaderName = header::HeaderName::from_static("x-amz-target");

/// A queue. Nothing is asked before the first message is wanted.
#[derive(Debug)]
pub struct Queue {
    /// As it was given: a URL, or a name.
    given: String,
    url: OnceCell<String>,
    endpoint: String,
    region: String,
    access: Access,
}

/// A message as the queue gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// The same whenever the message is given again.
    pub message_id: String,
    /// What deletes it; another one whenever it is given.
    pub receipt_handle: String,
    /// What it says.
    #[serde(default)]
    pub body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    #[serde(default)]
    failed: Vec<Undeleted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Undeleted {
    #[serde(default)]
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    queue_url: String,
}

impl Queue {
    /// The queue with this URL, or of this name in the account of the credentials.
    ///
    /// # Errors
    /// [`QueueError::Credentials`] when a setting cannot be used.
    pub fn open(queue: &str, environment: &Environment) -> Result<Self, QueueError> {
        let url = Url::parse(queue).ok().filter(Url::has_host);
        let origin = url.as_ref().map(|url| url.origin().ascii_serialization());
        let of = |endpoint: &str| {
            access(environment, "AWS_ENDPOINT_URL_SQS", endpoint).map_err(|error| {
                QueueError::Credentials {
                    queue: queue.to_owned(),
                    reason: match error {
                        BucketError::Credentials { reason, .. } => reason,
                        other => other.to_string(),
                    },
                }
            })
        };
        let access = of(origin.as_deref().unwrap_or("https://"))?;
        let region = url
            .as_ref()
            .and_then(|url| region_of(url.host_str()?))
            .unwrap_or(&access.region)
            .to_owned();
        let own = access.endpoint.clone().or(origin);
        Ok(Self {
            endpoint: own.unwrap_or_else(|| format!("https://sqs.{region}.amazonaws.com")),
            url: match url {
                Some(_) => OnceCell::new_with(Some(queue.to_owned())),
                None => OnceCell::new(),
            },
            given: queue.to_owned(),
            region,
            access,
        })
    }

    /// Up to ten messages, waiting for the first at most `wait`. They stay hidden from others for `hidden`.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn receive(
        &self,
        wait: Duration,
        hidden: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        let body = json!({
            "QueueUrl": self.url().await?,
            "MaxNumberOfMessages": MOST_MESSAGES,
            "WaitTimeSeconds": wait.min(LONGEST_WAIT).as_secs(),
            "VisibilityTimeout": hidden.min(LONGEST_HIDDEN).as_secs(),
        });
        let received: Received = self.ask("reading", "ReceiveMessage", &body).await?;
        Ok(received.messages)
    }

    /// Deletes messages by their receipts. One that was given to somebody else since stays; it is no error.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn delete(&self, receipts: &[String]) -> Result<(), QueueError> {
        for some in receipts.chunks(MOST_MESSAGES) {
            let entries: Vec<Value> = some
                .iter()
                .enumerate()
                .map(
                    |(number, receipt)| json!({"Id": number.to_string(), "ReceiptHandle": receipt}),
                )
                .collect();
            let body = json!({"QueueUrl": self.url().await?, "Entries": entries});
            let deleted: Deleted = self.ask("tidying", "DeleteMessageBatch", &body).await?;
            for failed in deleted.failed {
                tracing::debug!(
                    code = failed.code,
                    "a message was not deleted and comes again"
                );
            }
        }
        Ok(())
    }

    async fn url(&self) -> Result<&str, QueueError> {
        let find = || async {
            let body = json!({"QueueName": self.given});
            let found: Found = self.ask("finding", "GetQueueUrl", &body).await?;
            Ok(found.queue_url)
        };
        self.url.get_or_try_init(find).await.map(String::as_str)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        action: &str,
        body: &Value,
    ) -> Result<T, QueueError> {
        let failed = |reason: String, transient: bool| QueueError::Service {
            operation,
            queue: self.given.clone(),
            reason,
            transient,
        };
        let credential = self.access.credentials.get_credential().await;
        let credential = credential.map_err(|error| QueueError::Credentials {
            queue: self.given.clone(),
            reason: innermost(&error),
        })?;
        let body = Bytes::from(body.to_string());
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("{}/", self.endpoint.trim_end_matches('/')))
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header(header::CONTENT_LENGTH, body.len())
            .header(TARGET, format!("AmazonSQS.{action}"))
            .body(HttpRequestBody::from(body))
            .map_err(|error| failed(error.to_string(), false))?;
        AwsAuthorizer::new(&credential, "sqs", &self.region).authorize(&mut request, None);
        let response = self.access.client.execute(request).await.map_err(|error| {
            let reason = innermost(&error);
            if matches!(error.kind(), HttpErrorKind::Connect) {
                QueueError::Unreachable {
                    endpoint: without_credentials(&self.endpoint),
                    queue: self.given.clone(),
                    reason,
                }
            } else {
                failed(reason, true)
            }
        })?;
        let status = response.status();
        let answer = response.into_body().bytes().await;
        let answer = answer.map_err(|error| failed(innermost(&error), true))?;
        if status.is_success() {
            // Where there is nothing to say, some services say nothing at all.
            let answer: &[u8] = if answer.is_empty() { b"{}" } else { &answer };
            return serde_json::from_slice(answer)
                .map_err(|error| failed(format!("the answer cannot be read: {error}"), false));
        }
        Err(self.refusal(status, &answer, failed))
    }

    fn refusal(
        &self,
        status: StatusCode,
        answer: &[u8],
        failed: impl FnOnce(String, bool) -> QueueError,
    ) -> QueueError {
        // What is no JSON has neither. Some services give the message twice.
        let error: Value = serde_json::from_slice(answer).unwrap_or_default();
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        let message = text("message").or_else(|| text("Message")).unwrap_or("");
        // `namespace#code`
        let code = text("__type").and_then(|code| code.rsplit('#').next());
        let code = code.unwrap_or_default();
        let queue = self.given.clone();
        if code.ends_with("QueueDoesNotExist") || code.ends_with("NonExistentQueue") {
            return QueueError::Missing { queue };
        }
        let is_throttled = status == StatusCode::TOO_MANY_REQUESTS || code.contains("Throttl");
        let is_refused = matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED)
            || code.contains("AccessDenied")
            || code.contains("Token")
            || code.contains("Signature");
        let status_text = status.to_string();
        let shown: &str = if code.is_empty() { &status_text } else { code };
        if is_refused && !is_throttled {
            return QueueError::Refused {
                queue,
                code: shown.to_owned(),
            };
        }
        let transient = status.is_server_error() || is_throttled;
        failed(
            format!("{shown} {message}").trim_end().to_owned(),
            transient,
        )
    }
}

/// The region in the host of a queue's URL (*Amazon SQS endpoints and quotas*), of the old form, too.
fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    match (
        labels.next()?,
        labels.next()?,
        host.contains("amazonaws.com"),
    ) {
        ("sqs", region, true) | (region, "queue", true) => Some(region),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(queue: &str, settings: &[(&str, &str)]) -> Queue {
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        let settings = keys.iter().chain(settings);
        let environment = settings
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Queue::open(queue, &environment).unwrap()
    }

    #[test]
    fn region_and_endpoint_come_from_the_url_unless_told_otherwise() {
        let url = "https://sqs.sa-east-1.amazonaws.com/123456789012/shop";
        let queue = open(url, &[("AWS_REGION", "us-east-2")]);
        assert_eq!(queue.region, "sa-east-1");
        assert_eq!(queue.endpoint, "https://sqs.sa-east-1.amazonaws.com");
        let queue = open(url, &[("AWS_ENDPOINT_URL", "http://localhost:1")]);
        assert_eq!(queue.endpoint, "http://localhost:1");
        let both = [
            ("AWS_ENDPOINT_URL", "http://localhost:1"),
            ("AWS_ENDPOINT_URL_SQS", "http://localhost:2"),
        ];
        assert_eq!(open(url, &both).endpoint, "http://localhost:2");
        let queue = open("shop", &[("AWS_REGION", "us-east-2")]);
        assert_eq!(queue.endpoint, "https://sqs.us-east-2.amazonaws.com");
        assert_eq!(queue.url.get(), None);
        let local = open("http://localhost:9324/000000000000/shop", &[]);
        assert_eq!(local.endpoint, "http://localhost:9324");
        assert_eq!(local.region, "us-east-1");
    }

    #[test]
    fn region_is_found_in_hosts_of_both_forms() {
        assert_eq!(
            region_of("sa-east-1.queue.amazonaws.com"),
            Some("sa-east-1")
        );
        assert_eq!(
            region_of("sqs.cn-north-1.amazonaws.com.cn"),
            Some("cn-north-1")
        );
        assert_eq!(region_of("sqs.example.com"), None);
    }
}
