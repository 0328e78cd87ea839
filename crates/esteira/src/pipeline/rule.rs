//! Rules on data: conditions that the rows of a table have to fulfil.
//!
//! Comes in: `[[table.rule]]` and the table's model. Goes out: checked rules. A condition is fulfilled
//! where it is true; where it is false or null it is broken, as with expectations of Databricks and
//! check constraints of Delta Lake. What happens to rows that break one belongs to `process`.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray, RecordBatch};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use serde::Deserialize;

use super::file::RuleSection;
use super::outputs::unusable_name;
use super::table::Given;
use super::{Condition, Model, PipelineError};

/// A condition on the rows of a table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, one of a kind in its table.
    pub name: String,
    /// SQL over the columns that the table's model gives.
    pub condition: String,
    /// What happens where it is not true.
    pub action: RuleAction,
    test: Arc<dyn PhysicalExpr>,
}

/// What happens to a row that breaks a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// It stays, and is counted.
    #[default]
    Warn,
    /// It is no row; counted.
    Drop,
    /// Its event goes to the quarantine, and gives no row of any table.
    Quarantine,
    /// The job stops before anything of the batch is in a table.
    Stop,
}

impl RuleAction {
    /// The word for it in `pipeline.toml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Drop => "drop",
            Self::Quarantine => "quarantine",
            Self::Stop => "stop",
        }
    }

    /// Whether it is about the event, not just the row.
    pub(crate) fn is_of_event(self) -> bool {
        matches!(self, Self::Quarantine | Self::Stop)
    }
}

impl Rule {
    /// Which of the rows break it.
    pub(crate) fn broken(&self, rows: &RecordBatch) -> Result<BooleanArray, DataFusionError> {
        let value = self.test.evaluate(rows)?.into_array(rows.num_rows())?;
        let met = value
            .as_boolean_opt()
            .ok_or_else(|| DataFusionError::Internal("a condition is no boolean".to_owned()))?;
        Ok((0..met.len())
            .map(|row| Some(!(met.is_valid(row) && met.value(row))))
            .collect())
    }
}

/// The rules of a table.
pub(super) fn all(
    given: &Given<'_>,
    sections: &[RuleSection],
    model: &Model,
    errors: &mut Vec<PipelineError>,
) -> Vec<Rule> {
    let places = given.places;
    let table = given.place();
    let mut rules: Vec<Rule> = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let place = format!("{table}.rule.{index}");
        let name = format!("{place}.name");
        if let Some(reason) = unusable_name(&section.name, &['_', '-'], places.is_given(&name)) {
            let made_of = "letters, digits, `_` and `-`, beginning with a letter or digit";
            errors.push(places.wrong(&name, reason, Some(made_of.to_owned())));
        } else if rules.iter().any(|rule| rule.name == section.name) {
            let message = format!("there are two rules `{}`", section.name);
            errors.push(places.wrong(&name, message, None));
        }
        let condition = format!("{place}.condition");
        if section.condition.trim().is_empty() {
            if places.is_given(&condition) {
                errors.push(places.wrong(&condition, "the condition is empty", None));
            }
            continue;
        }
        let columns = model.plan().schema().as_arrow();
        match Condition::check(
            &section.condition,
            columns,
            given.functions,
            "the model gives",
        ) {
            Ok(checked) => rules.push(Rule {
                name: section.name.clone(),
                condition: section.condition.clone(),
                action: section.action,
                test: checked.test(),
            }),
            Err((message, hint)) => errors.push(places.wrong(&condition, message, Some(hint))),
        }
    }
    rules
}
