//! Two runners on one process: one of them leaves, and nothing is lost or doubled.

use std::path::Path;

use esteira_testkit::oracle::InputObject;
use insta::assert_snapshot;
use rustix::process::Signal;

use crate::objects::{Library, drop_into, event, in_folder};
use crate::place::{Answer, PATIENCE, Place, Running, numbers_after, until};
use crate::simulator::Simulator;
use crate::steps::Step;
use crate::tables::{Shop, contents};

/// A bucket and a pipeline whose batches have one object.
struct World {
    place: Place,
    bucket: String,
    simulator: Option<Simulator>,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        place.pipeline_with_batches_of("loja", 1);
        let bucket = place.folder_bucket("balde");
        Self {
            place,
            bucket,
            simulator: None,
        }
    }

    /// On a simulator with its data in `data`.
    fn on_service(data: &Path) -> Self {
        let simulator = Simulator::start(data);
        let place = Place::at(simulator.endpoint());
        place.pipeline_with_batches_of("loja", 1);
        place.ask(&["bucket", "create", "itau-shop"]);
        Self {
            place,
            bucket: "s3://itau-shop".to_owned(),
            simulator: Some(simulator),
        }
    }

    fn objects(&self, prefix: &str) -> Vec<InputObject> {
        match self.simulator {
            Some(_) => Library::open(&self.place, &self.bucket).objects(prefix),
            None => in_folder(&self.place.path("balde"), prefix),
        }
    }

    fn arrive(&self, number: usize) {
        let key = format!("input/{number}.json");
        let event = event(&format!("pedido-{number}"));
        if self.simulator.is_some() {
            Library::open(&self.place, &self.bucket).put(&key, event.as_bytes());
        } else {
            drop_into(&self.place.path("balde"), &key, event.as_bytes());
        }
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
        let arrived = self.objects("input/");
        shop.check(&arrived);
        let raw = self.objects("raw/marketing_place/");
        assert!(
            contents(&raw) == contents(&arrived),
            "raw holds every original once"
        );
        self.place
            .ask(&["verify", "loja", "--bucket", &self.bucket]);
    }
}

/// How many batches are recorded in the bucket whose files are in `folder`.
fn recorded(folder: &Path) -> usize {
    let records = folder.join("_esteira/marketing_place/records");
    std::fs::read_dir(records).map_or(0, Iterator::count)
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

/// The moments at which a runner is paused: it has just done this. A few of them, and all with `make soak`.
fn moments() -> &'static [&'static str] {
    let all = &[
        "analytics/orders/_delta_log",
        "_esteira/marketing_place/plans",
        "analytics/products/_delta_log",
        "raw/marketing_place",
        "analytics/orders",
        "_esteira/marketing_place/records",
    ];
    if std::env::var_os("ESTEIRA_SOAK").is_some() {
        all
    } else {
        &all[..2]
    }
}

/// Pauses one runner right after the moment, lets another one work, wakes the first.
fn paused_at(moment: &str, world: &World, folder: &Path) {
    (0..12).for_each(|number| world.arrive(number));
    // However late we look, it has done this by then.
    let step = Step::of(folder, moment);
    let mut first = world.start(&[]);
    assert!(step.wait(3, &mut first, PATIENCE), "{moment}");
    first.signal(Signal::STOP);

    // It takes over what the first one left in the middle, and goes on alone.
    let mut second = world.start(&[]);
    (12..20).for_each(|number| world.arrive(number));
    assert!(
        until(|| recorded(folder) >= 20 || second.has_ended()),
        "{moment}"
    );
    first.signal(Signal::CONT);
    (20..24).for_each(|number| world.arrive(number));
    // One of them leaves as soon as both want the same batch.
    let mut arrived = 24;
    assert!(until(|| {
        world.arrive(arrived);
        arrived += 1;
        first.has_ended() || second.has_ended()
    }));
    if second.has_ended() {
        std::mem::swap(&mut first, &mut second);
    }
    let left = first.end();
    assert_eq!(leaving(&left), LEFT, "{moment}");
    second.signal(Signal::TERM);
    let stayed = second.end();
    assert_eq!(stayed.code, Some(0), "{moment}: {stayed:?}");
}

#[test]
fn runner_paused_at_any_moment_and_woken_doubles_nothing() {
    for &moment in moments() {
        let world = World::new();
        paused_at(moment, &world, &world.place.path("balde"));
        world.check();
    }
}

#[test]
fn runner_on_a_service_paused_at_any_moment_and_woken_doubles_nothing() {
    let data = Place::new();
    for &moment in moments() {
        let name = format!("s3-{}", moment.replace('/', "-"));
        let world = World::on_service(&data.path(&name));
        paused_at(moment, &world, &data.path(&name).join("itau-shop"));
        world.check();
    }
}

#[test]
fn runner_that_dies_while_it_is_paused_is_taken_over() {
    for &moment in moments() {
        let world = World::new();
        (0..8).for_each(|number| world.arrive(number));
        let folder = world.place.path("balde");
        let step = Step::of(&folder, moment);
        let mut first = world.start(&[]);
        assert!(step.wait(2, &mut first, PATIENCE), "{moment}");
        first.signal(Signal::STOP);
        let second = world.start(&[]);
        first.signal(Signal::KILL);
        first.end();
        assert!(until(|| recorded(&folder) >= 8), "{moment}");
        second.signal(Signal::TERM);
        let answer = second.end();
        assert_eq!(answer.code, Some(0), "{moment}: {answer:?}");
        world.check();
    }
}
