//! A run that is killed, and a run that is asked to stop.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;
use esteira_testkit::random::Random;
use rustix::process::Signal;
use serde_json::Value;

use crate::objects::{drop_into, in_folder};
use crate::place::{Place, Running, until};
use crate::tables::{Shop, contents};

const KILLS: usize = 25;

/// A local bucket whose batches have three objects, and the objects that will come.
struct World {
    place: Place,
    bucket: String,
    coming: std::vec::IntoIter<InputObject>,
    arrived: Vec<InputObject>,
}

impl World {
    fn new(seed: u64, entries: usize) -> Self {
        let shape = Shape {
            orders: 20,
            sellers: 8,
            entries,
            entries_per_object: 3,
            // A key that is uploaded again before it was read is gone, and no oracle knows when.
            reupload_percent: 0,
            ..Shape::default()
        };
        let place = Place::new();
        place.pipeline_with_batches_of("loja", 3);
        let bucket = place.folder_bucket("balde");
        Self {
            place,
            bucket,
            coming: History::random(seed, &shape).permuted(seed).into_iter(),
            arrived: Vec::new(),
        }
    }

    /// Its job deletes what it has taken.
    fn deleting(seed: u64, entries: usize) -> Self {
        let world = Self::new(seed, entries);
        let file = world.place.path("loja/pipeline.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let path = "path = \"input/**\"";
        let deleting = text.replace(path, &format!("{path}\nafter = \"delete\""));
        assert_ne!(text, deleting);
        std::fs::write(file, deleting).unwrap();
        world
    }

    fn arrive(&mut self, count: usize) {
        for object in self.coming.by_ref().take(count) {
            let bucket = self.place.path("balde");
            self.arrived
                .push(drop_into(&bucket, &object.key, &object.bytes));
        }
    }

    fn shop(&self) -> Shop<'_> {
        Shop {
            place: &self.place,
            pipeline: "loja",
            bucket: &self.bucket,
        }
    }

    fn start(&self) -> Running {
        self.place.start(&["run", "loja", "--bucket", &self.bucket])
    }

    /// Holds everything there is against the oracle.
    fn check(&self) {
        self.shop().check(&self.arrived);
        let raw = in_folder(&self.place.path("balde"), "raw/marketing_place");
        assert!(
            contents(&raw) == contents(&self.arrived),
            "raw holds every original once"
        );
    }

    fn numbers(&self, kind: &str) -> Vec<u64> {
        let folder = format!("_esteira/marketing_place/{kind}");
        let files = in_folder(&self.place.path("balde"), &folder);
        files
            .iter()
            .map(|file| {
                let name = file.key.rsplit('/').next().unwrap();
                name.split('.').next().unwrap().parse().unwrap()
            })
            .collect()
    }
}

#[test]
fn run_killed_at_any_moment_loses_and_doubles_nothing() {
    let world = killed(World::new(29, 500), KILLS);
    let left = in_folder(&world.place.path("balde"), "input");
    assert_eq!(left.len(), world.arrived.len());
}

#[test]
fn run_that_deletes_killed_at_any_moment_loses_nothing_and_leaves_nothing() {
    let world = killed(World::deleting(43, 200), KILLS / 2);
    let left = in_folder(&world.place.path("balde"), "input");
    assert_eq!(left.len(), 0);
}

/// The world after so many kills and a run to the end.
fn killed(mut world: World, kills: usize) -> World {
    let mut random = Random::new(29);
    let mut interrupted = 0;
    for round in 0..kills {
        world.arrive(5 + random.below(4));
        let mut run = world.start();
        // Every second time some progress is made before, however slow the machine.
        let most = if round % 2 == 0 {
            500
        } else {
            run.wait_for_lines(1);
            150
        };
        world.arrive(random.below(4));
        std::thread::sleep(Duration::from_millis(random.below(most) as u64));
        run.signal(Signal::KILL);
        let answer = run.end();
        assert_eq!(answer.status.signal(), Some(9), "{round}: {answer:?}");
        interrupted += usize::from(world.numbers("plans") != world.numbers("records"));
    }
    eprintln!("{interrupted} of {kills} kills left a batch unfinished");
    world.arrive(usize::MAX);
    world.shop().run_once();
    world.check();
    assert_eq!(world.numbers("plans"), world.numbers("records"));
    world
}

#[test]
fn run_asked_to_stop_finishes_the_batch_in_hand() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut world = World::new(31, 120);
        world.arrive(usize::MAX);
        let mut run = world.start();
        run.wait_for_lines(2);
        run.signal(signal);
        let answer = run.end();
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(
            answer.err.contains("stopping after the batch in hand"),
            "{answer:?}"
        );

        let last: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
        let (plans, records) = (world.numbers("plans"), world.numbers("records"));
        assert_eq!(plans, records, "what was planned is recorded");
        assert_eq!(records.last().copied(), last["batch"].as_u64());
        assert_eq!(
            world.shop().status()["unfinished_batches"],
            serde_json::json!([])
        );

        world.shop().run_once();
        world.check();
    }
}

#[test]
fn run_that_waits_stops_at_once_when_asked_to() {
    let mut world = World::new(37, 6);
    world.arrive(usize::MAX);
    let run = world.start();
    let shop = world.shop();
    assert!(until(|| {
        let status = shop.status();
        status["waiting_objects"] == 0 && status["unfinished_batches"] == serde_json::json!([])
    }));
    run.signal(Signal::TERM);
    assert_eq!(run.end().code, Some(0));
    world.check();
}
