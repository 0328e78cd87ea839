//! A pipeline that changes, on the command line: what is added, what is refused and how, and where new fields
//! come from.

use insta::assert_snapshot;
use serde_json::Value;

use crate::place::Place;

/// An order with more than the schema names.
fn order(id: &str, second: u32, more: &str, of_item: &str) -> String {
    format!(
        r#"{{"txt_detl_idt_pedi_pgto":"{id}","stat_pedi":"NOVO","dat_atui":"2024-01-01T00:00:{second:02}Z",
            "list_item_pedi":[{{"idt_venr":"v1","vlr_prod":1.5,"qtd_item_pedi":2{of_item}}}]{more}}}"#
    )
}

struct Change {
    place: Place,
    bucket: String,
}

impl Change {
    /// One order in the tables of the pipeline `loja`, a copy of the built-in one.
    fn new() -> Self {
        let place = Place::new();
        let bucket = place.folder_bucket("balde");
        place.pipeline("loja", "pipeline.toml", |text| {
            text.replace(r#"name = "marketing_place""#, r#"name = "loja""#)
        });
        let change = Self { place, bucket };
        change.order("a", 1, "", "");
        change.run();
        change
    }

    fn order(&self, id: &str, second: u32, more: &str, of_item: &str) {
        let name = format!("balde/input/{id}-{second}.json");
        self.place.write(&name, order(id, second, more, of_item));
    }

    fn ask(&self, verb: &[&str]) -> String {
        self.place
            .ask(&[verb, &["--bucket", &self.bucket]].concat())
    }

    fn run(&self) -> Value {
        serde_json::from_str(&self.ask(&["run", "loja", "--once"])).unwrap()
    }

    /// What is said to a run, which fails.
    fn refused(&self) -> String {
        let run = ["run", "loja", "--once", "--bucket", &self.bucket];
        self.place.failure(&run)
    }

    fn sql(&self, query: &str) -> String {
        self.ask(&["sql", "--pipeline", "loja", "--format", "csv", query])
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.place.path("loja").join(file)).unwrap()
    }

    /// The end of `esteira status`.
    fn status(&self) -> String {
        let told = self.ask(&["status", "loja"]);
        let told = told
            .lines()
            .skip_while(|line| !line.starts_with("quarantine"));
        told.collect::<Vec<_>>().join("\n")
    }

    /// Two batches of events with fields that the schema does not name.
    fn more_fields(&self) {
        self.order("b", 2, r#","canal":"app","misto":1"#, r#","cor":"azul""#);
        self.order("c", 2, r#","canal":"loja\u001b[31m","misto":"um""#, "");
        self.run();
        self.order(
            "d",
            3,
            r#","canal":null,"endereco":{"cep":"01310","lote":7}"#,
            "",
        );
        self.run();
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{from} in {file}");
        self.place
            .write(&format!("loja/{file}"), text.replacen(from, to, 1));
    }
}

#[test]
fn column_that_is_new_is_added_and_the_way_back_is_refused() {
    let change = Change::new();
    change.change(
        "models/orders.sql",
        "  stat_pedi,",
        "  stat_pedi,\n  1 AS mais,",
    );
    change.order("b", 2, "", "");
    assert_eq!(change.run()["batch"], 2);
    let rows =
        change.sql("SELECT txt_detl_idt_pedi_pgto AS id, stat_pedi, mais FROM orders ORDER BY 1");
    assert_snapshot!(rows, @r"
    id,stat_pedi,mais
    a,NOVO,
    b,NOVO,1
    ");
    change.change(
        "models/orders.sql",
        "  stat_pedi,\n  1 AS mais,",
        "  stat_pedi AS status,",
    );
    assert_snapshot!(change.refused(), @r"
    exit 6
    error: table `orders` has other columns than the pipeline: `stat_pedi` STRING is in the table, not in the pipeline; `mais` BIGINT is in the table, not in the pipeline
    hint: undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    ");
}

#[test]
fn type_that_holds_more_waits_for_the_upgrade() {
    let change = Change::new();
    change.change(
        "schema.sql",
        "vlr_prod: DECIMAL(18,2)",
        "vlr_prod: DECIMAL(20,4)",
    );
    change.order("b", 2, "", "");
    assert_snapshot!(change.refused(), @r"
    exit 6
    error: table `products` has other columns than the pipeline: `vlr_prod` is DECIMAL(18,2) in the table, DECIMAL(20,4) in the pipeline
    hint: the files of the table have to be written again for that: stop the job and `esteira upgrade`
    ");
    assert_snapshot!(change.ask(&["upgrade", "loja"]), @r"
    orders       stays as it is
    sellers      stays as it is
    products     1 files written again: `vlr_prod` was DECIMAL(18,2), is DECIMAL(20,4)
    shipments    stays as it is
    quarantine   stays as it is
    ");
    let again = ["upgrade", "loja", "--table", "products", "--format", "json"];
    assert_snapshot!(change.ask(&again), @r#"{"deletion_vectors":false,"files_written_again":0,"table":"products","upgraded":false,"wider_columns":[]}"#);
    assert_eq!(change.run()["batch"], 2);
    assert_snapshot!(change.sql("SELECT vlr_prod, sum(qtd_item_pedi) AS n FROM products GROUP BY 1"), @r"
    vlr_prod,n
    1.5000,4
    ");
}

#[test]
fn types_that_hold_less_or_something_else_are_refused_with_the_reason() {
    let mut told = Vec::new();
    for (from, to) in [
        ("vlr_prod: DECIMAL(18,2)", "vlr_prod: DOUBLE"),
        ("vlr_prod: DECIMAL(18,2)", "vlr_prod: DECIMAL(18,4)"),
        ("qtd_item_pedi: BIGINT", "qtd_item_pedi: INT"),
        ("qtd_item_pedi: BIGINT", "qtd_item_pedi: STRING"),
    ] {
        let change = Change::new();
        change.change("schema.sql", from, to);
        let error = change.refused();
        let line = error.lines().nth(1).unwrap();
        let (_, difference) = line.split_once("pipeline: ").unwrap();
        told.push(difference.to_owned());
    }
    assert_snapshot!(told.join("\n"), @r"
    `vlr_prod` is DECIMAL(18,2) in the table, DOUBLE in the pipeline: a float does not keep every digit
    `vlr_prod` is DECIMAL(18,2) in the table, DECIMAL(18,4) in the pipeline: not every value that is there would fit
    `qtd_item_pedi` is BIGINT in the table, INT in the pipeline: not every value that is there would fit
    `qtd_item_pedi` is BIGINT in the table, STRING in the pipeline: these are values of another kind
    ");
    let change = Change::new();
    change.change(
        "models/products.sql",
        "item['vlr_prod'] ",
        "CAST(item['vlr_prod'] AS BIGINT) ",
    );
    change.change(
        "models/products.sql",
        "  item['nom_item']           AS nom_item,\n",
        "",
    );
    change.change("models/products.sql", "AS idt_vrne_venr", "AS variante");
    assert_snapshot!(change.refused(), @r"
    exit 6
    error: table `products` has other columns than the pipeline: `vlr_prod` is DECIMAL(18,2) in the table, BIGINT in the pipeline: digits behind the point would be lost; `nom_item` STRING is in the table, not in the pipeline; `idt_vrne_venr` STRING is in the table, not in the pipeline
    hint: undo the change in the pipeline, or build the tables anew from the originals: `esteira replay --switch`
    ");
}

#[test]
fn fields_that_are_only_rescued_are_counted_and_offered() {
    let change = Change::new();
    assert_snapshot!(change.status(), @"quarantine   empty");
    let nothing = ["infer", "--evolve", "loja", "--bucket", &change.bucket];
    let nothing = change.place.run(&nothing);
    assert_snapshot!(change.place.shown(&nothing), @r"
    exit 0
    the schema names every field that was counted
    looked at 0 objects of 0 batches: 0 events have fields that the schema does not name
    ");

    change.more_fields();
    assert_snapshot!(change.status(), @r"
    quarantine   empty
    not named    $.canal in 3 events since batch 2, 1 of them in the last batch
    not named    $.misto in 2 events since batch 2, 0 of them in the last batch
    not named    $.endereco in 1 events since batch 3, 1 of them in the last batch
    not named    $.list_item_pedi[].cor in 1 events since batch 2, 0 of them in the last batch
                 the schema does not name these fields; `esteira infer --evolve` offers them
    ");
    let json: Value =
        serde_json::from_str(&change.ask(&["status", "loja", "--format", "json"])).unwrap();
    assert_eq!(json["unnamed_fields"][0]["path"], "$.canal");
    assert_eq!(json["unnamed_fields"][0]["since_batch"], 2);
    let history = change.ask(&["history", "loja"]);
    let history: Vec<&str> = history.lines().filter(|line| line.contains("$.")).collect();
    assert_snapshot!(history.join("\n"), @r"
    $.canal, which the schema does not name, in 2 events
    $.list_item_pedi[].cor, which the schema does not name, in 1 events
    $.misto, which the schema does not name, in 2 events
    $.canal, which the schema does not name, in 1 events
    $.endereco, which the schema does not name, in 1 events
    ");

    let before = change.read("schema.sql");
    let offered = change
        .place
        .run(&["infer", "--evolve", "loja", "--bucket", &change.bucket]);
    assert_snapshot!(change.place.shown(&offered), @r"
    exit 0
    loja/schema.sql, behind the last column:
      canal STRING  -- in 3 events, like `app`
      endereco STRUCT<
        cep: STRING,
        lote: BIGINT
      >  -- in 1 events
    loja/schema.sql, in `list_item_pedi`, behind its last field:
      cor: STRING  -- in 1 events, like `azul`
    in models:
      canal
      endereco
      item['cor'] AS cor  -- `item` being what is in `list_item_pedi`
    left out, and kept in `_rescued_data`:
      $.misto: it is of several kinds: numbers like `1`, strings like `um`
    next: esteira infer --evolve loja --write
    looked at 3 objects of 2 batches: 3 events have fields that the schema does not name
    ");
    assert_eq!(change.read("schema.sql"), before, "only shown");
    let few = ["infer", "--evolve", "loja", "--most", "1"];
    assert_snapshot!(change.ask(&few), @r"
    loja/schema.sql, behind the last column:
      endereco STRUCT<
        cep: STRING,
        lote: BIGINT
      >  -- in 1 events
    in models:
      endereco
    left out, and kept in `_rescued_data`:
      $.canal: it is always null
    not in the objects that were looked at, `--most` lets more be: $.list_item_pedi[].cor, $.misto
    next: esteira infer --evolve loja --write
    ");
}

/// From a field that nobody expected to a column, by what the command says.
#[test]
fn fields_that_are_offered_become_columns() {
    let change = Change::new();
    change.more_fields();
    let written = change.ask(&["infer", "--evolve", "loja", "--write"]);
    assert_snapshot!(written.lines().last().unwrap(), @"loja/schema.sql has 3 fields more; next: select them in models, then esteira check loja");
    let after = change.read("schema.sql");
    let kept: Vec<&str> = after
        .lines()
        .filter(|line| {
            !line.contains("  -- in ") && !["cep", "lote"].iter().any(|f| line.contains(f))
        })
        .collect();
    let added: Vec<&str> = after.lines().filter(|line| !kept.contains(line)).collect();
    assert_snapshot!(added.join("\n"), @r"
      cor: STRING  -- in 1 events, like `azul`
    canal STRING,  -- in 3 events, like `app`
      cep: STRING,
      lote: BIGINT
    >  -- in 1 events
    ");
    change.change(
        "models/orders.sql",
        "  dat_atui,",
        "  dat_atui,\n  canal,\n  endereco['cep'] AS cep,",
    );
    change.change(
        "models/products.sql",
        "  dat_atui\n",
        "  item['cor'] AS cor,\n  dat_atui\n",
    );
    change.place.ask(&["check", "loja"]);
    let told = change.ask(&["status", "loja"]);
    assert!(told.contains("; the pipeline has changed, "), "{told}");
    change.order(
        "e",
        4,
        r#","canal":"app","endereco":{"cep":"02000","lote":1}"#,
        r#","cor":"verde""#,
    );
    change.run();
    assert_snapshot!(change.sql("SELECT txt_detl_idt_pedi_pgto AS id, canal, cep, _rescued_data IS NULL AS named FROM orders ORDER BY 1"), @r"
    id,canal,cep,named
    a,,,true
    b,,,false
    c,,,false
    d,,,false
    e,app,02000,true
    ");
    assert_snapshot!(change.sql("SELECT txt_detl_idt_pedi_pgto AS id, cor FROM products ORDER BY 1"), @r"
    id,cor
    a,
    b,
    c,
    d,
    e,verde
    ");
    let status = change.status();
    assert!(
        !status.contains("canal") && status.contains("$.misto"),
        "{status}"
    );
    let history = change.ask(&["history", "loja"]);
    assert!(history.contains("other rules from here on: "), "{history}");

    // Rows of the batches before were made by other rules: not what the originals make now, and no damage.
    let verify = change
        .place
        .run(&["verify", "loja", "--bucket", &change.bucket]);
    assert_eq!(verify.code, Some(10), "{verify:?}");
    let told: Vec<&str> = verify
        .out
        .lines()
        .filter(|line| line.contains("rows differ") || line.contains("different   "))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    3 rows differ, all made by other rules than the pipeline has now, in batches 2 to 3
    different   txt_detl_idt_pedi_pgto=b, from input/b-2.json event 0: _rescued_data is {"list_item_pedi":[{"cor":"azul"}],"canal":"app","misto":1} instead of {"misto":1}; canal is null instead of app (other rules)
    different   txt_detl_idt_pedi_pgto=c, from input/c-2.json event 0: _rescued_data is {"canal":"loja\u001b[31m","misto":"um"} instead of {"misto":"um"}; canal is null instead of loja\u{1b}[31m (other rules)
    different   txt_detl_idt_pedi_pgto=d, from input/d-3.json event 0: _rescued_data is {"canal":null,"endereco":{"cep":"01310","lote":7}} instead of null; cep is null instead of 01310 (other rules)
    1 rows differ, all made by other rules than the pipeline has now, in batch 2
    different   txt_detl_idt_pedi_pgto=b, from input/b-2.json event 0: cor is null instead of azul (other rules)
    "#);
    let error: Vec<&str> = verify
        .err
        .lines()
        .filter(|line| line.contains(": "))
        .collect();
    assert_snapshot!(error.join("\n"), @r"
    error: made by other rules than the pipeline has now: orders, products
    hint: these rows may be right by the rules of their batches; `esteira replay --switch` makes all rows by the rules of today
    ");
}

#[test]
fn pipeline_that_is_built_in_is_only_told_of() {
    let place = Place::new();
    let bucket = place.folder_bucket("balde");
    place.write("balde/input/a.json", order("a", 1, r#","canal":"app""#, ""));
    place.ask(&["run", "--once", "--bucket", &bucket]);
    let answer = place.run(&["infer", "--evolve", "--bucket", &bucket]);
    assert_snapshot!(place.shown(&answer), @r"
    exit 0
    schema.sql, behind the last column:
      canal STRING  -- in 1 events, like `app`
    in models:
      canal
    next: copy the folder of this built-in pipeline, and add them there
    looked at 1 objects of 1 batches: 1 events have fields that the schema does not name
    ");
    let answer = place.run(&["infer", "--evolve", "--write", "--bucket", &bucket]);
    assert_eq!(answer.code, Some(2));
    assert_snapshot!(answer.err, @r"
    looked at 1 objects of 1 batches: 1 events have fields that the schema does not name
    error: a pipeline that is built in cannot be changed
    hint: its files are in `pipelines/` of the sources: copy the folder, and run that
    ");
    let two = ["infer", "--evolve", "a", "b", "--bucket", &bucket];
    assert_snapshot!(place.failure(&two), @r"
    exit 2
    error: `--evolve` is for one pipeline alone
    hint: name its folder
    ");
}
