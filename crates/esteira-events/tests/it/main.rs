//! The public behaviour of the core: objects in, rows and reports out.

mod broken;
mod fixture;
mod forms;
mod limits;
mod properties;
mod relation;
mod rescue;
mod rules;
mod values;
