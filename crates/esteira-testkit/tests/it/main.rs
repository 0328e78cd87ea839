//! The testkit's own public behaviour: the oracle against the bad inputs.

mod bad_inputs;
