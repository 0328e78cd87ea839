//! A job that is killed again and again, at every step and at any time, its disk losing what was not safe yet:
//! afterwards everything is as the oracle says.
//!
//! `ESTEIRA_SOAK`, the first seed and the number of kills, takes the place of the few that are tried
//! otherwise; see scripts/soak.sh.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;
use esteira_testkit::random::Random;
use rustix::process::Signal;

use crate::objects::{Library, drop_into, in_folder};
use crate::place::{Place, Running};
use crate::simulator::Simulator;
use crate::steps::{FOLDERS, Step};
use crate::tables::{Shop, contents};

/// A bucket lives through so many kills at most; then it is checked, and the next one begins.
const KILLS_A_BUCKET: usize = 50;

#[test]
fn job_killed_at_every_step_with_power_lost_loses_and_doubles_nothing() {
    let (seed, kills) = given().unwrap_or((1, 26));
    for (number, seed) in (0..kills.div_ceil(KILLS_A_BUCKET)).zip(seed..) {
        let kills = (kills - number * KILLS_A_BUCKET).min(KILLS_A_BUCKET);
        Soak::on_disk(seed, kills).run();
    }
}

#[test]
fn job_on_a_service_killed_at_any_time_loses_and_doubles_nothing() {
    // A fifth of what the disk gets.
    let (seed, kills) = given().map_or((1, 8), |(seed, kills)| (seed, kills.div_ceil(5)));
    for (number, seed) in (0..kills.div_ceil(KILLS_A_BUCKET)).zip(seed..) {
        let kills = (kills - number * KILLS_A_BUCKET).min(KILLS_A_BUCKET);
        Soak::on_service(seed, kills).run();
    }
}

fn given() -> Option<(u64, usize)> {
    let given = std::env::var("ESTEIRA_SOAK").ok()?;
    let (seed, kills) = given.split_once(' ').unwrap();
    Some((seed.parse().unwrap(), kills.parse().unwrap()))
}

/// One seed's bucket.
struct Soak {
    seed: u64,
    kills: usize,
    place: Place,
    bucket: String,
    /// Where its files are.
    folder: PathBuf,
    simulator: Option<Simulator>,
    coming: std::vec::IntoIter<InputObject>,
    random: Random,
    /// When the last job was started.
    started: SystemTime,
    told: Told,
}

/// What happened.
#[derive(Default, Debug)]
struct Told {
    at_a_step: usize,
    unfinished: usize,
    /// Files that a power loss cut short or emptied, and names that it took.
    halved: usize,
    forgotten: usize,
}

impl Soak {
    fn on_disk(seed: u64, kills: usize) -> Self {
        let place = Place::new();
        let bucket = place.folder_bucket("balde");
        let folder = place.path("balde");
        Self::new(seed, kills, place, bucket, folder, None)
    }

    fn on_service(seed: u64, kills: usize) -> Self {
        let data = Place::new();
        let simulator = Simulator::start(&data.path("s3"));
        let place = Place::at(simulator.endpoint());
        place.ask(&["bucket", "create", "itau-shop"]);
        let folder = data.path("s3/itau-shop");
        let simulator = Some(simulator.keeping(data));
        Self::new(
            seed,
            kills,
            place,
            "s3://itau-shop".to_owned(),
            folder,
            simulator,
        )
    }

    fn new(
        seed: u64,
        kills: usize,
        place: Place,
        bucket: String,
        folder: PathBuf,
        simulator: Option<Simulator>,
    ) -> Self {
        let shape = Shape {
            orders: 20,
            sellers: 8,
            entries: kills * 20,
            entries_per_object: 3,
            // A key that is uploaded again before it was read is gone, and no oracle knows when.
            reupload_percent: 0,
            ..Shape::default()
        };
        place.pipeline_with_batches_of("loja", 3);
        Self {
            seed,
            kills,
            place,
            bucket,
            folder,
            simulator,
            coming: History::random(seed, &shape).permuted(seed).into_iter(),
            random: Random::new(seed),
            started: SystemTime::now(),
            told: Told::default(),
        }
    }

    fn run(mut self) {
        for round in 0..self.kills {
            let count = 4 + self.random.below(4);
            self.arrive(count);
            self.kill(round);
            if self.simulator.is_none() && self.random.chance(60) {
                self.lose_power();
            }
        }
        self.arrive(usize::MAX);
        self.check();
        let kind = if self.simulator.is_some() {
            "service"
        } else {
            "disk"
        };
        // A few kills may all be too early or too late.
        if self.kills >= 8 {
            let told = &self.told;
            assert!(told.at_a_step > 0 && told.unfinished > 0, "{told:?}");
            let lost = told.halved + told.forgotten;
            assert!(lost > 0 || self.simulator.is_some(), "{told:?}");
        }
        eprintln!(
            "seed {} {kind}: as the oracle says after {} kills, {:?}",
            self.seed, self.kills, self.told
        );
    }

    fn arrive(&mut self, count: usize) {
        let objects: Vec<InputObject> = self.coming.by_ref().take(count).collect();
        if self.simulator.is_some() {
            let library = Library::open(&self.place, &self.bucket);
            for object in objects {
                library.put(&object.key, &object.bytes);
            }
        } else {
            for object in objects {
                drop_into(&self.folder, &object.key, &object.bytes);
            }
        }
    }

    /// Starts a job, mostly the stream, sometimes one that tidies, and kills it.
    fn kill(&mut self, round: usize) {
        let verb: &[&str] = match round % 20 {
            9 => &["optimize", "loja"],
            19 => &["vacuum", "loja", "--retain-hours", "0"],
            _ => &["run", "loja"],
        };
        let by_step = round.is_multiple_of(2) && verb[0] == "run";
        let step = Step::of(&self.folder, FOLDERS[round / 2 % FOLDERS.len()]);
        let arguments = [verb, &["--bucket", &self.bucket]].concat();
        self.started = SystemTime::now();
        let mut job: Running = self.place.start(&arguments);
        if by_step {
            let files = 1 + self.random.below(4);
            let seen = step.wait(files, &mut job, Duration::from_secs(10));
            self.told.at_a_step += usize::from(seen);
        } else {
            // Every second time some progress is made before, however slow the machine.
            if round % 4 == 1 && verb[0] == "run" {
                job.wait_for_lines(1);
            }
            std::thread::sleep(Duration::from_millis(self.random.below(400) as u64));
        }
        if !job.has_ended() {
            job.signal(Signal::KILL);
        }
        let answer = job.end();
        assert!(
            !answer.err.contains("panicked") && (answer.code.is_none() || answer.code == Some(0)),
            "{round}: {answer:?}"
        );
        let numbers = |kind: &str| {
            let folder = self.folder.join("_esteira/marketing_place").join(kind);
            std::fs::read_dir(folder).map_or(0, Iterator::count)
        };
        self.told.unfinished += usize::from(numbers("plans") != numbers("records"));
    }

    /// Does to the files what a power loss may: what no commit names yet and what has no name yet is cut
    /// short or full of zeros, and the last name that was given may be gone.
    fn lose_power(&mut self) {
        let mut lost = files(&self.folder.join("_esteira/partial"));
        // What has its name already was on the disk before it got it.
        lost.retain(|(path, _)| std::fs::metadata(path).unwrap().nlink() == 1);
        for table in [
            "analytics/orders",
            "analytics/products",
            "analytics/sellers",
            "analytics/shipments",
            "quarantine/marketing_place",
        ] {
            let table = self.folder.join(table);
            let committed = files(&table.join("_delta_log"))
                .into_iter()
                .map(|(_, at)| at)
                .max();
            let data = files(&table).into_iter();
            lost.extend(data.filter(|(_, at)| committed.is_none_or(|committed| *at > committed)));
        }
        for (path, _) in lost {
            let bytes = std::fs::read(&path).unwrap();
            let left = match self.random.below(3) {
                0 => Vec::new(),
                1 => bytes[..self.random.below(bytes.len() + 1)].to_vec(),
                _ => vec![0; bytes.len()],
            };
            std::fs::write(&path, left).unwrap();
            self.told.halved += 1;
        }
        if self.random.chance(50)
            && let Some(path) = self.last_written()
        {
            std::fs::remove_file(path).unwrap();
            self.told.forgotten += 1;
        }
    }

    /// The file that the last job wrote last: nothing that is there was written after its name was safe.
    fn last_written(&self) -> Option<PathBuf> {
        let mut newest: Option<(PathBuf, SystemTime)> = None;
        let written = ["_esteira", "raw", "analytics", "quarantine"];
        let mut folders = written.map(|name| self.folder.join(name)).to_vec();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                }
            }
            let found = files(&folder).into_iter();
            newest = found.chain(newest).max_by_key(|(_, at)| *at);
        }
        let (path, at) = newest?;
        (at > self.started).then_some(path)
    }

    /// A last run by a job that nobody kills, and everything held against the oracle.
    fn check(&self) {
        let shop = Shop {
            place: &self.place,
            pipeline: "loja",
            bucket: &self.bucket,
        };
        shop.run_once();
        let objects = |prefix: &str| match self.simulator {
            Some(_) => Library::open(&self.place, &self.bucket).objects(prefix),
            None => in_folder(&self.folder, prefix),
        };
        let arrived = objects("input/");
        shop.check(&arrived);
        let raw = objects("raw/marketing_place/");
        assert!(
            contents(&raw) == contents(&arrived),
            "raw holds every original once"
        );
        self.place
            .ask(&["verify", "loja", "--bucket", &self.bucket]);
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "seed {}: failed after {:?}; once more: make soak SEED={} KILLS={}",
                self.seed, self.told, self.seed, self.kills
            );
        }
    }
}

/// The files of a folder, and when they were written.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let files = entries.map(|entry| entry.unwrap());
    let files = files.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
        .collect()
}
