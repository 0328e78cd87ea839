//! New objects that a queue tells of: each is taken once, whatever happens to its message, and the input is
//! not listed in between.

use std::time::{Duration, Instant};

use esteira::{Notifications, Pipeline, Shutdown};
use esteira_lake::bucket::Environment;
use esteira_lake::ledger::Ledger;
use esteira_testkit::oracle::InputObject;
use esteira_testkit::queue::{FakeQueue, created};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::tidying::orders;
use crate::world::World;

/// What the bucket in memory calls itself.
const BUCKET: &str = "TestStore";
const PATIENCE: Duration = Duration::from_mins(2);

fn environment(queue: &FakeQueue) -> Environment {
    [
        ("AWS_ACCESS_KEY_ID", "dummy".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "dummy".to_owned()),
        ("AWS_ENDPOINT_URL_SQS", queue.endpoint()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// A run that goes on until it is stopped.
struct Running {
    shutdown: Shutdown,
    ended: JoinHandle<Result<esteira::RunSummary, esteira::Error>>,
}

impl Running {
    fn start(world: &World, queue: &FakeQueue, list_every: Duration) -> Self {
        Self::start_with(world, queue, list_every, |_| {})
    }

    fn start_with(
        world: &World,
        queue: &FakeQueue,
        list_every: Duration,
        change: fn(&mut Pipeline),
    ) -> Self {
        let shutdown = Shutdown::default();
        let url = queue.url();
        let told = Notifications {
            queue: url,
            list_every,
        };
        let files = Pipeline::files("marketing_place").unwrap();
        let submit = esteira::Submit::new()
            .process(files)
            .opened_bucket(world.bucket())
            .environment(environment(queue))
            .shutdown(shutdown.clone());
        let submit = submit.adjust(move |pipeline| {
            pipeline.source.notifications = Some(told);
            pipeline.limits.poll = Duration::from_millis(20);
            change(pipeline);
        });
        let runtime = Handle::current();
        let ended = tokio::task::spawn_blocking(move || runtime.block_on(submit.run()));
        Self { shutdown, ended }
    }

    async fn stop(self) -> esteira::RunSummary {
        self.shutdown.stop();
        self.ended.await.unwrap().unwrap()
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_taken(world: &World, objects: u64) {
    until("the batch", async || {
        let ledger = Ledger::glance(world.bucket(), "marketing_place")
            .await
            .unwrap();
        let taken = ledger
            .last_record()
            .map(|record| record.totals.objects.discovered);
        taken == Some(objects)
    })
    .await;
}

fn key_of(object: &InputObject) -> String {
    created(BUCKET, &object.key)
}

const NEVER: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn idle_job_lists_once_and_takes_what_messages_name() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    world.arrive(&[orders("a", 0..3, 1)]).await;
    let run = Running::start(&world, &queue, NEVER);
    until_taken(&world, 1).await;
    for (number, name) in ["b", "c d+é", "e"].into_iter().enumerate() {
        let number = number as u64;
        let object = orders(name, number * 3..number * 3 + 5, number + 2);
        world.arrive(&[object]).await;
        queue.send(created(
            BUCKET,
            &format!(
                "input/{}.json",
                name.replace("d+é", "d%2B%C3%A9").replace(' ', "+")
            ),
        ));
        until_taken(&world, number + 2).await;
    }
    // Messages about what is known, what is gone, and what is nobody's.
    for key in [
        "input/a.json",
        "input/absent.json",
        "output/x.json",
        "_esteira/x",
        "input/%2A",
    ] {
        queue.send(created(BUCKET, key));
    }
    queue.send(created("another-bucket", "input/a.json"));
    queue.send(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"TestStore"}"#);
    until("an empty queue", async || queue.is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let summary = run.stop().await;
    assert_eq!(summary.objects, 4);
    assert_eq!(world.store.input_listings(), 1);
    assert!(queue.receives() < 40, "{} requests", queue.receives());
    assert_eq!(queue.unsigned(), 0);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doubled_late_and_malformed_messages_change_nothing() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let run = Running::start(&world, &queue, NEVER);
    until("the first look", async || world.store.input_listings() == 1).await;
    let (old, new) = (orders("a", 0..3, 1), orders("a", 0..4, 9));
    world.arrive(&[old]).await;
    for body in [
        "",
        "hello",
        "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\"}]}",
    ] {
        queue.send(body);
    }
    for _ in 0..3 {
        queue.send(created(BUCKET, "input/a.json"));
    }
    until_taken(&world, 1).await;
    world.arrive(std::slice::from_ref(&new)).await;
    queue.send(key_of(&new));
    queue.send(key_of(&new));
    until_taken(&world, 2).await;
    // What cannot be read is left to the queue's own rules.
    until("the others to be deleted", async || queue.len() == 3).await;
    queue.give_again();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(queue.len(), 3);
    assert_eq!(run.stop().await.objects, 2);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn object_whose_message_is_lost_is_found_by_the_listing() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let run = Running::start(&world, &queue, Duration::from_secs(2));
    until("the first look", async || world.store.input_listings() == 1).await;
    world.arrive(&[orders("a", 0..3, 1)]).await;
    until_taken(&world, 1).await;
    assert!(world.store.input_listings() <= 4);
    run.stop().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn job_lists_while_the_queue_fails_and_no_more_often_than_it_asks() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    queue.fail("ReceiveMessage", 503, "ServiceUnavailable");
    let run = Running::start(&world, &queue, NEVER);
    world.arrive(&[orders("a", 0..3, 1)]).await;
    until_taken(&world, 1).await;
    world.arrive(&[orders("b", 3..6, 2)]).await;
    until_taken(&world, 2).await;
    let listings = world.store.input_listings();
    assert!(listings < 10, "{listings} listings");
    // A right that is taken away from a running job does not end it.
    queue.mend();
    queue.fail("ReceiveMessage", 403, "AccessDenied");
    world.arrive(&[orders("c", 6..9, 3)]).await;
    until_taken(&world, 3).await;
    queue.mend();
    queue.send(created(BUCKET, "input/a.json"));
    until("an empty queue", async || queue.is_empty()).await;
    run.stop().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_were_not_deleted_after_their_plan_come_again_for_nothing() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let run = Running::start(&world, &queue, NEVER);
    until("the first look", async || world.store.input_listings() == 1).await;
    // As if killed between the plan and the deletion.
    queue.fail("DeleteMessageBatch", 500, "InternalFailure");
    let object = orders("a", 0..3, 1);
    world.arrive(std::slice::from_ref(&object)).await;
    queue.send(key_of(&object));
    until_taken(&world, 1).await;
    run.stop().await;
    assert_eq!(queue.len(), 1);
    queue.mend();
    queue.give_again();
    let run = Running::start(&world, &queue, NEVER);
    until("an empty queue", async || queue.is_empty()).await;
    assert_eq!(run.stop().await.batches, 0);
    world.check().await;
}

/// The message stays until a plan holds the object: nothing else remembers it but the listing.
#[tokio::test(flavor = "multi_thread")]
async fn message_about_an_object_that_no_plan_holds_stays_in_the_queue() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let young = |pipeline: &mut Pipeline| pipeline.source.min_age = Duration::from_hours(1);
    let run = Running::start_with(&world, &queue, NEVER, young);
    until("the first look", async || world.store.input_listings() == 1).await;
    let object = InputObject {
        modified_micros: chrono::Utc::now().timestamp_micros(),
        ..orders("a", 0..3, 1)
    };
    world.arrive(std::slice::from_ref(&object)).await;
    queue.send(key_of(&object));
    queue.send(created(BUCKET, "input/absent.json"));
    until("the other to be deleted", async || queue.len() == 1).await;
    assert_eq!(run.stop().await.batches, 0);
    assert_eq!(queue.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn young_object_of_a_message_is_taken_when_it_is_old_enough() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let young = |pipeline: &mut Pipeline| pipeline.source.min_age = Duration::from_secs(2);
    let run = Running::start_with(&world, &queue, NEVER, young);
    until("the first look", async || world.store.input_listings() == 1).await;
    let written = chrono::Utc::now().timestamp_micros();
    let object = InputObject {
        modified_micros: written,
        ..orders("a", 0..3, 1)
    };
    world.arrive(std::slice::from_ref(&object)).await;
    queue.send(key_of(&object));
    until_taken(&world, 1).await;
    assert!(chrono::Utc::now().timestamp_micros() - written >= 2_000_000);
    run.stop().await;
    assert_eq!(world.store.input_listings(), 1);
    assert!(queue.is_empty());
    world.check().await;
}

/// More than a batch may hold, told in one message.
#[tokio::test(flavor = "multi_thread")]
async fn objects_that_a_batch_puts_off_are_taken_by_the_next_without_a_listing() {
    let queue = FakeQueue::start().unwrap();
    let mut world = World::new();
    let small = |pipeline: &mut Pipeline| pipeline.limits.bytes_per_batch = 7_000;
    let run = Running::start_with(&world, &queue, NEVER, small);
    until("the first look", async || world.store.input_listings() == 1).await;
    let mut records = Vec::new();
    for number in 0..4 {
        let plain = orders(&number.to_string(), number * 10..number * 10 + 30, number);
        let object = InputObject {
            bytes: esteira_testkit::history::Packing::Zstd.pack(&plain.bytes),
            ..plain
        };
        world.arrive(std::slice::from_ref(&object)).await;
        let message: serde_json::Value = serde_json::from_str(&key_of(&object)).unwrap();
        records.push(message["Records"][0].clone());
    }
    queue.send(serde_json::json!({"Records": records}).to_string());
    until_taken(&world, 4).await;
    assert!(run.stop().await.batches > 1);
    assert_eq!(world.store.input_listings(), 1);
    assert!(queue.is_empty());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queue_that_cannot_be_used_is_told_at_once() {
    for (status, code, wrong, hint) in [
        (
            400,
            "QueueDoesNotExist",
            "does not exist",
            "source.notifications.queue",
        ),
        (
            400,
            "InvalidClientTokenId",
            "was refused (InvalidClientTokenId)",
            "sqs:ReceiveMessage",
        ),
        (
            403,
            "AccessDeniedException",
            "was refused (AccessDeniedException)",
            "sqs:ReceiveMessage",
        ),
        (400, "InvalidAddress", "failed: InvalidAddress as told", ""),
    ] {
        let queue = FakeQueue::start().unwrap();
        queue.fail("ReceiveMessage", status, code);
        let run = Running::start(&World::new(), &queue, NEVER);
        let error = run.ended.await.unwrap().unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
        assert!(error.to_string().contains(&queue.url()), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error:?}");
    }
    let gone = FakeQueue::start().unwrap();
    let world = World::new();
    let (url, environment) = (gone.url(), environment(&gone));
    drop(gone);
    let told = Notifications {
        queue: url,
        list_every: NEVER,
    };
    let submit = |bucket| {
        let told = told.clone();
        esteira::Submit::new()
            .process(Pipeline::files("marketing_place").unwrap())
            .opened_bucket(bucket)
            .environment(environment.clone())
            .adjust(move |pipeline| pipeline.source.notifications = Some(told))
    };
    let error = submit(world.bucket()).run().await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot reach `http://127.0.0.1:"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("AWS_ENDPOINT_URL_SQS"));
    let folder = tempfile::tempdir().unwrap();
    let location = format!("file://{}", folder.path().display());
    let bucket = esteira_lake::bucket::Bucket::open(&location, &environment).unwrap();
    let error = submit(bucket.clone()).run().await.unwrap_err();
    assert!(error.to_string().contains("it is not on S3"), "{error}");
    // What ends by itself lists, and asks no queue.
    submit(bucket).once(true).run().await.unwrap();
}
