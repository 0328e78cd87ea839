//! The orders' process in Rust: the same tables as its folder, by the same oracle, in any order and killed
//! after every write.

use std::time::Duration;

use datafusion::assert_batches_eq;
use datafusion::common::UnnestOptions;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_ext::FieldAccessor as _;
use datafusion::prelude::{Expr, ident, lit};
use esteira::{
    After, Bucket, DeclaredSchema, Environment, Limits, Maintenance, Notifications, Pipeline,
    PipelineFiles, Process, SourceRules, Submit, Table,
};
use esteira_s3::{Simulator, SimulatorConfig};
use esteira_testkit::history::{History, Shape};
use proptest::prelude::*;

use crate::account::verify;
use crate::crashes::killed_everywhere;
use crate::orders::runtime;
use crate::world::{TABLES, World};

/// The models of `pipelines/marketing_place` as functions.
struct Order;

const ORDER: [&str; 5] = [
    "cod_idef_clie",
    "dat_hor_tran",
    "stat_pgto",
    "stat_pedi",
    "_rescued_data",
];
const ITEM: [&str; 10] = [
    "nom_item",
    "cod_ofrt_ineo_requ",
    "vlr_oril",
    "vlr_prod",
    "vlr_prod_ofrt_desc",
    "qtd_item_pedi",
    "idt_venr",
    "nom_venr",
    "idt_vrne_venr",
    "cod_vrne_prod",
];
const ID: &str = "txt_detl_idt_pedi_pgto";

impl Process for Order {
    fn version(&self) -> String {
        "dat_atui".to_owned()
    }

    fn tables(&self) -> Vec<Table> {
        vec![
            // A filter above, so that the event is added below it.
            Table::latest("orders", [ID]).dataframe(|events| {
                let columns = [ID].into_iter().chain(ORDER).chain(["dat_atui"]);
                events
                    .select(columns.map(ident).collect::<Vec<_>>())?
                    .filter(ident(ID).not_eq(lit("")))
            }),
            Table::child("products", "orders").dataframe(|events| {
                let id = std::iter::once(ident(ID));
                let columns = id.chain(ITEM.map(of_item)).chain([ident("dat_atui")]);
                items(events)?.select(columns.collect::<Vec<_>>())
            }),
            Table::latest("sellers", ["idt_venr"]).dataframe(|events| {
                let seller = of_item("idt_venr");
                let columns = vec![seller.clone(), of_item("nom_venr"), ident("dat_atui")];
                items(events)?
                    .filter(seller.not_eq(lit("")))?
                    .select(columns)
            }),
            Table::child("shipments", "orders").dataframe(|events| {
                events.select(["txt_detl_idt_pedi_pgto", "list_envo", "dat_atui"].map(ident))
            }),
        ]
    }
}

fn items(events: DataFrame) -> Result<DataFrame, DataFusionError> {
    let options = UnnestOptions::new().with_preserve_nulls(false);
    events.unnest_columns_with_options(&["list_item_pedi"], options)
}

fn of_item(name: &str) -> Expr {
    ident("list_item_pedi").field(name).alias(name)
}

struct OrderSchema;

impl OrderSchema {
    fn get() -> &'static str {
        include_str!("../../../../../pipelines/marketing_place/schema.sql")
    }
}

/// The same with everything that a process can say by itself.
struct MarketingPlace;

impl Process for MarketingPlace {
    fn name(&self) -> String {
        "marketing_place".to_owned()
    }

    fn input(&self) -> String {
        "input/**".to_owned()
    }

    fn schema(&self) -> DeclaredSchema {
        OrderSchema::get().into()
    }

    fn version(&self) -> String {
        Order.version()
    }

    fn tables(&self) -> Vec<Table> {
        Order.tables()
    }
}

/// The call of the design, but for where its S3 is.
#[tokio::test(flavor = "multi_thread")]
async fn submitted_process_runs_on_s3() {
    let data = tempfile::tempdir().unwrap();
    let config = SimulatorConfig {
        dir: data.path().to_owned(),
        port: 0,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await.unwrap();
    let settings = [
        ("AWS_ENDPOINT_URL", simulator.endpoint()),
        ("AWS_ACCESS_KEY_ID", "dummy".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "dummy".to_owned()),
    ];
    let environment: Environment = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Bucket::create("s3://itau-shop", &environment)
        .await
        .unwrap();
    let bucket = Bucket::open("s3://itau-shop", &environment).unwrap();
    for (name, id, status) in [
        ("a", "p1", "Novo"),
        ("b", "p2", "Enviado"),
        ("c/d", "p3", "Novo"),
    ] {
        let event = format!(
            "{{\"txt_detl_idt_pedi_pgto\":\"{id}\",\"stat_pedi\":\"{status}\",\
             \"dat_atui\":\"2024-05-01T00:00:00Z\"}}"
        );
        let key = format!("input/{name}.json");
        bucket.put(&key, event.into()).await.unwrap();
    }
    let submit = || {
        Submit::new()
            .bucket("s3://itau-shop")
            .input("input/*.json")
            .output("analytics")
            .process_name("marketing_place")
            .process(Order)
            .schema(OrderSchema::get())
            .environment(environment.clone())
    };
    // Such a run can be a task of its own.
    let run = tokio::spawn(submit().once(true).run());
    let summary = run.await.unwrap().unwrap();
    assert_eq!((summary.batches, summary.events), (1, 2));
    let lake = submit().lake().await.unwrap();
    let session = lake.session().await.unwrap();
    let rows = session
        .sql("SELECT txt_detl_idt_pedi_pgto, stat_pedi FROM orders ORDER BY 1")
        .await
        .unwrap();
    assert_batches_eq!(
        [
            "+------------------------+-----------+",
            "| txt_detl_idt_pedi_pgto | stat_pedi |",
            "+------------------------+-----------+",
            "| p1                     | Novo      |",
            "| p2                     | Enviado   |",
            "+------------------------+-----------+",
        ],
        &rows.collect().await.unwrap()
    );
    let keys = bucket.list("raw/marketing_place/").await.unwrap();
    assert_eq!(keys.len(), 2);
    simulator.shutdown().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn frames_equal_the_oracle_for_any_order_and_split(seed in any::<u64>(), batch in 1usize..8) {
        runtime().block_on(async {
            let history = History::random(seed, &Shape::default());
            let mut world = World::running(MarketingPlace).with_batches_of(batch).restless();
            for arrival in history.arrivals(seed ^ 1) {
                world.arrive(&arrival).await;
                world.run().await.unwrap();
            }
            world.check().await;
            let checked = verify(&world).await.unwrap();
            assert!(checked.holds(), "{checked:#?}");
            assert_eq!(checked.tables.len(), TABLES.len() + 1);
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_a_process_in_rust_after_every_write_replays_cleanly() {
    let shape = Shape {
        orders: 4,
        entries: 10,
        ..Shape::default()
    };
    let arrivals = History::random(5, &shape).arrivals(5);
    let new = || World::running(MarketingPlace).with_batches_of(2).restless();
    let kills = killed_everywhere(new, &arrivals, World::check).await;
    assert!(kills > 20, "only {kills} kills");
}

/// A folder whose interface is used method by method, as by a process in Rust.
struct TakenApart(PipelineFiles);

/// The same with another source.
struct Sourced(TakenApart, SourceRules);

impl Process for Sourced {
    fn name(&self) -> String {
        self.0.name()
    }

    fn inputs(&self) -> Vec<String> {
        vec!["north/*.json".to_owned(), "south/*.json".to_owned()]
    }

    fn source(&self) -> SourceRules {
        self.1.clone()
    }

    fn schema(&self) -> DeclaredSchema {
        self.0.schema()
    }

    fn version(&self) -> String {
        self.0.version()
    }

    fn tables(&self) -> Vec<Table> {
        self.0.tables()
    }
}

#[tokio::test]
async fn source_of_a_process_in_rust_is_checked_and_kept() {
    let submit = |rules: &SourceRules| {
        let files = Pipeline::files("marketing_place").unwrap();
        Submit::new().process(Sourced(TakenApart(files), rules.clone()))
    };
    let archive = |folder: &str| SourceRules {
        min_age: Duration::from_millis(1500),
        max_age: Some(Duration::from_mins(90)),
        after: After::Archive {
            folder: folder.to_owned(),
        },
        notifications: Some(Notifications {
            queue: "orders".to_owned(),
            list_every: Duration::from_secs(30),
        }),
    };
    let apart = archive("done/orders");
    let pipeline = submit(&apart).load().await.unwrap();
    assert_eq!(pipeline.source, apart);
    assert_eq!(pipeline.input.to_string(), "north/*.json, south/*.json");
    let error = submit(&archive("north/done")).load().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "process `marketing_place`: the archive `north/done/` is among what is listed for the input, \
         all of `north/`"
    );
}

impl Process for TakenApart {
    fn name(&self) -> String {
        self.0.name()
    }

    fn input(&self) -> String {
        self.0.input()
    }

    fn source(&self) -> SourceRules {
        self.0.source()
    }

    fn schema(&self) -> DeclaredSchema {
        self.0.schema()
    }

    fn version(&self) -> String {
        self.0.version()
    }

    fn tables(&self) -> Vec<Table> {
        self.0.tables()
    }

    fn output(&self) -> String {
        self.0.output()
    }

    fn raw(&self) -> String {
        self.0.raw()
    }

    fn quarantine(&self) -> String {
        self.0.quarantine()
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn maintenance(&self) -> Maintenance {
        self.0.maintenance()
    }
}

#[tokio::test]
async fn folder_method_by_method_is_the_same_pipeline() {
    for name in ["marketing_place", "product_reviews"] {
        let files = Pipeline::files(name).unwrap();
        let whole = files.load().await.unwrap();
        let apart = Submit::new()
            .process(TakenApart(files))
            .load()
            .await
            .unwrap();
        // Whatever is in it, but where it was written.
        let plain = |pipeline: &Pipeline| {
            let tables = pipeline.tables.iter().map(|table| {
                let rules = table
                    .rules
                    .iter()
                    .map(|r| (&r.name, &r.condition, r.action));
                format!(
                    "{} {:?} {:?} {:?} {:?} {:?} {} {:?}",
                    table.name,
                    table.key,
                    table.kind,
                    table.model.sql(),
                    table.model.table_schema(),
                    table.delete_when.as_ref().map(esteira::Condition::text),
                    table.copy_on_write,
                    rules.collect::<Vec<_>>()
                )
            });
            let tables: Vec<String> = tables.collect();
            (
                (pipeline.name.clone(), format!("{:?}", pipeline.input)),
                (pipeline.tables_path.clone(), pipeline.raw_path.clone()),
                (pipeline.quarantine_path.clone(), pipeline.schema.clone()),
                (pipeline.version.clone(), tables),
                (pipeline.limits, pipeline.maintenance),
                pipeline.source.clone(),
            )
        };
        assert_eq!(plain(&whole), plain(&apart));
        assert!(!whole.tables.is_empty());
    }
}
