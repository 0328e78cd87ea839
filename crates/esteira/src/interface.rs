//! The interface: what a process says of itself, and how it is said in Rust.
//!
//! Comes in: nothing. Goes out: a [`Definition`], what everything that checks, runs and reads a pipeline
//! begins with. A process is a type with [`Process`]: written in Rust by its methods, or read from a
//! folder ([`PipelineFiles`](crate::PipelineFiles)). What is right and what is wrong about either is told
//! by `pipeline`; running it is [`Submit`](crate::Submit).

use std::fmt;
use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::ScalarUDF;
use esteira_events::{EventSchema, SchemaError, SchemaProblem};

use crate::pipeline::{Limits, Maintenance, PipelineFiles, RuleAction, SourceRules};

/// What an event is and which tables it makes.
///
/// Only [`version`](Process::version) and [`tables`](Process::tables) have to be written. What is left out
/// is said to [`Submit`](crate::Submit), or has a default. Every method is called when the process is
/// loaded, and everything is checked before the first object is read.
///
/// ```
/// use esteira::{DeclaredSchema, Process, Table};
///
/// struct Refunds;
///
/// impl Process for Refunds {
///     fn name(&self) -> String {
///         "refunds".into()
///     }
///     fn input(&self) -> String {
///         "refunds/*.json".into()
///     }
///     fn schema(&self) -> DeclaredSchema {
///         "CREATE TABLE refunds (id STRING NOT NULL, at TIMESTAMP NOT NULL, amount DECIMAL(18,2))".into()
///     }
///     fn version(&self) -> String {
///         "at".into()
///     }
///     fn tables(&self) -> Vec<Table> {
///         vec![Table::latest("refunds", ["id"]).sql("SELECT id, amount, at FROM events")]
///     }
/// }
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let pipeline = esteira::Submit::new().process(Refunds).load().await?;
/// # assert_eq!(pipeline.raw_path, "raw/refunds");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The trait is object-safe, and a `Box<dyn Process>` or `Arc<dyn Process>` is a process. New methods
/// will have defaults.
pub trait Process: Send + Sync {
    /// Its name: the ledger and the originals are kept under it. Letters, digits, `_`, `-` and `.`.
    /// [`Submit::process_name`](crate::Submit::process_name) overrides it; one of the two has to say it.
    fn name(&self) -> String {
        String::new()
    }

    /// Which objects it takes: a glob with Hadoop's rules, such as `input/*.json`.
    /// [`Submit::input`](crate::Submit::input) overrides it; one of the two has to say it.
    fn input(&self) -> String {
        String::new()
    }

    /// The same for a process that takes several paths: all that one of them matches.
    fn inputs(&self) -> Vec<String> {
        let input = self.input();
        if input.is_empty() {
            Vec::new()
        } else {
            vec![input]
        }
    }

    /// Which of these objects are taken, and what becomes of them once they were.
    fn source(&self) -> SourceRules {
        SourceRules::default()
    }

    /// What an event is. [`Submit::schema`](crate::Submit::schema) overrides it; one of the two has to say
    /// it.
    fn schema(&self) -> DeclaredSchema {
        DeclaredSchema::default()
    }

    /// The event's field that says which of two events is newer: a `TIMESTAMP NOT NULL` of the schema.
    fn version(&self) -> String;

    /// Its tables.
    fn tables(&self) -> Vec<Table>;

    /// Functions that its SQL may call: in models, rules and `delete_when`.
    /// [`Submit::function`](crate::Submit::function) adds others.
    ///
    /// Such a function depends on its arguments alone (`Volatility::Immutable`), gives null rather than
    /// fail, and has a name of small letters, digits and `_` that no function of the engine has.
    fn functions(&self) -> Vec<ScalarUDF> {
        Vec::new()
    }

    /// A text that changes whenever the rows do for a reason that cannot be seen from outside: another
    /// body of a function. It is part of the [fingerprint](crate::Pipeline::fingerprint), which is in every
    /// batch's record. SQL, schema, keys, rules, the plan of a model that is written in Rust, names and
    /// signatures of functions are in it anyway. [`Submit::revision`](crate::Submit::revision) overrides it.
    fn revision(&self) -> String {
        String::new()
    }

    /// The folder of its tables; empty is `analytics`. [`Submit::output`](crate::Submit::output) overrides it.
    fn output(&self) -> String {
        String::new()
    }

    /// The folder of its originals; empty is `raw/` and its name.
    fn raw(&self) -> String {
        String::new()
    }

    /// The place of its quarantine; empty is `quarantine/` and its name.
    fn quarantine(&self) -> String {
        String::new()
    }

    /// How much it takes at once.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// How its tables are kept small.
    fn maintenance(&self) -> Maintenance {
        Maintenance::default()
    }

    /// All of this in one. Not for writing a process: it is there for those that are written elsewhere, as
    /// in a folder, and for passing on another process's as it is.
    fn definition(&self) -> Definition {
        Definition::of(Base::Rust(Box::new(Declared {
            name: self.name(),
            inputs: self.inputs(),
            source: self.source(),
            schema: self.schema(),
            version: self.version(),
            tables: self.tables(),
            functions: self.functions(),
            revision: self.revision(),
            output: self.output(),
            raw: self.raw(),
            quarantine: self.quarantine(),
            limits: self.limits(),
            maintenance: self.maintenance(),
        })))
    }
}

macro_rules! pass_on {
    ($($pointer:ident),*) => {$(
        impl<P: Process + ?Sized> Process for $pointer<P> {
            fn name(&self) -> String {
                (**self).name()
            }
            fn input(&self) -> String {
                (**self).input()
            }
            fn inputs(&self) -> Vec<String> {
                (**self).inputs()
            }
            fn source(&self) -> SourceRules {
                (**self).source()
            }
            fn schema(&self) -> DeclaredSchema {
                (**self).schema()
            }
            fn version(&self) -> String {
                (**self).version()
            }
            fn tables(&self) -> Vec<Table> {
                (**self).tables()
            }
            fn functions(&self) -> Vec<ScalarUDF> {
                (**self).functions()
            }
            fn revision(&self) -> String {
                (**self).revision()
            }
            fn output(&self) -> String {
                (**self).output()
            }
            fn raw(&self) -> String {
                (**self).raw()
            }
            fn quarantine(&self) -> String {
                (**self).quarantine()
            }
            fn limits(&self) -> Limits {
                (**self).limits()
            }
            fn maintenance(&self) -> Maintenance {
                (**self).maintenance()
            }
            fn definition(&self) -> Definition {
                (**self).definition()
            }
        }
    )*};
}

pass_on!(Box, Arc);

/// The schema of an event: made of DDL, or of an [`EventSchema`] that was built. One that is wrong is told
/// of when the process is loaded.
#[derive(Debug, Clone, Default)]
pub struct DeclaredSchema(pub(crate) SchemaText);

#[derive(Debug, Clone, Default)]
pub(crate) enum SchemaText {
    #[default]
    NotSaid,
    Ddl(String),
    Built(Arc<EventSchema>),
    Wrong(SchemaError),
    Unbuilt(SchemaProblem),
}

/// `CREATE TABLE …`, with Spark's type names.
impl From<&str> for DeclaredSchema {
    fn from(ddl: &str) -> Self {
        Self(SchemaText::Ddl(ddl.to_owned()))
    }
}

/// `CREATE TABLE …`, with Spark's type names.
impl From<String> for DeclaredSchema {
    fn from(ddl: String) -> Self {
        Self(SchemaText::Ddl(ddl))
    }
}

impl From<EventSchema> for DeclaredSchema {
    fn from(schema: EventSchema) -> Self {
        Self(SchemaText::Built(Arc::new(schema)))
    }
}

/// What [`EventSchema::parse`] gives.
impl From<Result<EventSchema, SchemaError>> for DeclaredSchema {
    fn from(parsed: Result<EventSchema, SchemaError>) -> Self {
        parsed.map_or_else(|error| Self(SchemaText::Wrong(error)), Self::from)
    }
}

/// What [`EventSchema::new`] gives.
impl From<Result<EventSchema, SchemaProblem>> for DeclaredSchema {
    fn from(built: Result<EventSchema, SchemaProblem>) -> Self {
        built.map_or_else(|problem| Self(SchemaText::Unbuilt(problem)), Self::from)
    }
}

/// A table of a process, as it is said in Rust: what its rows are, its model, its rules. What is wrong
/// about it is told when the process is loaded.
#[derive(Debug, Clone)]
#[must_use]
pub struct Table {
    pub(crate) name: String,
    pub(crate) rows: Rows,
    pub(crate) model: Option<ModelText>,
    pub(crate) delete_when: Option<String>,
    pub(crate) copy_on_write: bool,
    pub(crate) rules: Vec<(String, String, RuleAction)>,
}

/// What the rows of a declared table are.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    Latest(Vec<String>),
    History(Vec<String>),
    Append,
    Child(String),
}

/// A model that is not checked yet.
#[derive(Debug, Clone)]
pub(crate) enum ModelText {
    Sql(String),
    Function(ModelFunction),
}

impl Table {
    fn new(name: impl Into<String>, rows: Rows) -> Self {
        Self {
            name: name.into(),
            rows,
            model: None,
            delete_when: None,
            copy_on_write: false,
            rules: Vec::new(),
        }
    }

    /// One row a key, of the latest event. The model gives the columns of the key, and the version.
    pub fn latest<C: Into<String>>(
        name: impl Into<String>,
        key: impl IntoIterator<Item = C>,
    ) -> Self {
        Self::new(name, Rows::Latest(columns(key)))
    }

    /// One row a key and version, with `valid_from` and `valid_to`. The model gives the columns of the key.
    pub fn history<C: Into<String>>(
        name: impl Into<String>,
        key: impl IntoIterator<Item = C>,
    ) -> Self {
        Self::new(name, Rows::History(columns(key)))
    }

    /// Every row of every event, once.
    pub fn append(name: impl Into<String>) -> Self {
        Self::new(name, Rows::Append)
    }

    /// All rows of the event that stands in the table `head`, replaced as one set. The model gives the
    /// columns of the head's key.
    pub fn child(name: impl Into<String>, head: impl Into<String>) -> Self {
        Self::new(name, Rows::Child(head.into()))
    }

    /// Its model in SQL: one `SELECT` over `events`.
    pub fn sql(mut self, select: impl Into<String>) -> Self {
        self.model = Some(ModelText::Sql(select.into()));
        self
    }

    /// Its model in Rust: what the function makes of `events`, lazily; it runs nothing.
    ///
    /// Every row has to know its event by the column `_event`. A `select` that leaves it out gets it added,
    /// also below filters, sorts and unnests; an aggregate has to group by it. `unnest_columns` gives a row
    /// for a null list unless it is told otherwise, see `UnnestOptions::with_preserve_nulls`.
    ///
    /// The function is called when the process is loaded and once or more for each batch, and has to do the
    /// same every time: a plan with other columns than the first ends the run.
    pub fn dataframe<F>(mut self, model: F) -> Self
    where
        F: Fn(DataFrame) -> Result<DataFrame, DataFusionError> + Send + Sync + 'static,
    {
        self.model = Some(ModelText::Function(ModelFunction(Arc::new(model))));
        self
    }

    /// Events of which this SQL condition is true delete their key. Over the event's fields, not the
    /// model's columns.
    pub fn delete_when(mut self, condition: impl Into<String>) -> Self {
        self.delete_when = Some(condition.into());
        self
    }

    /// Whether files that lose rows are written again, for readers that know no deletion vectors.
    pub fn copy_on_write(mut self, copy_on_write: bool) -> Self {
        self.copy_on_write = copy_on_write;
        self
    }

    /// A rule on its rows: an SQL condition over the model's columns, and what happens where it is not true.
    pub fn rule(
        mut self,
        name: impl Into<String>,
        condition: impl Into<String>,
        action: RuleAction,
    ) -> Self {
        self.rules.push((name.into(), condition.into(), action));
        self
    }
}

fn columns<C: Into<String>>(key: impl IntoIterator<Item = C>) -> Vec<String> {
    key.into_iter().map(Into::into).collect()
}

/// A model that is a function.
#[derive(Clone)]
pub(crate) struct ModelFunction(
    pub(crate) Arc<dyn Fn(DataFrame) -> Result<DataFrame, DataFusionError> + Send + Sync>,
);

impl fmt::Debug for ModelFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function of Rust")
    }
}

/// Everything that a process says. There is nothing to do with it but to pass it on.
#[derive(Debug, Clone)]
pub struct Definition {
    pub(crate) base: Base,
    pub(crate) said: Said,
}

/// Where a definition is written.
#[derive(Debug, Clone)]
pub(crate) enum Base {
    Files(PipelineFiles),
    Rust(Box<Declared>),
}

/// The answers of a process that is written in Rust; see [`Process`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) source: SourceRules,
    pub(crate) schema: DeclaredSchema,
    pub(crate) version: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) functions: Vec<ScalarUDF>,
    pub(crate) revision: String,
    pub(crate) output: String,
    pub(crate) raw: String,
    pub(crate) quarantine: String,
    pub(crate) limits: Limits,
    pub(crate) maintenance: Maintenance,
}

/// What is said about a process from outside: it goes before what the process says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) name: Option<String>,
    pub(crate) input: Vec<String>,
    pub(crate) output: Option<String>,
    pub(crate) schema: Option<DeclaredSchema>,
    /// Beside those of the process.
    pub(crate) functions: Vec<ScalarUDF>,
    pub(crate) revision: Option<String>,
}

impl Said {
    /// Takes what `later` says, and keeps the rest.
    pub(crate) fn before(&mut self, later: &Self) {
        let one = |own: &mut Option<String>, later: &Option<String>| {
            if later.is_some() {
                own.clone_from(later);
            }
        };
        one(&mut self.name, &later.name);
        one(&mut self.output, &later.output);
        one(&mut self.revision, &later.revision);
        if !later.input.is_empty() {
            self.input.clone_from(&later.input);
        }
        if later.schema.is_some() {
            self.schema.clone_from(&later.schema);
        }
        self.functions.extend(later.functions.iter().cloned());
    }
}

impl Definition {
    pub(crate) fn of(base: Base) -> Self {
        Self {
            base,
            said: Said::default(),
        }
    }
}
