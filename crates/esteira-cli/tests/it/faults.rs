//! Faults of the surroundings that go away again: a job that runs says what is wrong, waits, and goes on
//! without being started again; one that is run once gives up and says so.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::Value;

use crate::objects::{Library, drop_into, event, in_folder};
use crate::place::{Place, Running, numbers_after, until};
use crate::simulator::Simulator;
use crate::tables::{Shop, contents};

/// What a running job said when it was waiting: the error and its hint, without what differs.
fn complaint(running: &Running, part: &str) -> String {
    let mut found = Value::Null;
    let said = until(|| {
        let lines = running.complaints();
        let Some(line) = lines.iter().rfind(|line| line.contains(part)) else {
            return false;
        };
        found = serde_json::from_str(line).unwrap();
        true
    });
    assert!(said, "{part}: {:?}", running.complaints());
    assert!(found["retrying_in_seconds"].as_u64().unwrap() >= 1);
    let hint = found["hint"].as_str().unwrap_or("none");
    let mut text = format!("{}\nhint: {hint}", found["error"].as_str().unwrap());
    numbers_after(&mut text, "127.0.0.1:", "<port>");
    numbers_after(&mut text, "(os error ", "<n>");
    text
}

/// A small file system of its own in the place, for a local bucket.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None, said on standard error, where nobody lets us mount one.
    fn new(place: &Place) -> Option<Self> {
        let disk = Self {
            folder: place.path("disco"),
        };
        std::fs::create_dir_all(&disk.folder).unwrap();
        let mounted = disk.mount("size=2m");
        if !mounted {
            eprintln!("skipped: a file system can only be mounted by root");
            return None;
        }
        std::fs::create_dir_all(disk.folder.join("balde/input")).unwrap();
        Some(disk)
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "esteira-test"]);
        let status = mount.arg(&self.folder).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Refused while a file is being written, so it is tried for a while.
    fn remount(&self, options: &str) {
        let remount = format!("remount,{options}");
        assert!(until(|| self.mount(&remount)), "{options}");
    }

    fn bucket(&self) -> PathBuf {
        self.folder.join("balde")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

/// Holds a local bucket against the oracle.
fn check(place: &Place, folder: &std::path::Path, bucket: &str) {
    let shop = Shop {
        place,
        pipeline: "marketing_place",
        bucket,
    };
    let arrived = in_folder(folder, "input");
    shop.check(&arrived);
    let raw = in_folder(folder, "raw/marketing_place");
    assert!(
        contents(&raw) == contents(&arrived),
        "raw holds every original once"
    );
    place.ask(&["verify", "--bucket", bucket]);
}

fn recorded(folder: &std::path::Path) -> usize {
    in_folder(folder, "_esteira/marketing_place/records").len()
}

#[test]
fn disk_that_is_full_or_read_only_is_waited_for() {
    let place = Place::new();
    let Some(disk) = Disk::new(&place) else {
        return;
    };
    let folder = disk.bucket();
    let bucket = format!("file://{}", folder.display());
    drop_into(&folder, "input/1.json", event("1").as_bytes());
    let running = place.start(&["run", "--bucket", &bucket]);
    assert!(until(|| recorded(&folder) == 1));

    // All but a little is taken by somebody else, at different moments of a batch.
    for free in [8, 64, 128] {
        let filler = folder.join("filler");
        let mut count = Command::new("df");
        count.args(["--output=avail", "-k"]).arg(&folder);
        let said = String::from_utf8(count.output().unwrap().stdout).unwrap();
        let left: usize = said.split_whitespace().last().unwrap().parse().unwrap();
        std::fs::write(&filler, vec![0; (left - free) * 1024]).unwrap();
        let before = (recorded(&folder), running.complaints().len());
        let long = event(&"x".repeat(3 * 1024)).repeat(1 + free / 8);
        // What nobody has room for does not arrive.
        let arrived = folder.join(format!("input/{free}.json"));
        if std::fs::write(&arrived, &long).is_err() {
            std::fs::remove_file(&arrived).unwrap();
            std::fs::remove_file(&filler).unwrap();
            continue;
        }
        assert!(until(
            || running.complaints().len() > before.1 || recorded(&folder) > before.0
        ));
        std::fs::remove_file(&filler).unwrap();
        assert!(
            until(|| recorded(&folder) > before.0),
            "{:?}",
            running.complaints()
        );
    }
    let said = complaint(&running, "No space left on device");
    assert!(said.ends_with("hint: make room on the disk: nothing is lost, and a job that is running goes on by itself"), "{said}");

    let before = recorded(&folder);
    drop_into(&folder, "input/2.json", event("2").as_bytes());
    disk.remount("ro");
    // It may have been taken before.
    if recorded(&folder) == before {
        let said = complaint(&running, "Read-only file system");
        assert!(
            said.ends_with("a job that is running goes on by itself"),
            "{said}"
        );
    }
    disk.remount("rw,size=64m");
    assert!(until(|| recorded(&folder) > before));
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    check(&place, &folder, &bucket);
}

#[test]
fn too_few_open_files_are_told_with_the_way_out() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    for number in 0..60 {
        let key = format!("input/{number}.json");
        drop_into(
            &place.path("balde"),
            &key,
            event(&number.to_string()).as_bytes(),
        );
    }
    let limited = |most: &str| {
        let command = place.command(&["run", "--once", "--bucket", &bucket]);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "ulimit -n $0 && exec \"$@\"", most])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .current_dir(place.path(""));
        Running::new(shell).end()
    };
    // How many are open at once is a matter of luck.
    let mut tries = ["16", "13", "11", "10", "9"].into_iter().map(limited);
    let failed = tries.find(|answer| answer.code != Some(0)).unwrap();
    let last = failed.err.lines().rev().take(2).collect::<Vec<_>>();
    assert!(last[1].contains("Too many open files"), "{failed:?}");
    assert_snapshot!(last[0], @"hint: raise the limit of open files (`ulimit -n`), or lower `limits.requests_at_once`");
    let done = limited("64");
    assert_eq!(done.code, Some(0), "{done:?}");
    check(&place, &place.path("balde"), &bucket);
}

/// The tables of the bucket on the simulator are what its input makes.
fn check_shop(place: &Place, library: &Library) {
    let shop = Shop {
        place,
        pipeline: "marketing_place",
        bucket: "s3://itau-shop",
    };
    shop.check(&library.objects("input/"));
}

#[test]
fn service_that_stops_and_comes_back_is_waited_for() {
    let data = Place::new();
    let simulator = Simulator::start(&data.path("s3"));
    let (endpoint, port) = (simulator.endpoint().to_owned(), simulator.port().to_owned());
    let place = Place::at(&endpoint);
    place.ask(&["bucket", "create", "itau-shop"]);
    let library = Library::open(&place, "s3://itau-shop");
    library.put("input/1.json", event("1").as_bytes());
    let mut running = place.start(&["run"]);
    running.wait_for_lines(1);

    simulator.stop();
    assert_snapshot!(complaint(&running, "cannot reach"), @r"
    cannot reach `http://127.0.0.1:<port>`: Connection refused (os error <n>)
    hint: start the simulator with `esteira up`, or set AWS_ENDPOINT_URL to where S3 answers
    ");
    let simulator = Simulator::start_at(&data.path("s3"), &port);
    library.put("input/2.json", event("2").as_bytes());
    running.wait_for_lines(2);
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    check_shop(&place, &library);
    drop(simulator);
}

#[test]
fn credentials_that_expire_and_are_renewed_are_read_again() {
    let data = Place::new();
    let simulator = Simulator::start(&data.path("s3"));
    let good = Place::at(simulator.endpoint());
    good.ask(&["bucket", "create", "itau-shop"]);
    let library = Library::open(&good, "s3://itau-shop");
    library.put("input/1.json", event("1").as_bytes());

    let keys = |id: &str| {
        let text = format!("[default]\naws_access_key_id={id}\naws_secret_access_key=dummy\n");
        data.write("credentials", text);
    };
    keys("dummy");
    let credentials = data.path("credentials");
    let place = Place::at(simulator.endpoint())
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .with("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap());
    let mut running = place.start(&["run"]);
    running.wait_for_lines(1);

    keys("expired");
    assert_snapshot!(complaint(&running, "refused"), @r"
    access to bucket `s3://itau-shop` was refused (InvalidAccessKeyId)
    hint: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE, and that they may read and write this bucket
    ");
    // What never worked is told at once.
    let never = place.run(&["run"]);
    assert_eq!(never.code, Some(4), "{never:?}");
    library.put("input/2.json", event("2").as_bytes());
    keys("dummy");
    running.wait_for_lines(2);
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    check_shop(&place, &library);
}
