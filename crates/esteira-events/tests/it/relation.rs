//! The events relation as a whole.

use crate::fixture::{MARKETPLACE, decode};
use insta::assert_snapshot;

const EVENT: &str = r#"{"txt_detl_idt_pedi_pgto":"p1","cod_idef_clie":"c1",
    "dat_hor_tran":"2018-08-13T14:24:24.000-03:00",
    "list_item_pedi":[{"nom_item":"Beleza e Sa\u00fade","vlr_oril":110.32,"vlr_prod":110.325,
        "qtd_item_pedi":1,"idt_venr":"v1","vlr_fret":15.87},{"nom_item":"Pá","vlr_prod":2}],
    "list_envo":[{"cod_tipo_entg":"NORMAL","list_item_envo":[{"qtd_prod":1,"cod_prod":"x"}]}],
    "stat_pgto":"PAID","dat_atui":"2018-08-28T21:41:36.1234567Z","canal":"app"}"#;

#[test]
fn event_with_everything_becomes_one_row_of_the_relation() {
    let decoded = decode(MARKETPLACE, EVENT);
    let schema = decoded.batch.schema();
    let row: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), decoded.column(field.name())[0]))
        .collect();
    assert_snapshot!(row.join("\n"), @r#"
    txt_detl_idt_pedi_pgto: p1
    cod_idef_clie: c1
    dat_hor_tran: 2018-08-13T17:24:24Z
    stat_pgto: PAID
    stat_pedi: null
    dat_atui: 2018-08-28T21:41:36.123456Z
    list_item_pedi: [{nom_item: Beleza e Saúde, cod_ofrt_ineo_requ: null, idt_venr: v1, nom_venr: null, idt_vrne_venr: null, cod_vrne_prod: null, vlr_oril: 110.32, vlr_prod: 110.32, vlr_prod_ofrt_desc: null, qtd_item_pedi: 1}, {nom_item: Pá, cod_ofrt_ineo_requ: null, idt_venr: null, nom_venr: null, idt_vrne_venr: null, cod_vrne_prod: null, vlr_oril: null, vlr_prod: 2.00, vlr_prod_ofrt_desc: null, qtd_item_pedi: null}]
    list_envo: [{cod_tipo_entg: NORMAL, cod_venr: null, nom_stat_entg: null, dat_emis_cpvt: null, list_item_envo: [{cod_prod: x, cod_prod_venr: null, stat_entg: null, qtd_prod: 1}]}]
    _rescued_data: {"list_item_pedi":[{"vlr_fret":15.87},{}],"canal":"app"}
    _source_file: input/a.json
    _source_modified: 1970-01-01T00:00:01Z
    _source_position: 0
    "#);
}

#[test]
fn event_with_required_fields_only_leaves_the_rest_null() {
    let object =
        r#"{"txt_detl_idt_pedi_pgto":"p1","dat_atui":"2018-08-28T21:41:36Z","list_envo":[]}"#;
    let decoded = decode(MARKETPLACE, object);
    assert_eq!(decoded.column("list_item_pedi"), ["null"]);
    assert_eq!(decoded.column("list_envo"), ["[]"]);
    assert_eq!(decoded.column("stat_pedi"), ["null"]);
    assert_eq!(decoded.column("_source_file"), ["input/a.json"]);
    assert_eq!(decoded.column("_source_modified"), ["1970-01-01T00:00:01Z"]);
}
