//! Functions written in Rust that a pipeline's SQL calls: business rules that SQL cannot say.
//!
//! Comes in: DataFusion's scalar functions. Goes out: those that can be called, and what is wrong with the
//! others. The invariant: a name means one function, and none of the engine's own means another one here
//! than elsewhere.

use std::sync::Arc;

use datafusion::execution::FunctionRegistry as _;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{ScalarUDF, Volatility};

use super::PipelineError;
use super::model::session;

/// The functions of a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Functions(Arc<[Arc<ScalarUDF>]>);

impl Functions {
    /// All of them, and what is wrong with some; `place` is where they are said.
    pub(super) fn check(
        functions: &[ScalarUDF],
        place: &str,
        errors: &mut Vec<PipelineError>,
    ) -> Self {
        if functions.is_empty() {
            return Self::default();
        }
        let mut wrong = |name: &str, message: &str, hint: &str| {
            errors.push(PipelineError::Declared {
                place: place.to_owned(),
                message: format!("function `{name}` {message}"),
                hint: Some(hint.to_owned()),
            });
        };
        let known = session();
        let is_known = |name: &str| {
            [known.udfs(), known.udafs(), known.udwfs()]
                .iter()
                .any(|names| names.contains(name))
        };
        let mut all: Vec<Arc<ScalarUDF>> = Vec::new();
        for function in functions {
            let names = std::iter::once(function.name())
                .chain(function.aliases().iter().map(String::as_str));
            for name in names.clone() {
                if !can_be_called(name) {
                    wrong(
                        name,
                        "has a name that SQL does not find",
                        "small letters, digits and `_`, beginning with a letter",
                    );
                } else if is_known(name) {
                    wrong(
                        name,
                        "would hide the engine's own of that name",
                        "give it another name",
                    );
                } else if all.iter().any(|other| is_called(other, name)) {
                    wrong(name, "is there twice", "give each a name of its own");
                }
            }
            if function.as_async().is_some() {
                wrong(
                    function.name(),
                    "is asynchronous: it would answer by something else than its arguments",
                    "what an event does not say cannot be in its rows",
                );
            }
            // Also one that is wrong: the SQL that calls it is not wrong for that.
            all.push(Arc::new(function.clone()));
        }
        Self(all.into())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|function| function.name())
    }

    /// What can be known of them: names, arguments, volatility.
    pub(super) fn signatures(&self) -> impl Iterator<Item = String> {
        let signature = |f: &Arc<ScalarUDF>| format!("{} {:?}", f.name(), f.signature());
        self.0.iter().map(signature)
    }

    /// Whether a function of this name is among them and says that its answers change.
    pub(super) fn is_changing(&self, name: &str) -> bool {
        self.0.iter().any(|function| {
            function.name() == name && function.signature().volatility != Volatility::Immutable
        })
    }

    /// Lets the SQL of this session call them.
    pub(crate) fn register(&self, session: &SessionContext) {
        for function in self.0.iter() {
            session.register_udf(function.as_ref().clone());
        }
    }
}

fn is_called(function: &ScalarUDF, name: &str) -> bool {
    function.name() == name || function.aliases().iter().any(|alias| alias == name)
}

/// SQL looks for names without quotes in small letters.
fn can_be_called(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
