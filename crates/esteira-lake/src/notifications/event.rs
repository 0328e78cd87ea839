//! Messages about new objects, in every form in which they reach a queue.
//!
//! - S3 itself: Amazon S3 User Guide, *Event message structure*. Keys are URL-encoded, a space is `+`.
//! - EventBridge: *Amazon S3 event message structure* for EventBridge. Keys are as they are.
//! - Either of them in an envelope of SNS: Amazon SNS Developer Guide, *HTTP/HTTPS notification JSON format*.
//! - The test message that S3 sends when notifications are set up: it names nothing.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::bucket::decode;

/// Characters of a message that are shown where it is malformed.
const EXCERPT: usize = 160;

/// An object that a message says was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The bucket's name.
    pub bucket: String,
    /// The full key.
    pub key: String,
}

/// A message that nothing can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}: {excerpt}")]
pub struct Malformed {
    reason: String,
    /// The beginning of the message, escaped for a terminal.
    excerpt: String,
}

/// The objects that a message says were created: none where it tells of something else, such as a removal.
///
/// # Errors
/// [`Malformed`] when it has none of the known forms.
pub fn named_in(body: &str) -> Result<Vec<Named>, Malformed> {
    let malformed = |reason: String| Malformed {
        reason,
        excerpt: excerpt(body),
    };
    let value: Value = serde_json::from_str(body)
        .map_err(|error| malformed(format!("it is not JSON ({error})")))?;
    let inner = match (value.get("TopicArn"), value.get("Message")) {
        (Some(_), Some(Value::String(inner))) => serde_json::from_str(inner)
            .map_err(|error| malformed(format!("what SNS passed on is not JSON ({error})")))?,
        _ => value,
    };
    of_event(inner).map_err(malformed)
}

fn of_event(value: Value) -> Result<Vec<Named>, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    if value.get("Records").is_some() {
        let message: Records = serde_json::from_value(value).map_err(wrong)?;
        let created = message.records.into_iter().filter(Record::is_creation);
        return created.map(Record::named).collect();
    }
    if value.get("detail-type").is_some() && value.get("detail").is_some() {
        let event: BridgeEvent = serde_json::from_value(value).map_err(wrong)?;
        if event.source != "aws.s3" || event.detail_type != "Object Created" {
            return Ok(Vec::new());
        }
        let detail: Place = serde_json::from_value(event.detail).map_err(wrong)?;
        return Ok(vec![named(detail.bucket.name, detail.object.key)?]);
    }
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    Err("it is no event of S3, EventBridge or SNS".to_owned())
}

fn named(bucket: String, key: String) -> Result<Named, String> {
    if key.is_empty() {
        return Err("it names an object without a key".to_owned());
    }
    Ok(Named { bucket, key })
}

#[derive(Deserialize)]
struct Records {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    event_name: String,
    s3: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    bucket: BucketName,
    object: ObjectKey,
}

#[derive(Deserialize)]
struct BucketName {
    name: String,
}

#[derive(Deserialize)]
struct ObjectKey {
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BridgeEvent {
    source: String,
    detail_type: String,
    detail: Value,
}

impl Record {
    /// `ObjectCreated:Put`, `:Post`, `:Copy`, `:CompleteMultipartUpload`; some services say `s3:` before.
    fn is_creation(&self) -> bool {
        let name = self.event_name.as_str();
        name.strip_prefix("s3:")
            .unwrap_or(name)
            .starts_with("ObjectCreated:")
    }

    fn named(self) -> Result<Named, String> {
        let place = self.s3.ok_or("it names no object")?;
        let key = decode(&place.object.key).ok_or("its key is not URL-encoded UTF-8")?;
        named(place.bucket.name, key)
    }
}

fn excerpt(body: &str) -> String {
    let mut shown: String = body
        .chars()
        .take(EXCERPT)
        .flat_map(char::escape_debug)
        .collect();
    if body.chars().nth(EXCERPT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of the Amazon S3 User Guide, with the key of a real producer.
    fn record(event_name: &str, key: &str) -> Value {
        json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-west-2",
            "eventTime": "1970-01-01T00:00:00.000Z",
            "eventName": event_name,
            "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "172.16.0.1"},
            "responseElements": {
                "x-amz-request-id": "C3D13FE58DE4C810",
                "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "testConfigRule",
                "bucket": {
                    "name": "amzn-s3-demo-bucket",
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": "arn:aws:s3:::amzn-s3-demo-bucket"
                },
                "object": {
                    "key": key,
                    "size": 1024,
                    "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                    "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                    "sequencer": "0055AED6DCD90281E5"
                }
            }
        })
    }

    fn s3(records: &[Value]) -> String {
        json!({ "Records": records }).to_string()
    }

    fn keys(body: &str) -> Vec<String> {
        let named = named_in(body).unwrap();
        assert!(named.iter().all(|it| it.bucket == "amzn-s3-demo-bucket"));
        named.into_iter().map(|named| named.key).collect()
    }

    #[test]
    fn message_of_s3_names_what_was_created_with_decoded_keys() {
        let body = s3(&[
            record("ObjectCreated:Put", "input/a+b%2B%C3%A9.json"),
            record("ObjectRemoved:Delete", "input/gone.json"),
            record(
                "s3:ObjectCreated:CompleteMultipartUpload",
                "input/large.json",
            ),
            record("ObjectRestore:Completed", "input/cold.json"),
        ]);
        assert_eq!(keys(&body), ["input/a b+é.json", "input/large.json"]);
    }

    #[test]
    fn message_of_eventbridge_names_the_key_as_it_is() {
        let event = |source: &str, kind: &str| {
            json!({
                "version": "0",
                "id": "17793124-05d4-b198-2fde-7ededc63b103",
                "detail-type": kind,
                "source": source,
                "account": "111122223333",
                "time": "2021-11-12T00:00:00Z",
                "region": "ca-central-1",
                "resources": ["arn:aws:s3:::amzn-s3-demo-bucket"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": "amzn-s3-demo-bucket"},
                    "object": {
                        "key": "input/a+b%20.json",
                        "size": 5,
                        "etag": "b1946ac92492d2347c6235b4d2611184",
                        "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                        "sequencer": "617f08299329d189"
                    },
                    "request-id": "N4N7GDK58NMKJ12R",
                    "requester": "123456789012",
                    "source-ip-address": "1.2.3.4",
                    "reason": "PutObject"
                }
            })
            .to_string()
        };
        assert_eq!(
            keys(&event("aws.s3", "Object Created")),
            ["input/a+b%20.json"]
        );
        assert_eq!(keys(&event("aws.s3", "Object Deleted")), [""; 0]);
        assert_eq!(keys(&event("aws.ec2", "Object Created")), [""; 0]);
    }

    #[test]
    fn message_in_an_envelope_of_sns_is_taken_out_of_it() {
        let body = json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
            "Subject": "Amazon S3 Notification",
            "Message": s3(&[record("ObjectCreated:Put", "input/a.json")]),
            "Timestamp": "2012-05-02T00:54:06.655Z",
            "SignatureVersion": "1"
        });
        assert_eq!(keys(&body.to_string()), ["input/a.json"]);
    }

    #[test]
    fn test_message_names_nothing() {
        let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z",
            "Bucket":"amzn-s3-demo-bucket","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR"}"#;
        assert_eq!(named_in(body), Ok(Vec::new()));
    }

    #[test]
    fn message_of_no_known_form_is_told_with_a_bounded_harmless_excerpt() {
        let told = |body: &str| named_in(body).unwrap_err().to_string();
        insta::assert_snapshot!(told("hello\u{1b}[2J"), @"it is not JSON (expected value at line 1 column 1): hello\\u{1b}[2J");
        insta::assert_snapshot!(told("{}"), @"it is no event of S3, EventBridge or SNS: {}");
        insta::assert_snapshot!(told("[1]"), @"it is no event of S3, EventBridge or SNS: [1]");
        insta::assert_snapshot!(told(r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#), @r#"it names no object: {\"Records\":[{\"eventName\":\"ObjectCreated:Put\"}]}"#);
        insta::assert_snapshot!(told(r#"{"Records":1}"#), @r#"invalid type: integer `1`, expected a sequence: {\"Records\":1}"#);
        let long = format!("{{\"x\":\"{}\"}}", "é".repeat(100_000));
        assert!(told(&long).len() < 500);
        let bad_key = s3(&[record("ObjectCreated:Put", "%FF")]);
        assert!(told(&bad_key).starts_with("its key is not URL-encoded UTF-8"));
        let no_key = s3(&[record("ObjectCreated:Put", "")]);
        assert!(told(&no_key).starts_with("it names an object without a key"));
    }
}
