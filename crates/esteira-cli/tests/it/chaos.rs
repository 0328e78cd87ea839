//! A job on a service that fails in every way it can: whatever happens on the way, what is in the tables
//! afterwards is what the oracle says.
//!
//! `ESTEIRA_CHAOS_SEEDS`, numbers with commas between them, takes the place of the few seeds that are
//! tried otherwise; see scripts/chaos.sh.

use std::path::PathBuf;

use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;
use esteira_testkit::random::Random;

use crate::objects::Library;
use crate::place::{Answer, Place};
use crate::simulator::Simulator;
use crate::tables::{Shop, contents};

const BUCKET: &str = "s3://itau-shop";
/// A command that gives up goes on where it was when it is started again; so often at most.
const STARTS: usize = 12;

#[test]
fn light_chaos_loses_and_doubles_nothing() {
    live_through("light", 60, &[1]);
}

#[test]
fn rough_chaos_loses_and_doubles_nothing() {
    live_through("rough", 40, &[1, 2]);
}

#[test]
fn storm_loses_and_doubles_nothing() {
    live_through("storm", 12, &[3]);
}

#[test]
fn input_that_is_archived_through_rough_chaos_is_empty_and_all_of_it_is_there() {
    let mut chaos = Chaos::new("rough", 5, 24);
    chaos.archives = true;
    let file = chaos.place.path("loja/pipeline.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let path = "path = \"input/**\"";
    let archiving = text.replace(path, &format!("{path}\nafter = \"archive\""));
    assert_ne!(text, archiving);
    std::fs::write(file, archiving).unwrap();
    chaos.run();
}

/// Histories with so many entries; the rougher it is, the longer each takes.
fn live_through(profile: &'static str, entries: usize, seeds: &[u64]) {
    let given = std::env::var("ESTEIRA_CHAOS_SEEDS").ok().map(|seeds| {
        let numbers = seeds.split(',').map(|seed| seed.trim().parse().unwrap());
        numbers.collect::<Vec<u64>>()
    });
    for seed in given.as_deref().unwrap_or(seeds) {
        Chaos::new(profile, *seed, entries).run();
    }
}

/// One seed's objects, and where they go.
struct Chaos {
    profile: &'static str,
    seed: u64,
    place: Place,
    data: PathBuf,
    arriving: Vec<InputObject>,
    /// What is there when the job has not seen it yet.
    arrived: Vec<InputObject>,
    /// Whether the job moves what it has taken.
    archives: bool,
    /// How often the job was started.
    starts: usize,
}

impl Chaos {
    fn new(profile: &'static str, seed: u64, entries: usize) -> Self {
        let shape = Shape {
            orders: 8,
            sellers: 4,
            entries,
            entries_per_object: 3,
            // A key that is uploaded again before it was read is gone, and no oracle knows when.
            reupload_percent: 0,
            ..Shape::default()
        };
        let place = Place::new();
        place.pipeline_with_batches_of("loja", 8);
        let data = place.path("s3");
        std::fs::create_dir_all(data.join("itau-shop")).unwrap();
        Self {
            profile,
            seed,
            place,
            data,
            arriving: History::random(seed, &shape).permuted(seed),
            arrived: Vec::new(),
            archives: false,
            starts: 0,
        }
    }

    fn run(mut self) {
        let seed = self.seed.to_string();
        let chaos = ["--chaos", &seed, "--chaos-profile", self.profile];
        let simulator = Simulator::start_with(&self.data, &chaos);
        self.go_to(&simulator);
        let arriving = std::mem::take(&mut self.arriving);
        for arrived in arriving.chunks(arriving.len().div_ceil(2)) {
            self.upload(arrived);
            self.insist(&["run", "loja", "--once", "--bucket", BUCKET]);
        }
        self.insist(&["optimize", "loja", "--bucket", BUCKET]);
        let ended = simulator.stop();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let faults = ended.out.lines().last().unwrap_or_default();
        assert!(faults.contains(" faults: "), "{ended:?}");

        let simulator = Simulator::start(&self.data);
        self.go_to(&simulator);
        if self.archives {
            // What could not be moved was left for a later run.
            self.insist(&["run", "loja", "--once", "--bucket", BUCKET]);
        }
        self.check(arriving.len());
        eprintln!(
            "seed {seed} {}: as the oracle says after {} starts and {faults}",
            self.profile, self.starts
        );
    }

    fn go_to(&mut self, simulator: &Simulator) {
        let place = std::mem::replace(&mut self.place, Place::new());
        self.place = place
            .with("AWS_ENDPOINT_URL", simulator.endpoint())
            .with("AWS_ACCESS_KEY_ID", "dummy")
            .with("AWS_SECRET_ACCESS_KEY", "dummy")
            .with("AWS_REGION", "us-east-1");
    }

    /// In an order of the seed's own: the clocks of the objects are off anyway.
    fn upload(&mut self, objects: &[InputObject]) {
        let library = Library::open(&self.place, BUCKET);
        let mut order: Vec<&InputObject> = objects.iter().collect();
        Random::new(self.seed).shuffle(&mut order);
        for object in order {
            library.put(&object.key, &object.bytes);
        }
        for object in library.objects("input/") {
            if self.arrived.iter().all(|known| known.key != object.key) {
                self.arrived.push(object);
            }
        }
    }

    /// Runs a command until it succeeds, as whatever starts a job would.
    fn insist(&mut self, arguments: &[&str]) {
        let mut last: Option<Answer> = None;
        for _ in 0..STARTS {
            self.starts += 1;
            let answer = self.place.run(arguments);
            assert!(
                !answer.err.contains("panicked"),
                "{arguments:?}: {answer:?}"
            );
            if answer.code == Some(0) {
                return;
            }
            // It gave up on the bucket at the start, or was patient for as long as it should be.
            let patient = arguments[0] != "run" || answer.err.matches("retrying_in").count() >= 4;
            assert!(
                answer.code == Some(4) || patient,
                "{arguments:?}: {answer:?}"
            );
            last = Some(answer);
        }
        panic!("{arguments:?} does not get through: {last:?}");
    }

    /// Holds everything against the oracle, where nothing goes wrong any more.
    fn check(&self, count: usize) {
        let library = Library::open(&self.place, BUCKET);
        let (arrived, left) = (&self.arrived, library.objects("input/"));
        assert_eq!(arrived.len(), count);
        if self.archives {
            assert_eq!(left.len(), 0);
            let archived = library.objects("archive/marketing_place/");
            assert!(contents(&archived) == contents(arrived));
        } else {
            assert_eq!(left.len(), count);
        }
        let shop = Shop {
            place: &self.place,
            pipeline: "loja",
            bucket: BUCKET,
        };
        shop.check(arrived);
        let raw = library.objects("raw/marketing_place/dt_processamento=");
        assert!(
            contents(&raw) == contents(arrived),
            "raw holds every original once"
        );
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "seed {} {}: failed; once more: make chaos SEED={} PROFILE={}",
                self.seed, self.profile, self.seed, self.profile
            );
        }
    }
}
