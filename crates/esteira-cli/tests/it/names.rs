//! Object names that no file system would take as they are, through the simulator; and which names a
//! pipeline's path takes.

use esteira_testkit::bad_inputs::bad_inputs;
use esteira_testkit::oracle::InputObject;

use crate::objects::{Library, event};
use crate::place::Place;
use crate::simulator::{Simulator, shop};
use crate::tables::{Shop, contents};

const BUCKET: &str = "s3://itau-shop";

/// Longer names cannot be kept in `raw` as they are: its folder is longer than `input/`, and a key has
/// 1,024 bytes (Amazon S3 User Guide, *Naming Amazon S3 objects*).
const LONGEST_NAME: usize = 1024 - "raw/marketing_place/dt_processamento=2026-01-02/".len();

/// A shop that takes everything below `input/`.
struct Odd {
    _simulator: Simulator,
    place: Place,
}

impl Odd {
    fn new() -> Self {
        let (simulator, place) = shop();
        place.pipeline_with_batches_of("tudo", 10_000);
        Self {
            _simulator: simulator,
            place,
        }
    }

    fn library(&self) -> Library {
        Library::open(&self.place, BUCKET)
    }

    fn shop(&self) -> Shop<'_> {
        Shop {
            place: &self.place,
            pipeline: "tudo",
            bucket: BUCKET,
        }
    }
}

/// Every original, by its name below the input path.
fn names(objects: &[InputObject], folders: usize) -> Vec<(&str, &[u8])> {
    let mut names: Vec<(&str, &[u8])> = objects
        .iter()
        .map(|object| {
            let mut parts = object.key.splitn(folders + 1, '/');
            (parts.nth(folders).unwrap(), object.bytes.as_slice())
        })
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn odd_names_are_ingested_and_kept_under_the_same_names() {
    let odd = Odd::new();
    let library = odd.library();
    let long = "n".repeat(LONGEST_NAME);
    let wide = "ção/".repeat(LONGEST_NAME / "ção/".len()) + "x";
    let keys = [
        "com espaço.json",
        " beira ",
        "a%2Fb.json",
        "100%.json",
        "a+b.json",
        "a&b=c;d.json",
        "a#b.json",
        "a?b=c.json",
        "d'água \"x\" `y`.json",
        "ação.json",
        "ac\u{327}a\u{303}o.json",
        "📦-🚚.json",
        "duas\nlinhas.json",
        "a\tb\r.json",
        "\u{1}\u{7f}.json",
        "\u{1b}[31mvermelho.json",
        "a\\b.json",
        "<a>&amp;.json",
        "...json",
        "..a/b../c.json",
        "a",
        "a/b",
        "a/b/c",
        "pasta//vazia.json",
        "/x.json",
        "fim/",
        "dt=2024-05-01/x.json",
        "_delta_log/00000000000000000000.json",
        &long,
        &wide,
    ];
    for key in keys {
        library.put(&format!("input/{key}"), event(key).as_bytes());
    }
    odd.shop().run_once();
    let arrived = library.objects("input/");
    assert_eq!(arrived.len(), keys.len());
    let expected = odd.shop().check(&arrived);
    assert_eq!(expected.orders.len(), keys.len());
    let raw = library.objects("raw/");
    assert_eq!(names(&raw, 3), names(&arrived, 1));
    assert_eq!(odd.shop().run_once(), "", "all are seen");
}

#[test]
fn bad_inputs_through_the_simulator_end_where_the_contract_says() {
    let odd = Odd::new();
    let library = odd.library();
    let cases = bad_inputs().unwrap();
    let fits = |key: &str| key.len() <= "input/".len() + LONGEST_NAME;
    let mut put = 0;
    for case in cases
        .iter()
        .filter(|case| fits(&case.key) && !case.has_own_limit())
    {
        let bytes = case.content.bytes();
        // Large ones take long and are no others on their way through a simulator.
        if bytes.len() < 1024 * 1024 {
            library.put(&case.key, &bytes);
            put += 1;
        }
    }
    assert!(put > 100, "{put}");
    odd.shop().run_once();
    let arrived = library.objects("input/");
    odd.shop().check(&arrived);
    let raw = library.objects("raw/");
    assert_eq!(names(&raw, 3), names(&arrived, 1));
}

/// The folder of `raw` is longer than that of the input, so the name cannot stay what it is.
#[test]
fn name_of_1000_bytes_is_ingested_and_its_bytes_are_kept() {
    let odd = Odd::new();
    let library = odd.library();
    for name in ["p".repeat(1_000), "pasta/".to_owned() + &"é".repeat(500)] {
        library.put(&format!("input/{name}"), event(&name).as_bytes());
    }
    library.put("input/ao-lado.json", event("ao-lado").as_bytes());
    odd.shop().run_once();
    let arrived = library.objects("input/");
    let expected = odd.shop().check(&arrived);
    assert_eq!(expected.orders.len(), 3);
    assert_eq!(contents(&library.objects("raw/")), contents(&arrived));
}

/// Such keys are legal, but HTTP clients take the dots for a way up. They are planted in the
/// simulator's folder, where `%2E` stands for the dot of such a segment.
#[test]
fn keys_with_dot_segments_never_stop_the_job() {
    let data = Place::new();
    let planted = [
        "input/%2E/x.json",
        "input/%2E%2E/x.json",
        "input/a/%2E%2E/%2E%2E/x.json",
        "input/%2E%2E/%2E%2E/%2E%2E/x.json",
        "input/b/%2E",
    ];
    for path in planted {
        data.write(&format!("s3/itau-shop/{path}"), event(path));
    }
    let simulator = Simulator::start(&data.path("s3"));
    let place = Place::at(simulator.endpoint());
    place.pipeline_with_batches_of("tudo", 10_000);
    let odd = Odd {
        _simulator: simulator,
        place,
    };
    let library = odd.library();
    library.put("input/ao-lado.json", event("ao-lado").as_bytes());
    let listed = odd.place.ask(&["bucket", "list", "itau-shop", "input"]);
    assert_eq!(listed.lines().count(), planted.len() + 2, "{listed}");

    odd.shop().run_once();
    let rows = odd
        .shop()
        .rows("SELECT _source_file FROM orders WHERE txt_detl_idt_pedi_pgto = 'ao-lado'");
    assert_eq!(rows.len(), 1);
    let records = odd.shop().records();
    assert_eq!(records[0]["objects"]["discovered"], planted.len() + 1);
    assert_eq!(odd.shop().run_once(), "", "they are looked at once");
}

#[test]
fn built_in_path_takes_neither_nested_nor_capital_names() {
    let (_simulator, place) = shop();
    let library = Library::open(&place, BUCKET);
    for key in [
        "input/a.json",
        "input/.json",
        "input/x/y.json",
        "input/a.JSON",
        "input/b.Json",
        "input/c.json.gz",
        "input/d.json/",
        "Input/e.json",
        "outra/input/f.json",
        "input.json",
    ] {
        library.put(key, event(key).as_bytes());
    }
    place.ask(&["run", "--once"]);
    let shop = Shop {
        place: &place,
        pipeline: "marketing_place",
        bucket: BUCKET,
    };
    let rows = shop.rows("SELECT key FROM raw_objects ORDER BY key");
    let keys: Vec<&str> = rows
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["input/.json", "input/a.json"]);
    let mut taken = library.objects("input/");
    taken.retain(|object| keys.contains(&object.key.as_str()));
    shop.check(&taken);
}
