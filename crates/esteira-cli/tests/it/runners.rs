//! Two runners on one process: one of them leaves, and nothing is lost or doubled.

use insta::assert_snapshot;
use rustix::process::Signal;

use crate::objects::{drop_into, event, in_folder};
use crate::place::{Answer, Place, Running, numbers_after, until};
use crate::tables::{Shop, contents};

/// A local bucket and a pipeline whose batches have one object.
struct World {
    place: Place,
    bucket: String,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        place.pipeline_with_batches_of("loja", 1);
        let bucket = place.folder_bucket("balde");
        Self { place, bucket }
    }

    fn arrive(&self, number: usize) {
        let key = format!("input/{number}.json");
        let event = event(&format!("pedido-{number}"));
        drop_into(&self.place.path("balde"), &key, event.as_bytes());
    }

    fn start(&self, more: &[&str]) -> Running {
        let arguments = [&["run", "loja", "--bucket", &self.bucket][..], more].concat();
        self.place.start(&arguments)
    }

    /// Holds everything there is against the oracle, after a last run by one alone.
    fn check(&self) {
        let shop = Shop {
            place: &self.place,
            pipeline: "loja",
            bucket: &self.bucket,
        };
        shop.run_once();
        let balde = self.place.path("balde");
        let arrived = in_folder(&balde, "input");
        shop.check(&arrived);
        let raw = in_folder(&balde, "raw/marketing_place");
        assert!(
            contents(&raw) == contents(&arrived),
            "raw holds every original once"
        );
    }
}

/// How a runner left, without the number of the batch it wanted.
fn leaving(answer: &Answer) -> String {
    let mut text = format!("exit {}\n{}", answer.code.unwrap_or(-1), answer.err);
    numbers_after(&mut text, "it planned batch ", "<n>");
    text
}

const LEFT: &str = "exit 5
error: another runner works on process `marketing_place`: it planned batch <n>
hint: let one of the two run: both work on the same tables, nothing is lost or doubled when you stop either
";

#[test]
fn runners_started_together_lose_and_double_nothing() {
    let world = World::new();
    (0..30).for_each(|number| world.arrive(number));
    let runs = [world.start(&["--once"]), world.start(&["--once"])];
    let answers = runs.map(Running::end);
    for answer in &answers {
        let left = answer.code == Some(5) && leaving(answer) == LEFT;
        assert!(answer.code == Some(0) || left, "{answer:?}");
    }
    assert!(
        answers.iter().any(|answer| answer.code == Some(0)),
        "{answers:?}"
    );
    world.check();
}

#[test]
fn runner_that_joins_midway_loses_and_doubles_nothing() {
    let world = World::new();
    (0..30).for_each(|number| world.arrive(number));
    let mut first = world.start(&["--once"]);
    first.wait_for_lines(3);
    // It finds a batch that is being run, and runs it too.
    let second = world.start(&["--once"]);
    let answers = [first.end(), second.end()];
    for answer in &answers {
        let left = answer.code == Some(5) && leaving(answer) == LEFT;
        assert!(answer.code == Some(0) || left, "{answer:?}");
    }
    assert!(
        answers.iter().any(|answer| answer.code == Some(0)),
        "{answers:?}"
    );
    world.check();
}

#[test]
fn runner_that_meets_another_leaves_and_says_why() {
    let world = World::new();
    let mut runs = [world.start(&[]), world.start(&[])];
    let mut arrived = 0;
    let met = until(|| {
        world.arrive(arrived);
        arrived += 1;
        runs.iter_mut().any(Running::has_ended)
    });
    assert!(met, "both go on after {arrived} objects");
    let [mut one, mut other] = runs;
    if other.has_ended() {
        std::mem::swap(&mut one, &mut other);
    }
    let left = one.end();
    assert_snapshot!(leaving(&left), @r"
    exit 5
    error: another runner works on process `marketing_place`: it planned batch <n>
    hint: let one of the two run: both work on the same tables, nothing is lost or doubled when you stop either
    ");
    other.signal(Signal::TERM);
    let stayed = other.end();
    assert_eq!(stayed.code, Some(0), "{stayed:?}");
    world.check();
}
