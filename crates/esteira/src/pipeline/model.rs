//! A model: one SELECT over the relation `events`, or a function of Rust, that gives the rows of one table.
//!
//! Every row has to know its event, so the program adds the column `_event` to what is selected; an
//! inner query passes it on with `*` or by name. From it come the lineage columns and the version. Where a
//! function loses it, it is added in the same way, see `model_frame`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SessionConfig, SessionContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as Planned;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SetExpr, Spanned as _, Statement,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Location;
use esteira_events::{EventSchema, SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION};
use esteira_lake::upsert::{VALID_FROM, VALID_TO};

use super::{Functions, PipelineError, model_error, model_frame};
use crate::interface::ModelFunction;
use esteira_lake::tables::type_name;

/// The relation that models select from.
pub(crate) const EVENTS: &str = "events";
/// The column with an event's index in its batch.
pub(crate) const EVENT: &str = "_event";
/// The column with the instant a batch was planned.
pub(crate) const PROCESSED_AT: &str = "_processed_at";

/// The columns that say where a row came from: written beside what the model gives.
pub(super) const LINEAGE: [&str; 4] = [SOURCE_FILE, SOURCE_MODIFIED, SOURCE_POSITION, PROCESSED_AT];

/// A model as it is written.
pub(super) enum Source {
    /// In SQL.
    Sql {
        /// Its file, or its place in Rust.
        file: String,
        text: String,
    },
    /// In Rust.
    Function {
        place: String,
        function: ModelFunction,
    },
}

/// A checked model.
#[derive(Debug, Clone)]
pub struct Model {
    file: String,
    rows: Rows,
    functions: Functions,
    schema: SchemaRef,
    plan: Arc<LogicalPlan>,
}

/// What gives the rows.
#[derive(Debug, Clone)]
enum Rows {
    /// SQL, and where its SELECT is.
    Sql {
        sql: String,
        select: (usize, usize),
    },
    Function(ModelFunction),
}

impl Model {
    /// Checks a model against the events it selects from; gives everything that is wrong.
    pub(super) async fn check(
        source: Source,
        events: &EventSchema,
        functions: &Functions,
    ) -> Result<Self, Vec<PipelineError>> {
        let relation = strict(events);
        let (file, text, rows, planned) = match source {
            Source::Sql { file, text } => {
                let (statement, select) = with_event(&file, &text).map_err(|error| vec![error])?;
                let sql = statement.to_string();
                let planned = planned(&relation, functions, async |session: &SessionContext| {
                    // The parsed text, not its rendering: it knows where everything was written.
                    let planned = Planned::Statement(Box::new(statement));
                    session.state().statement_to_plan(planned).await
                });
                let planned = planned
                    .await
                    .map_err(|error| model_error::told(&file, &text, &relation, &error));
                (file, text, Rows::Sql { sql, select }, planned)
            }
            Source::Function { place, function } => {
                let planned = planned(&relation, functions, async |session: &SessionContext| {
                    let made = model_frame::made(&function, session.table(EVENTS).await?)?;
                    Ok(made.into_unoptimized_plan())
                });
                let planned = planned
                    .await
                    .map_err(|error| vec![model_error::of_function(&place, &relation, &error)]);
                (place, String::new(), Rows::Function(function), planned)
            }
        };
        let plan = planned?;
        let model = Self {
            file,
            rows,
            functions: functions.clone(),
            schema: table_schema(plan.schema().as_arrow()),
            plan: Arc::new(plan),
        };
        let wrong = model_error::columns(&model, &text);
        if wrong.is_empty() {
            Ok(model)
        } else {
            Err(wrong)
        }
    }

    /// The same model for a history, whose rows also say when they are valid.
    pub(super) fn with_validity(mut self) -> Self {
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        let own = fields
            .iter()
            .take_while(|f| f.name() != SOURCE_FILE)
            .count();
        let validity =
            [VALID_FROM, VALID_TO].map(|name| Arc::new(Field::new(name, instant(), true)));
        fields.splice(own..own, validity);
        self.schema = Arc::new(Schema::new(fields));
        self
    }

    /// Its SQL, with the column that names the event; nothing when it is a function of Rust.
    #[must_use]
    pub fn sql(&self) -> Option<&str> {
        match &self.rows {
            Rows::Sql { sql, .. } => Some(sql),
            Rows::Function(_) => None,
        }
    }

    /// What it is, as far as that can be written down: its SQL, or the plan that the function makes.
    pub(super) fn text(&self) -> String {
        match &self.rows {
            Rows::Sql { sql, .. } => sql.clone(),
            Rows::Function(_) => self.plan.display_indent_schema().to_string(),
        }
    }

    /// The file it was read from, or where in Rust it is.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its rows of the `events` that are in a session.
    pub(crate) async fn over(
        &self,
        session: &SessionContext,
    ) -> Result<DataFrame, DataFusionError> {
        self.functions.register(session);
        match &self.rows {
            Rows::Sql { sql, .. } => session.sql(sql).await,
            Rows::Function(function) => {
                let made = model_frame::made(function, session.table(EVENTS).await?)?;
                model_frame::as_before(self.plan.schema(), made)
            }
        }
    }

    /// The columns of its table: the model's, then where rows came from, then the model's own that
    /// start with an underscore.
    #[must_use]
    pub fn table_schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns that are its own, with the names of their types, in the table's order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, String)> {
        self.schema
            .fields()
            .iter()
            .filter(|field| !LINEAGE.contains(&field.name().as_str()))
            .map(|field| (field.name().as_str(), type_name(field.data_type())))
    }

    /// How it is computed. Here alone a column may be known to be never null.
    pub(super) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// A mistake in the model as a whole: it is told at its SELECT.
    pub(super) fn wrong(&self, message: String, hint: String) -> PipelineError {
        match self.rows {
            Rows::Sql { select, .. } => PipelineError::Wrong {
                file: self.file.clone(),
                line: select.0,
                column: select.1,
                message,
                hint: Some(hint),
            },
            Rows::Function(_) => PipelineError::Declared {
                place: self.file.clone(),
                message,
                hint: Some(hint),
            },
        }
    }
}

/// The plan over no events; fails where it cannot be run.
async fn planned(
    relation: &SchemaRef,
    functions: &Functions,
    plan: impl AsyncFnOnce(&SessionContext) -> Result<LogicalPlan, DataFusionError>,
) -> Result<LogicalPlan, DataFusionError> {
    let session = session();
    functions.register(&session);
    let empty = MemTable::try_new(relation.clone(), vec![vec![]])?;
    session.register_table(EVENTS, Arc::new(empty))?;
    let plan = plan(&session).await?;
    // Only a physical plan has seen every type.
    session.state().create_physical_plan(&plan).await?;
    Ok(plan)
}

/// A session whose plans keep the order of rows: models rely on it where one event gives several.
pub(crate) fn session() -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        .set_bool("datafusion.sql_parser.collect_spans", true);
    SessionContext::new_with_config(config)
}

/// The columns of `events`.
pub(crate) fn events_relation(events: &EventSchema) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> = events.arrow_schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(PROCESSED_AT, instant(), false)));
    fields.push(Arc::new(Field::new(EVENT, DataType::Int64, false)));
    Arc::new(Schema::new(fields))
}

/// The same, with the columns of required fields never null: so it is, though the run does not say so.
fn strict(events: &EventSchema) -> SchemaRef {
    let relation = events_relation(events);
    let fields = relation.fields().iter().map(|field| {
        let declared = events.fields().iter().find(|d| d.name == *field.name());
        if declared.is_some_and(|declared| declared.required) {
            Arc::new(field.as_ref().clone().with_nullable(false))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// Adds to a decoded batch the columns that only the run knows.
pub(crate) fn as_events(
    batch: &RecordBatch,
    relation: &SchemaRef,
    first_event: i64,
    planned_at: i64,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    use arrow::array::{Int64Array, TimestampMicrosecondArray};
    let rows = batch.num_rows();
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(
        TimestampMicrosecondArray::from_value(planned_at, rows).with_timezone("UTC"),
    ));
    columns.push(Arc::new(Int64Array::from_iter_values(
        (first_event..).take(rows),
    )));
    RecordBatch::try_new(relation.clone(), columns)
}

/// The model with the column that names the event, and where its SELECT is.
fn with_event(file: &str, text: &str) -> Result<(Statement, (usize, usize)), PipelineError> {
    let wrong = |line: usize, column: usize, message: String| PipelineError::Wrong {
        file: file.to_owned(),
        line,
        column,
        message,
        hint: Some("a model is one SELECT over `events`".to_owned()),
    };
    let at = |location: Location| {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
        (number(location.line), number(location.column))
    };
    let statements = Parser::parse_sql(&GenericDialect {}, text).map_err(|error| {
        let message = error.to_string();
        let (line, column) = place_in(&message).unwrap_or((1, 1));
        let message = message.split(" at Line:").next().unwrap_or(&message);
        wrong(line, column, message.replace("sql parser error: ", ""))
    })?;
    let [Statement::Query(query)] = <[Statement; 1]>::try_from(statements)
        .map_err(|all| wrong(1, 1, format!("it has {} statements", all.len())))?
    else {
        return Err(wrong(1, 1, "it is not a SELECT".to_owned()));
    };
    let mut query: Box<Query> = query;
    let start = query.body.span().start;
    let SetExpr::Select(select) = query.body.as_mut() else {
        let (line, column) = at(start);
        return Err(wrong(line, column, "it is not a plain SELECT".to_owned()));
    };
    let place = at(select.select_token.0.span.start);
    let has_event = select.projection.iter().any(|item| match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.value == EVENT,
        SelectItem::ExprWithAlias { alias, .. } => alias.value == EVENT,
        _ => false,
    });
    if !has_event {
        select
            .projection
            .push(SelectItem::UnnamedExpr(Expr::Identifier(Ident::new(EVENT))));
    }
    Ok((Statement::Query(query), place))
}

/// The parser tells the place of an error only in its text.
fn place_in(message: &str) -> Option<(usize, usize)> {
    let (_, place) = message.split_once("Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, digits.parse().ok()?))
}

fn table_schema(model: &Schema) -> SchemaRef {
    let lineage = [
        (SOURCE_FILE, DataType::Utf8),
        (SOURCE_MODIFIED, instant()),
        (SOURCE_POSITION, DataType::Int64),
        (PROCESSED_AT, instant()),
    ];
    let own = |field: &&Arc<Field>| {
        field.name() != EVENT && !lineage.iter().any(|(name, _)| name == field.name())
    };
    let column = |field: &Arc<Field>| Field::new(field.name(), stored(field.data_type()), true);
    let (hidden, shown): (Vec<_>, Vec<_>) = model
        .fields()
        .iter()
        .filter(own)
        .partition(|field| field.name().starts_with('_'));
    let mut fields: Vec<Field> = shown.into_iter().map(column).collect();
    fields.extend(
        lineage
            .iter()
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), true)),
    );
    fields.extend(hidden.into_iter().map(column));
    Arc::new(Schema::new(fields))
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type a column is stored with: Delta Lake knows no views, no unsigned and no nanoseconds.
fn stored(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Timestamp(_, Some(_)) => instant(),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::List(element) | DataType::LargeList(element) => DataType::List(Arc::new(
            Field::new("element", stored(element.data_type()), true),
        )),
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| Field::new(field.name(), stored(field.data_type()), true))
                .collect::<Fields>(),
        ),
        other => other.clone(),
    }
}
