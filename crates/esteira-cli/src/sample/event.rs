//! An order in one of its states as the text of one event, compact.

use std::fmt::Write;

use super::order::{Item, Order, State};

/// Appends the event to `out`.
///
/// Catalogue names hold nothing that JSON would have to escape, so they are written as they are.
pub(super) fn write_event(out: &mut String, order: &Order, state: &State) {
    push(out, r#"{"txt_detl_idt_pedi_pgto":""#, order.id);
    push(out, r#"","cod_idef_clie":""#, order.customer);
    out.push_str(r#"","dat_hor_tran":""#);
    write_instant(out, order.created * 1_000, false);
    out.push_str(r#"","list_item_pedi":["#);
    for (at, item) in order.items.iter().enumerate() {
        out.push_str(if at == 0 { "{" } else { ",{" });
        write_item(out, item);
        out.push('}');
    }
    out.push_str(r#"],"list_envo":["#);
    if !state.shipment.is_empty() {
        for (at, item) in order.items.iter().enumerate() {
            out.push_str(if at == 0 { "{" } else { ",{" });
            write_shipment(out, item, state);
            out.push('}');
        }
    }
    for (name, value) in [
        (r#"],"stat_pgto":""#, state.payment),
        (r#"","stat_pedi":""#, state.order),
    ] {
        out.push_str(name);
        out.push_str(value);
    }
    out.push_str(r#"","dat_atui":""#);
    write_instant(out, state.millis, state.local);
    out.push_str(r#""}"#);
}

fn write_item(out: &mut String, item: &Item) {
    let bits = item.product.bits();
    let seller = item.product.seller();
    let [thing, kind, make] = item.product.name();
    let [shop, family, city] = seller.name();
    // Writing into a string cannot fail.
    let _ = write!(out, r#""nom_item":"{thing} {kind} {make}""#);
    push(out, r#","cod_ofrt_ineo_requ":""#, [bits, !bits]);
    for (name, cents) in [
        (r#"","vlr_oril":"#, item.price),
        (r#","vlr_prod":"#, item.price - item.discount),
        (r#","vlr_prod_ofrt_desc":"#, item.discount),
    ] {
        out.push_str(name);
        write_money(out, cents);
    }
    let _ = write!(out, r#","qtd_item_pedi":{}"#, item.quantity);
    push(out, r#","idt_venr":""#, [seller.bits(), !seller.bits()]);
    let _ = write!(out, r#"","nom_venr":"{shop} {family} - {city}""#);
    let _ = write!(
        out,
        r#","idt_vrne_venr":"{bits:016x}","cod_vrne_prod":"SKU-{:08x}""#,
        bits >> 32
    );
    out.push_str(r#","vlr_fret":"#);
    write_money(out, item.freight);
}

fn write_shipment(out: &mut String, item: &Item, state: &State) {
    let bits = item.product.bits();
    let seller = item.product.seller().bits();
    let kind = if item.freight > 3_500 {
        "EXPRESSA"
    } else {
        "NORMAL"
    };
    let _ = write!(
        out,
        r#""cod_tipo_entg":"{kind}","list_item_envo":[{{"qtd_prod":{},"#,
        item.quantity
    );
    let _ = write!(
        out,
        r#""cod_prod_venr":"{bits:016x}","cod_prod":"SKU-{:08x}","#,
        bits >> 32
    );
    let _ = write!(out, r#""stat_entg":"{}"}}]"#, state.shipment);
    push(out, r#","cod_venr":""#, [seller, !seller]);
    let _ = write!(
        out,
        r#"","nom_stat_entg":"{}","dat_emis_cpvt":""#,
        state.shipment
    );
    write_instant(out, state.millis, false);
    out.push('"');
}

/// `name`, then 32 hexadecimal digits.
fn push(out: &mut String, name: &str, [high, low]: [u64; 2]) {
    let _ = write!(out, "{name}{high:016x}{low:016x}");
}

/// Cents as a number of as many digits as it needs: 7.9, 25.0, 114.15.
fn write_money(out: &mut String, cents: u64) {
    let _ = match cents % 10 {
        0 => write!(out, "{}.{}", cents / 100, cents / 10 % 10),
        _ => write!(out, "{}.{:02}", cents / 100, cents % 100),
    };
}

/// An instant after 1970 as RFC 3339, in UTC or with Brasília's offset.
fn write_instant(out: &mut String, millis: u64, local: bool) {
    const OFFSET: u64 = 3 * 3_600_000;
    let shown = if local {
        millis.saturating_sub(OFFSET)
    } else {
        millis
    };
    let (seconds, zone) = (shown / 1_000, if local { "-03:00" } else { "Z" });
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let _ = write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}{zone}",
        shown % 1_000
    );
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar).
pub(super) fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, a leap day is the last of its year, of its four and of its 400 years.
    let days = days + 719_468;
    let (era, days) = (days / 146_097, days % 146_097);
    let year = (days - days / 1_460 + days / 36_524 - days / 146_096) / 365;
    let day_of_year = days - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, write_instant, write_money};

    #[test]
    fn date_edges_of_months_and_leap_years_are_right() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (789, (1972, 2, 29)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_722, (2023, 12, 31)),
            (19_723, (2024, 1, 1)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(days), expected, "day {days}");
        }
    }

    #[test]
    fn write_instant_either_zone_names_the_same_instant() {
        let mut out = String::new();
        write_instant(&mut out, 1_704_067_200_005, false);
        write_instant(&mut out, 1_704_067_200_005, true);
        assert_eq!(out, "2024-01-01T00:00:00.005Z2023-12-31T21:00:00.005-03:00");
    }

    #[test]
    fn write_money_drops_a_last_zero() {
        let mut out = String::new();
        for cents in [790, 2_500, 11_415, 5, 0] {
            write_money(&mut out, cents);
            out.push(' ');
        }
        assert_eq!(out, "7.9 25.0 114.15 0.05 0.0 ");
    }
}
