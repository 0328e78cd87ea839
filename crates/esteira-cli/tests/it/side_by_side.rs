//! Several pipelines in one process and one bucket: each comes out as if it were alone.

use insta::assert_snapshot;

use crate::objects::{drop_into, event, in_folder};
use crate::place::Place;
use crate::tables::Shop;

const OUTPUT: &str = "\n[output]\ntables = \"tabelas\"\n";

/// A bucket with events for the built-in pipeline under `input/`, and for `loja` under `entrada/`.
fn place() -> (Place, String) {
    let place = Place::new();
    place.pipeline("loja", "pipeline.toml", |text| {
        text.replace("marketing_place", "loja")
            .replace("input/*.json", "entrada/**")
            + OUTPUT
    });
    let bucket = place.folder_bucket("balde");
    let folder = place.path("balde");
    for number in 0..9 {
        drop_into(
            &folder,
            &format!("input/{number}.json"),
            event(&format!("pedido-{}", number % 5)).as_bytes(),
        );
        drop_into(
            &folder,
            &format!("entrada/{number}/x.json"),
            event(&format!("outro-{number}")).as_bytes(),
        );
    }
    drop_into(
        &folder,
        "entrada/ruim.json",
        b"{\"txt_detl_idt_pedi_pgto\": 1}",
    );
    (place, bucket)
}

fn shop<'a>(place: &'a Place, pipeline: &'a str, bucket: &'a str) -> Shop<'a> {
    Shop {
        place,
        pipeline,
        bucket,
    }
}

#[test]
fn two_pipelines_in_one_bucket_both_come_out_right() {
    let (place, bucket) = place();
    let run = [
        "run",
        "marketing_place",
        "loja",
        "--once",
        "--bucket",
        &bucket,
    ];
    let said = place.ask(&run);
    let mut processes: Vec<String> = said
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|record| record["process"].as_str().unwrap().to_owned())
        .collect();
    processes.sort();
    assert_eq!(processes, ["loja", "marketing_place"]);
    let arrived = in_folder(&place.path("balde"), "input/");
    let orders = shop(&place, "marketing_place", &bucket).check(&arrived);
    assert_eq!(orders.orders.len(), 5);
    let arrived = in_folder(&place.path("balde"), "entrada/");
    let others = shop(&place, "loja", &bucket).check(&arrived);
    assert_eq!((others.orders.len(), others.quarantine.len()), (9, 1));
    assert_eq!(place.ask(&run), "", "all are seen");
}

#[test]
fn pipeline_that_fails_does_not_keep_the_other_from_its_end() {
    let (place, bucket) = place();
    place.ask(&["run", "loja", "--once", "--bucket", &bucket]);
    let model = std::fs::read_to_string(place.path("loja/models/orders.sql")).unwrap();
    place.write("loja/models/orders.sql", model.replace("stat_pedi,", ""));
    let answer = place.run(&[
        "run",
        "loja",
        "marketing_place",
        "--once",
        "--bucket",
        &bucket,
    ]);
    assert_eq!(answer.code, Some(6), "{answer:?}");
    assert_snapshot!(answer.err, @r"
    error: pipeline `loja` failed
    caused by: table `orders` has other columns than the pipeline: it has (txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, dat_atui, _source_file, _source_modified, _source_position, _processed_at, _rescued_data), the pipeline gives (txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, dat_atui, _source_file, _source_modified, _source_position, _processed_at, _rescued_data)
    hint: undo the change in the pipeline, or make the tables anew from the originals, with the pipeline's columns: `esteira replay --switch`
    ");
    let arrived = in_folder(&place.path("balde"), "input/");
    shop(&place, "marketing_place", &bucket).check(&arrived);
}

#[test]
fn pipelines_in_each_others_way_do_not_start() {
    let (place, bucket) = place();
    place.pipeline("igual", "schema.sql", |text| text.replace("order id", "id"));
    let two = [
        "run",
        "igual",
        "marketing_place",
        "--once",
        "--bucket",
        &bucket,
    ];
    assert_snapshot!(place.failure(&two), @r"
    exit 3
    error: two pipelines are called `marketing_place`: they would share the ledger `_esteira/marketing_place`
    hint: `esteira check` with the same pipelines tells all of it
    ");
    let mut one_input = two.to_vec();
    one_input[1] = "loja";
    one_input.extend(["--input", "input/*"]);
    assert_snapshot!(place.failure(&one_input), @r"
    exit 2
    error: `--input` is for one pipeline alone
    hint: each takes the path of its own `pipeline.toml`
    ");
    assert!(!place.path("balde/_esteira").exists());
}
