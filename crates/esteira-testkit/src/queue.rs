//! A queue as Amazon SQS has it, on a port of this machine, that fails on command.
//!
//! It answers ReceiveMessage, DeleteMessageBatch and GetQueueUrl of the AWS JSON protocol (Amazon SQS API
//! Reference) to one request a connection. Who asks is not checked, only that the request is signed for
//! `sqs`. Messages become visible again when their time is over, or at once when somebody says so.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running queue; it ends when this goes.
#[derive(Debug)]
pub struct FakeQueue {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Kept>,
    next_id: u64,
    receives: u64,
    /// Status and body of the answers to requests of an action, instead of what is right.
    failing: Vec<(String, u16, String)>,
    unsigned: u64,
}

#[derive(Debug)]
struct Kept {
    id: u64,
    body: String,
    given: u64,
    visible_from: Instant,
}

impl FakeQueue {
    /// Starts an empty queue.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let queue = Self {
            address: listener.local_addr()?,
            state: Arc::default(),
            ends: Arc::default(),
        };
        let (state, ends) = (Arc::clone(&queue.state), Arc::clone(&queue.ends));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (state, ends) = (Arc::clone(&state), Arc::clone(&ends));
                // Whoever hangs up has had enough.
                std::thread::spawn(move || {
                    stream.and_then(|stream| answer(&stream, &state, &ends))
                });
            }
        });
        Ok(queue)
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The queue's URL.
    pub fn url(&self) -> String {
        format!("{}/000000000000/shop", self.endpoint())
    }

    /// Puts a message into the queue.
    pub fn send(&self, body: impl Into<String>) {
        let mut state = lock(&self.state);
        state.next_id += 1;
        let id = state.next_id;
        state.messages.push(Kept {
            id,
            body: body.into(),
            given: 0,
            visible_from: Instant::now(),
        });
    }

    /// Lets all messages that are hidden be seen again.
    pub fn give_again(&self) {
        for message in &mut lock(&self.state).messages {
            message.visible_from = Instant::now();
        }
    }

    /// Every request of this action is answered so from now on, until [`Self::mend`].
    pub fn fail(&self, action: &str, status: u16, code: &str) {
        let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "as told", "Message": "as told"});
        let failure = (action.to_owned(), status, body.to_string());
        lock(&self.state).failing.push(failure);
    }

    /// Everything is answered as it should be.
    pub fn mend(&self) {
        lock(&self.state).failing.clear();
    }

    /// Messages that were not deleted.
    pub fn len(&self) -> usize {
        lock(&self.state).messages.len()
    }

    /// Whether all messages were deleted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often messages were asked for.
    pub fn receives(&self) -> u64 {
        lock(&self.state).receives
    }

    /// Requests that were not signed for this service.
    pub fn unsigned(&self) -> u64 {
        lock(&self.state).unsigned
    }
}

impl Drop for FakeQueue {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // It waits for somebody to come.
        drop(TcpStream::connect(self.address));
    }
}

/// The message of S3 about a new object, as the Amazon S3 User Guide shows it (*Event message structure*).
/// `key` is URL-encoded.
pub fn created(bucket: &str, key: &str) -> String {
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": key, "size": 1, "eTag": "x", "sequencer": "0055AED6DCD90281E5"},
        },
    }]})
    .to_string()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(stream: &TcpStream, state: &Mutex<State>, ends: &AtomicBool) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut action, mut length, mut is_signed) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => action = value.trim().replace("AmazonSQS.", ""),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => is_signed = value.contains("/sqs/aws4_request"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !is_signed {
        lock(state).unsigned += 1;
    }
    let failing = lock(state)
        .failing
        .iter()
        .find(|(of, ..)| *of == action)
        .cloned();
    let (status, said) = match failing {
        Some((_, status, said)) => (status, said),
        None => (200, obey(&action, &asked, state, ends).to_string()),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{said}",
        said.len()
    )
}

fn obey(action: &str, asked: &Value, state: &Mutex<State>, ends: &AtomicBool) -> Value {
    let number = |name: &str| asked[name].as_u64().unwrap_or(0);
    match action {
        "ReceiveMessage" => {
            lock(state).receives += 1;
            let until = Instant::now() + Duration::from_secs(number("WaitTimeSeconds"));
            loop {
                let hidden = Duration::from_secs(number("VisibilityTimeout"));
                let given = give(&mut lock(state), number("MaxNumberOfMessages"), hidden);
                let is_over = Instant::now() >= until || ends.load(Ordering::SeqCst);
                match given.is_empty() {
                    true if is_over => return json!({}),
                    true => std::thread::sleep(Duration::from_millis(5)),
                    false => return json!({"Messages": given}),
                }
            }
        }
        "DeleteMessageBatch" => {
            let (mut done, mut failed) = (Vec::new(), Vec::new());
            let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
            for entry in entries {
                let receipt = entry["ReceiptHandle"].as_str().unwrap_or_default();
                let mut state = lock(state);
                let before = state.messages.len();
                state
                    .messages
                    .retain(|message| message.receipt() != receipt);
                if state.messages.len() < before {
                    done.push(json!({"Id": entry["Id"]}));
                } else {
                    failed.push(json!({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid"}));
                }
            }
            json!({"Successful": done, "Failed": failed})
        }
        "GetQueueUrl" => json!({"QueueUrl": format!("http://queue/{}", asked["QueueName"])}),
        _ => json!({}),
    }
}

impl Kept {
    fn receipt(&self) -> String {
        format!("{} {}", self.id, self.given)
    }
}

fn give(state: &mut State, most: u64, hidden: Duration) -> Vec<Value> {
    let now = Instant::now();
    let visible = state
        .messages
        .iter_mut()
        .filter(|message| message.visible_from <= now);
    let some = visible.take(usize::try_from(most).unwrap_or(1));
    some.map(|message| {
        message.given += 1;
        message.visible_from = now + hidden;
        json!({
            "MessageId": format!("id-{}", message.id),
            "ReceiptHandle": message.receipt(),
            "Body": message.body,
        })
    })
    .collect()
}
