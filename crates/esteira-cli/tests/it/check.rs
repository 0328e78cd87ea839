//! `esteira check`: what it says of pipelines that are right, wrong, doubtful, or in each other's way.

use insta::assert_snapshot;

use crate::place::Place;

fn place_with(file: &str, from: &str, to: &str) -> Place {
    let place = Place::new();
    place.pipeline("loja", file, |text| text.replacen(from, to, 1));
    place
}

#[test]
fn right_pipeline_is_summed_up() {
    let place = Place::new();
    assert_snapshot!(place.shown(&place.run(&["check"])), @r"
    exit 0
    marketing_place: input/*.json → analytics/, originals in raw/marketing_place/
      orders: a row per txt_detl_idt_pedi_pgto, of the event with the newest dat_atui
        txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, dat_atui, _rescued_data
      sellers: a row per idt_venr, of the event with the newest dat_atui
        idt_venr, nom_venr, dat_atui
      products: all rows of the event that stands in orders
        txt_detl_idt_pedi_pgto, nom_item, cod_ofrt_ineo_requ, vlr_oril, vlr_prod, vlr_prod_ofrt_desc, qtd_item_pedi, idt_venr, nom_venr, idt_vrne_venr, cod_vrne_prod, dat_atui
      shipments: all rows of the event that stands in orders
        txt_detl_idt_pedi_pgto, list_envo, dat_atui
    ");
}

#[test]
fn folder_one_stands_in_is_checked() {
    let place = place_with("pipeline.toml", "head = ", "haed = ");
    let mut command = place.command(&["check"]);
    command.current_dir(place.path("loja"));
    let answer = crate::place::Running::new(command).end();
    assert_snapshot!(place.shown(&answer), @r"
    exit 3
    error: ./pipeline.toml:22:1: unknown field `haed`, expected one of `name`, `model`, `kind`, `key`, `head`, `delete_when`, `copy_on_write`, `rule`
    hint: did you mean `head`?
    error: one thing is wrong in .
    ");
}

#[test]
fn doubt_is_told_and_does_not_fail() {
    let place = place_with(
        "models/sellers.sql",
        "WHERE item['idt_venr'] <> ''",
        "WHERE item['nom_venr'] <> ''",
    );
    let answer = place.run(&["check", "loja"]);
    assert_eq!(answer.code, Some(0));
    assert_snapshot!(answer.err, @r"
    warning: loja/models/sellers.sql:2:1: key column `idt_venr` of table `sellers` can be null: events without it give no row
    hint: declare the field NOT NULL (such events go to the quarantine), or leave them out on purpose: `WHERE idt_venr IS NOT NULL`, with the expression that gives `idt_venr`
    ");
}

#[test]
fn answer_for_scripts_has_every_problem_with_its_place() {
    let place = place_with("models/orders.sql", "stat_pedi,", "stat_pedo,");
    let answer = place.run(&["check", "loja", "marketing_place", "--format", "json"]);
    assert_eq!(answer.code, Some(3));
    let said: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let wrong = &said["pipelines"][0];
    assert_eq!(wrong["ok"], false);
    let problem = &wrong["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(problem["file"], "loja/models/orders.sql");
    assert_eq!(
        (&problem["line"], &problem["column"]),
        (&6.into(), &3.into())
    );
    assert_eq!(problem["message"], "there is no column `stat_pedo`");
    let right = &said["pipelines"][1];
    assert_eq!(right["ok"], true);
    assert_eq!(right["tables"][2]["head"], "orders");
    assert_eq!(right["tables"][1]["key"][0], "idt_venr");
    assert_eq!(right["tables"][1]["columns"][2]["type"], "TIMESTAMP");
}

#[test]
fn pipelines_in_each_others_way_are_told_so() {
    let place = place_with("pipeline.toml", "# The marketplace", "# A marketplace");
    assert_snapshot!(place.run(&["check", "loja", "marketing_place"]).err, @r"
    error: two pipelines are called `marketing_place`: they would share the ledger `_esteira/marketing_place`
    error: one thing is wrong in loja and marketing_place
    ");
}

#[test]
fn pipelines_that_share_a_folder_or_read_each_other_are_told_so() {
    let place = place_with(
        "pipeline.toml",
        "name = \"marketing_place\"",
        "name = \"outra\"",
    );
    place.pipeline("curiosa", "pipeline.toml", |text| {
        text.replacen("marketing_place", "curiosa", 1)
            .replace("input/*.json", "**")
            + "[output]\ntables = \"curiosa\"\n"
    });
    assert_snapshot!(place.run(&["check", "marketing_place", "loja"]).err, @r"
    error: table `orders` of `outra` would be in `analytics/orders`, table `orders` of `marketing_place` in `analytics/orders`
    error: table `sellers` of `outra` would be in `analytics/sellers`, table `sellers` of `marketing_place` in `analytics/sellers`
    error: table `products` of `outra` would be in `analytics/products`, table `products` of `marketing_place` in `analytics/products`
    error: table `shipments` of `outra` would be in `analytics/shipments`, table `shipments` of `marketing_place` in `analytics/shipments`
    error: 4 things are wrong in marketing_place and loja
    ");
    assert_snapshot!(place.run(&["check", "marketing_place", "curiosa"]).err, @r"
    error: `curiosa` would take table `orders` of `marketing_place`, in `analytics/orders`, for events
    error: `curiosa` would take table `sellers` of `marketing_place`, in `analytics/sellers`, for events
    error: `curiosa` would take table `products` of `marketing_place`, in `analytics/products`, for events
    error: `curiosa` would take table `shipments` of `marketing_place`, in `analytics/shipments`, for events
    error: `curiosa` would take the quarantine of `marketing_place`, in `quarantine/marketing_place`, for events
    error: 5 things are wrong in marketing_place and curiosa
    ");
}
