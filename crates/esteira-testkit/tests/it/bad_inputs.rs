//! Every bad input ends, by the oracle, where its case says.

use std::collections::BTreeSet;

use esteira_testkit::bad_inputs::{BadInput, Content, bad_inputs};
use esteira_testkit::oracle::{Expected, Row, expected_within};

#[test]
fn bad_inputs_are_many_and_have_their_own_names_and_keys() {
    let cases = bad_inputs().unwrap();
    assert!(cases.len() >= 120, "{} cases", cases.len());
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    let keys: BTreeSet<_> = cases.iter().map(|case| &case.key).collect();
    assert_eq!((names.len(), keys.len()), (cases.len(), cases.len()));
}

/// So that all cases can be ingested into one bucket and told apart in the tables.
#[test]
fn bad_inputs_orders_are_each_in_one_object() {
    let mut orders = BTreeSet::new();
    for case in bad_inputs().unwrap() {
        let own: BTreeSet<_> = case.good.into_iter().map(|(order, _)| order).collect();
        for order in own {
            assert!(orders.insert(order.clone()), "{}: {order}", case.name);
        }
    }
}

#[test]
fn oracle_every_bad_input_ends_where_its_case_says() {
    let mut problems = Vec::new();
    for case in bad_inputs().unwrap() {
        let told = expected_within(&[case.object(0)], case.limit);
        problems.extend(
            check(&case, &told)
                .err()
                .map(|problem| format!("{}: {problem}", case.name)),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn check(case: &BadInput, told: &Expected) -> Result<(), String> {
    let found: Vec<(i64, &str)> = told
        .quarantine
        .iter()
        .map(|row| (row.position, row.reason.as_str()))
        .collect();
    let same = found.len() == case.quarantine.len()
        && found
            .iter()
            .zip(&case.quarantine)
            .all(|((position, reason), (at, accepted))| {
                position == at && accepted.iter().any(|accepted| accepted == reason)
            });
    if !same {
        return Err(format!("quarantined {found:?}, not {:?}", case.quarantine));
    }
    if told.events != case.good.len() as u64 {
        return Err(format!("{} good events, not {:?}", told.events, case.good));
    }
    let bytes = case.content.bytes();
    for (number, row) in told.quarantine.iter().enumerate() {
        let original = case
            .originals
            .get(number)
            .map_or_else(|| bytes.clone(), Content::bytes);
        if row.original != original {
            let text = String::from_utf8_lossy(&row.original)
                .chars()
                .take(200)
                .collect::<String>();
            return Err(format!("original of entry {number} is {text:?}"));
        }
    }
    check_orders(case, told)?;
    for (table, rows) in &case.tables {
        check_table(told.table(table).ok_or("unknown table")?, rows)?;
    }
    Ok(())
}

/// Each order's row comes from one of its good events, and no order is left out.
fn check_orders(case: &BadInput, told: &Expected) -> Result<(), String> {
    let expected: BTreeSet<&str> = case.good.iter().map(|(order, _)| order.as_str()).collect();
    let mut found = BTreeSet::new();
    for row in &told.orders {
        let order = row["txt_detl_idt_pedi_pgto"].as_str().unwrap_or_default();
        let position = row["_source_position"].as_i64().unwrap_or(-1);
        if !case.good.contains(&(order.to_owned(), position)) {
            return Err(format!(
                "`{order}` at {position} is not among the good events"
            ));
        }
        found.insert(order);
    }
    if found == expected {
        Ok(())
    } else {
        Err(format!("orders {found:?}, not {expected:?}"))
    }
}

fn check_table(found: &[Row], expected: &[Row]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!(
            "{} rows, not {}: {found:?}",
            found.len(),
            expected.len()
        ));
    }
    let mut left: Vec<&Row> = found.iter().collect();
    for row in expected {
        let fits = |found: &&Row| {
            row.iter()
                .all(|(column, value)| found.get(column) == Some(value))
        };
        let at = left
            .iter()
            .position(fits)
            .ok_or_else(|| format!("no {row:?} in {left:?}"))?;
        left.remove(at);
    }
    Ok(())
}
