//! A switch to replayed tables: what it says, and what becomes of a job that runs beside it.

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::Value;

use crate::objects::{Library, drop_into, event, in_folder};
use crate::place::{PATIENCE, Place, until};
use crate::simulator::Simulator;
use crate::steps::Step;
use crate::tables::Shop;

/// Two orders in a bucket, taken by a pipeline in the folder `loja`; then `change` is made to a file of it.
fn shop(place: &Place) -> String {
    place.pipeline_with_batches_of("loja", 1);
    let bucket = place.folder_bucket("balde");
    for id in ["pedido-1", "pedido-2"] {
        place.write(&format!("balde/input/{id}.json"), event(id));
    }
    place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    bucket
}

/// The pipeline `nova`: as `loja`, with another column of orders and other sellers.
fn new_pipeline(place: &Place) {
    place.pipeline("nova", "models/orders.sql", |text| {
        text.replace("  cod_idef_clie,\n", "")
    });
    for (file, from, to) in [
        ("pipeline.toml", "input/*.json", "input/**"),
        ("pipeline.toml", "\"sellers\"", "\"vendors\""),
    ] {
        let path = place.path(&format!("nova/{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
    let models = place.path("nova/models");
    std::fs::rename(models.join("sellers.sql"), models.join("vendors.sql")).unwrap();
}

/// The text without fingerprints.
fn without_rules(text: &str) -> String {
    let words = text.split('`').map(|word| {
        let is_rules = word.len() == 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
        if is_rules { "#" } else { word }
    });
    words.collect::<Vec<_>>().join("`")
}

#[test]
fn switch_says_what_it_did_and_the_job_from_before_why_it_stops() {
    let place = Place::new();
    let bucket = shop(&place);
    new_pipeline(&place);
    let run = ["run", "nova", "--once", "--bucket", &bucket];
    assert_snapshot!(place.failure(&run), @r#"
    exit 6
    error: table `orders` has other columns than the pipeline: `cod_idef_clie` STRING is in the table, not in the pipeline
    hint: undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    "#);
    let replay = ["replay", "nova", "--bucket", &bucket];
    let switch = [&replay[..], &["--switch"]].concat();
    assert_snapshot!(place.ask(&switch), @r#"
    orders       2 rows in the place of 2 (version 3)
    products     2 rows in the place of 2 (version 3)
    quarantine   0 rows in the place of 0 (version 1)
    shipments    2 rows in the place of 2 (version 3)
    vendors      1 rows in the place of 0 (version 1)
    sellers      stays as it is: the pipeline has no such table any more
    batch 3: the tables are what 2 batches, 2 objects, 2 events make
    "#);
    let columns = ["sql", "--pipeline", "nova", "--bucket", &bucket];
    let answer = place.ask(&[&columns[..], &["--format", "json", "SELECT * FROM orders"]].concat());
    assert!(
        !answer.contains("cod_idef_clie") && answer.lines().count() == 2,
        "{answer}"
    );
    place.ask(&run);
    let history = place.ask(&["history", "nova", "--bucket", &bucket]);
    let told = history.lines().last().unwrap();
    assert_snapshot!(told.trim(), @"switched to replayed tables; its counts are those of all batches before, by its rules");
    let old = ["run", "loja", "--once", "--bucket", &bucket];
    assert_snapshot!(without_rules(&place.failure(&old)), @r#"
    exit 6
    error: the tables of process `marketing_place` were switched to other rules in batch 3: this pipeline (`#`) is from before, the tables are made by `#`
    hint: start the job with the pipeline that the tables were switched to, or switch to this one: `esteira replay --switch`
    "#);

    let again = place.ask(
        &[
            &switch[..],
            &["--format", "json", "--into", "anew", "--keep"],
        ]
        .concat(),
    );
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["batch"], 4);
    assert_eq!(again["kept"], "anew");
    let orders = &again["tables"]["orders"];
    assert_eq!(
        (&orders["rows"], &orders["rows_before"]),
        (&2.into(), &2.into())
    );
    assert!(place.path("balde/anew/orders/_delta_log").is_dir());
    let kinds = "SELECT batch, kind FROM batches ORDER BY batch";
    let kinds = place.ask(&[&columns[..], &["--format", "json", kinds]].concat());
    assert_snapshot!(kinds, @r#"
    {"batch":1,"kind":"input"}
    {"batch":2,"kind":"input"}
    {"batch":3,"kind":"switch"}
    {"batch":4,"kind":"switch"}
    "#);
    place.ask(&["verify", "nova", "--bucket", &bucket]);
}

#[test]
fn switch_that_is_typed_wrongly_is_refused() {
    let place = Place::new();
    for arguments in [
        &["replay"][..],
        &["replay", "--switch", "--until", "3"],
        &["replay", "--into", "x", "--keep"],
    ] {
        let answer = place.run(arguments);
        assert_eq!(answer.code, Some(2), "{answer:?}");
    }
}

/// A bucket that a continuous job and switches work on while objects keep arriving.
struct World {
    place: Place,
    bucket: String,
    on_service: bool,
    arrived: usize,
}

impl World {
    fn arrive(&mut self, count: usize) {
        for number in self.arrived..self.arrived + count {
            let key = format!("input/{number}.json");
            // Every third one is news of an earlier order.
            let order = if number % 3 == 2 { number / 2 } else { number };
            let second = 10 + number % 50;
            let text = event(&format!("pedido-{order}"));
            let text = text.replace("12:00:00", &format!("12:00:{second}"));
            if self.on_service {
                Library::open(&self.place, &self.bucket).put(&key, text.as_bytes());
            } else {
                drop_into(&self.place.path("balde"), &key, text.as_bytes());
            }
        }
        self.arrived += count;
    }

    fn shop(&self) -> Shop<'_> {
        Shop {
            place: &self.place,
            pipeline: "loja",
            bucket: &self.bucket,
        }
    }

    fn check(&self) {
        self.shop().run_once();
        let arrived = if self.on_service {
            Library::open(&self.place, &self.bucket).objects("input/")
        } else {
            in_folder(&self.place.path("balde"), "input/")
        };
        self.shop().check(&arrived);
        self.place
            .ask(&["verify", "loja", "--bucket", &self.bucket]);
    }
}

fn switched_beside_a_job(mut world: World) {
    world.arrive(10);
    let run = world
        .place
        .start(&["run", "loja", "--bucket", &world.bucket]);
    for _ in 0..3 {
        world.arrive(12);
        let switch = ["replay", "loja", "--switch", "--bucket", &world.bucket];
        let mut switching = world.place.start(&switch);
        let end = world.arrived + 20;
        while !switching.has_ended() {
            if world.arrived < end {
                world.arrive(1);
            }
            std::thread::sleep(std::time::Duration::from_millis(40));
        }
        let answer = switching.end();
        assert_eq!(answer.code, Some(0), "{answer:?}");
    }
    world.arrive(5);
    let records = |world: &World| world.shop().records();
    assert!(until(|| {
        let newest = records(&world).pop().unwrap();
        newest["totals"]["objects"]["discovered"] == world.arrived
    }));
    run.signal(Signal::TERM);
    let answer = run.end();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let switches = records(&world);
    let switches = switches
        .iter()
        .filter(|record| record["switch"].is_object());
    assert_eq!(switches.count(), 3);
    world.check();
}

#[test]
fn job_beside_switches_loses_and_doubles_nothing() {
    let place = Place::new();
    place.pipeline_with_batches_of("loja", 2);
    let bucket = place.folder_bucket("balde");
    switched_beside_a_job(World {
        place,
        bucket,
        on_service: false,
        arrived: 0,
    });
}

#[test]
fn job_beside_switches_on_a_service_loses_and_doubles_nothing() {
    let data = Place::new();
    let simulator = Simulator::start(&data.path("s3"));
    let place = Place::at(simulator.endpoint());
    place.pipeline_with_batches_of("loja", 2);
    place.ask(&["bucket", "create", "itau-shop"]);
    switched_beside_a_job(World {
        place,
        bucket: "s3://itau-shop".to_owned(),
        on_service: true,
        arrived: 0,
    });
}

#[test]
fn switch_that_is_killed_once_it_is_decided_is_finished_by_the_job() {
    let place = Place::new();
    place.pipeline_with_batches_of("loja", 5);
    let bucket = place.folder_bucket("balde");
    let mut world = World {
        place,
        bucket,
        on_service: false,
        arrived: 0,
    };
    world.arrive(20);
    world.shop().run_once();
    let step = Step::of(
        &world.place.path("balde"),
        "_esteira/marketing_place/switches",
    );
    let switch = ["replay", "loja", "--switch", "--bucket", &world.bucket];
    let mut switching = world.place.start(&switch);
    assert!(step.wait(1, &mut switching, PATIENCE));
    switching.signal(Signal::KILL);
    switching.end();
    world.arrive(5);
    world.check();
    let records = world.shop().records();
    let switches = records.iter().filter(|record| record["switch"].is_object());
    assert_eq!(switches.count(), 1);
}
