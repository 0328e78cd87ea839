//! `up` and `down`: what they say when the port or the folder is not theirs to take, and what
//! outlives them.

use std::net::TcpListener;

use insta::assert_snapshot;

use crate::objects::event;
use crate::place::Place;
use crate::simulator::{Simulator, free_port};
use crate::tables::Shop;

/// Stops a detached simulator whatever became of the test.
struct Detached<'a> {
    place: &'a Place,
    port: &'a str,
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        // It may have been stopped already.
        drop(self.place.command(&["down", "--port", self.port]).output());
    }
}

#[test]
fn up_on_a_port_of_another_program_fails() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let place = Place::new();
    for arguments in [
        &["up", "--foreground", "--port", &port][..],
        &["up", "--port", &port],
    ] {
        let failure = place.failure(arguments);
        insta::allow_duplicates! {
            assert_snapshot!(failure, @r"
            exit 1
            error: port <port> is already in use
            hint: stop what runs there (`esteira down` stops a simulator), or choose another port with `--port`
            ");
        }
    }
}

#[test]
fn up_with_another_folder_on_the_port_of_a_simulator_names_its_folder() {
    let place = Place::new();
    let simulator = Simulator::start(&place.path("s3"));
    let port = simulator.port();
    assert_snapshot!(place.failure(&["up", "--port", port, "--dir", "outra"]), @r"
    exit 1
    error: a simulator with its data in `<dir>/s3` runs already
    caused by: port <port> is already in use
    hint: stop what runs there (`esteira down` stops a simulator), or choose another port with `--port`
    ");
}

#[test]
fn up_on_another_port_with_the_folder_of_a_simulator_fails() {
    let place = Place::new();
    let _simulator = Simulator::start(&place.path("s3"));
    for arguments in [
        &["up", "--foreground", "--port", "0", "--dir", "s3"][..],
        &["up", "--port", &free_port(), "--dir", "s3"],
    ] {
        let failure = place.failure(arguments);
        insta::allow_duplicates! {
            assert_snapshot!(failure, @r"
            exit 1
            error: the folder `s3` is in use by another simulator
            hint: stop the other simulator (`esteira down`), or choose another folder with `--dir`
            ");
        }
    }
}

#[test]
fn up_where_the_folder_is_a_file_says_what_to_choose() {
    let place = Place::new();
    place.write("s3", "um arquivo");
    let failure = place.failure(&["up", "--foreground", "--port", "0", "--dir", "s3"]);
    assert_snapshot!(failure, @r"
    exit 1
    error: cannot use the folder `s3`
    caused by: Not a directory (os error <n>)
    hint: choose a folder that this user can write, with `--dir`
    ");
}

#[test]
fn up_detached_on_any_port_asks_for_one() {
    assert_snapshot!(Place::new().failure(&["up", "--port", "0"]), @r"
    exit 1
    error: a detached simulator needs a port of its own
    hint: name one with `--port`, or use `--foreground`
    ");
}

#[test]
fn down_where_none_runs_says_so_and_succeeds() {
    let place = Place::new();
    let answer = place.run(&["down", "--port", &free_port()]);
    assert_snapshot!(place.shown(&answer), @r"
    exit 0
    no simulator runs on port <port>
    ");
}

#[test]
fn down_leaves_another_program_alone() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let place = Place::new();
    let answer = place.run(&["down", "--port", &port]);
    assert_snapshot!(place.shown(&answer), @r"
    exit 0
    no simulator runs on port <port>
    ");
}

#[test]
fn simulator_in_the_foreground_ends_well_when_asked_to() {
    let place = Place::new();
    let answer = Simulator::start(&place.path("s3")).stop();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(answer.err, "");
}

#[test]
fn simulator_stopped_and_started_again_keeps_everything() {
    let port = free_port();
    let place = Place::at(&format!("http://127.0.0.1:{port}"));
    let up = ["up", "--port", &port, "--dir", "s3"];
    let _guard = Detached {
        place: &place,
        port: &port,
    };
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: "s3://itau-shop",
    };

    let first = place.run(&up);
    assert_snapshot!(place.shown(&first), @r"
    exit 0
    S3 simulator at http://127.0.0.1:<port> (pid <pid>, data in s3, log in s3/simulator.log)

    Settings for this and any other S3 client:
      export AWS_ENDPOINT_URL=http://127.0.0.1:<port>
      export AWS_ACCESS_KEY_ID=dummy AWS_SECRET_ACCESS_KEY=dummy AWS_REGION=us-east-1
    ");
    let again = place.run(&up);
    assert_snapshot!(place.shown(&again), @r"
    exit 0
    the simulator runs already (pid <pid>, data in <dir>/s3)

    Settings for this and any other S3 client:
      export AWS_ENDPOINT_URL=http://127.0.0.1:<port>
      export AWS_ACCESS_KEY_ID=dummy AWS_SECRET_ACCESS_KEY=dummy AWS_REGION=us-east-1
    ");

    place.ask(&["bucket", "create", "itau-shop"]);
    place.write("input/a.json", event("pedido-1"));
    place.ask(&["bucket", "put", "itau-shop", "input", "--to", "input"]);
    assert_eq!(shop.run_once().lines().count(), 1);
    let (records, versions) = (shop.records(), shop.versions());
    let orders = shop.rows("SELECT * FROM orders");
    assert_eq!(orders.len(), 1);
    let listed = place.ask(&["bucket", "list", "itau-shop", "--format", "json"]);

    let down = place.run(&["down", "--port", &port]);
    assert_snapshot!(place.shown(&down), @r"
    exit 0
    stopped the simulator on port <port>; its data stays in <dir>/s3
    ");
    place.ask(&up);

    assert_eq!(
        place.ask(&["bucket", "list", "itau-shop", "--format", "json"]),
        listed
    );
    assert_eq!(shop.run_once(), "", "the second run has nothing to do");
    assert_eq!(shop.records(), records);
    assert_eq!(shop.versions(), versions);
    assert_eq!(shop.rows("SELECT * FROM orders"), orders);
}

#[test]
fn up_with_chaos_says_so_and_down_ends_it() {
    let place = Place::new();
    let port = free_port();
    let _detached = Detached {
        place: &place,
        port: &port,
    };
    let up = ["up", "--port", &port, "--dir", "s3", "--chaos", "7"];
    let first = |arguments: &[&str]| {
        let answer = place.run(arguments);
        place
            .shown(&answer)
            .lines()
            .take(2)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_snapshot!(first(&up), @r"
    exit 0
    S3 simulator at http://127.0.0.1:<port> (pid <pid>, data in s3, log in s3/simulator.log, chaos rough, seed 7)
    ");
    assert_snapshot!(first(&up), @r"
    exit 0
    the simulator runs already (pid <pid>, data in <dir>/s3, chaos rough, seed 7)
    ");
    assert_snapshot!(place.failure(&["up", "--port", &port, "--dir", "s3"]), @r"
    exit 1
    error: the simulator runs already, with chaos rough, seed 7, and is asked for without chaos
    hint: stop it first: esteira down --port <port>
    ");
    place.ask(&["down", "--port", &port]);
    let log = std::fs::read_to_string(place.path("s3/simulator.log")).unwrap();
    assert!(log.contains("chaos rough, seed 7"), "{log}");
    assert!(log.contains(" faults: "), "{log}");
}

#[test]
fn chaos_profile_that_is_none_names_those_there_are() {
    let arguments = ["up", "--chaos", "7", "--chaos-profile", "mild"];
    let answer = Place::new().run(&arguments);
    assert_eq!(answer.code, Some(2));
    assert!(
        answer
            .err
            .contains("there are `light`, `rough` and `storm`"),
        "{answer:?}"
    );
    let alone = Place::new().run(&["up", "--chaos-profile", "storm"]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
}
