//! Random events of the marketplace as compact JSON texts.
//!
//! Values are drawn from small pools on purpose: instants that are equal in other writings, money
//! at the edge of rounding, sellers that many orders share.

use crate::random::Random;

/// How many different orders and sellers a history draws from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pool {
    pub(super) orders: usize,
    pub(super) sellers: usize,
}

/// One instant in several writings, then earlier and later ones, some by less than is kept.
const INSTANTS: [&str; 12] = [
    "2024-03-10T12:00:00Z",
    "2024-03-10T09:00:00-03:00",
    "2024-03-10t12:00:00.000000z",
    "2024-03-10T12:00:00.0000009Z",
    "2024-03-10T17:30:00.000+05:30",
    "2024-03-10T12:00:00.000001Z",
    "2024-03-10T11:59:59.999999999Z",
    "2024-03-09T23:59:59-12:00",
    "2024-03-10T09:00:00Z",
    "2024-02-29T12:00:00Z",
    "2024-03-10T12:00:00+03:00",
    "1969-12-31T23:59:59.9999995Z",
];

const MONEY: [&str; 14] = [
    "25",
    "25.0",
    "7.90",
    "0.005",
    "0.015",
    "0.0050000000000000000001",
    "2.675",
    "-3.14",
    "1e1",
    "1.5E-1",
    "-0",
    "9999999999999999.99",
    "1234567890123456.785",
    "null",
];

/// Members that no schema names, to be put anywhere.
const UNKNOWN: [&str; 7] = [
    r#""vlr_fret":8.34"#,
    r#""vlr_fret":8.340"#,
    r#""origem":{"canal":"app","lojas":[1,2,{"x":null}]}"#,
    r#""Stat_Pgto":"PAGO""#,
    r#""nota":"çãé \"x\" \u00e9 \ud83d\ude00""#,
    r#""rep":1,"rep":[true]"#,
    r#""_interno":12345678901234567890.123456789"#,
];

/// Complete JSON values that are no good events.
const BAD: [&str; 9] = [
    "{}",
    "null",
    "[]",
    r#""texto""#,
    r#"{"txt_detl_idt_pedi_pgto":"","dat_atui":"2024-03-10T12:00:00Z"}"#,
    r#"{"txt_detl_idt_pedi_pgto":"pedido-0","dat_atui":"2024-02-30T12:00:00Z"}"#,
    r#"{"txt_detl_idt_pedi_pgto":"pedido-0","dat_atui":"2024-03-10T12:00:00Z","list_item_pedi":[null]}"#,
    r#"{"txt_detl_idt_pedi_pgto":"pedido-0","dat_atui":"2024-03-10T12:00:00Z","list_item_pedi":[{"vlr_prod":"1.00"}]}"#,
    r#"{"txt_detl_idt_pedi_pgto":"pedido-0","dat_atui":"2024-03-10T12:00:00Z","list_item_pedi":[{"qtd_item_pedi":1.0}]}"#,
];

/// A complete JSON value that is not a good event.
pub(super) fn bad_event(random: &mut Random) -> String {
    random.pick(&BAD).to_owned()
}

/// A good event.
pub(super) fn good_event(random: &mut Random, pool: Pool) -> String {
    let order = random.below(pool.orders);
    let mut members = vec![
        format!(r#""txt_detl_idt_pedi_pgto":"pedido-{order}""#),
        format!(r#""dat_atui":"{}""#, random.pick(&INSTANTS)),
    ];
    maybe(random, &mut members, |random| {
        format!(r#""cod_idef_clie":"cliente-{}""#, random.below(3))
    });
    maybe(random, &mut members, |random| {
        format!(r#""dat_hor_tran":"{}""#, random.pick(&INSTANTS))
    });
    maybe(random, &mut members, |random| {
        let state = random.pick(&[r#""Pendente""#, r#""Aprovado""#, "null"]);
        format!(r#""stat_pgto":{state}"#)
    });
    maybe(random, &mut members, |random| {
        let state = random.pick(&["Criado", "Enviado", "Entregue", "Cancelado", ""]);
        format!(r#""stat_pedi":"{state}""#)
    });
    maybe(random, &mut members, |random| {
        format!(
            r#""list_item_pedi":{}"#,
            list(random, |random| item(random, pool))
        )
    });
    maybe(random, &mut members, |random| {
        format!(r#""list_envo":{}"#, list(random, shipment))
    });
    if random.chance(5) {
        // A repeated key: what is wrong in the first value must not count.
        members.insert(0, r#""dat_atui":7"#.to_owned());
        unknown(random, &mut members);
        return object(&members);
    }
    unknown(random, &mut members);
    if random.chance(50) {
        random.shuffle(&mut members);
    }
    object(&members)
}

fn item(random: &mut Random, pool: Pool) -> String {
    let mut members = Vec::new();
    maybe(random, &mut members, |random| {
        let name = random.pick(&[
            "Rede de descanso",
            "Cuia p/ chimarrão",
            "Panela 5\\\" \\u00e7",
            "",
        ]);
        format!(r#""nom_item":"{name}""#)
    });
    maybe(random, &mut members, |random| {
        let seller = match random.below(10) {
            0 => "null".to_owned(),
            1 => r#""""#.to_owned(),
            _ => format!(r#""vendedor-{}""#, random.below(pool.sellers)),
        };
        format!(r#""idt_venr":{seller}"#)
    });
    maybe(random, &mut members, |random| {
        let name = random.pick(&[r#""Loja A""#, r#""Loja B""#, r#""Loja Ç""#, "null"]);
        format!(r#""nom_venr":{name}"#)
    });
    for column in ["vlr_oril", "vlr_prod", "vlr_prod_ofrt_desc"] {
        maybe(random, &mut members, |random| {
            format!(r#""{column}":{}"#, random.pick(&MONEY))
        });
    }
    maybe(random, &mut members, |random| {
        let quantity = random.pick(&["0", "1", "-0", "3", "9223372036854775807", "null"]);
        format!(r#""qtd_item_pedi":{quantity}"#)
    });
    for column in ["cod_ofrt_ineo_requ", "idt_vrne_venr", "cod_vrne_prod"] {
        maybe(random, &mut members, |random| {
            format!(r#""{column}":"c{}""#, random.below(3))
        });
    }
    unknown(random, &mut members);
    object(&members)
}

fn shipment(random: &mut Random) -> String {
    let mut members = Vec::new();
    for column in [
        "cod_tipo_entg",
        "cod_venr",
        "nom_stat_entg",
        "dat_emis_cpvt",
    ] {
        maybe(random, &mut members, |random| {
            format!(r#""{column}":"v{}""#, random.below(3))
        });
    }
    maybe(random, &mut members, |random| {
        format!(r#""list_item_envo":{}"#, list(random, shipped_item))
    });
    unknown(random, &mut members);
    object(&members)
}

fn shipped_item(random: &mut Random) -> String {
    let mut members = Vec::new();
    for column in ["cod_prod", "cod_prod_venr", "stat_entg"] {
        maybe(random, &mut members, |random| {
            format!(r#""{column}":"p{}""#, random.below(3))
        });
    }
    maybe(random, &mut members, |random| {
        format!(r#""qtd_prod":{}"#, random.below(5))
    });
    unknown(random, &mut members);
    object(&members)
}

/// A null, an empty or a short list.
fn list(random: &mut Random, mut element: impl FnMut(&mut Random) -> String) -> String {
    match random.below(8) {
        0 => "null".to_owned(),
        1 => "[]".to_owned(),
        _ => {
            let length = 1 + random.below(3);
            let elements: Vec<String> = (0..length).map(|_| element(random)).collect();
            format!("[{}]", elements.join(","))
        }
    }
}

fn maybe(
    random: &mut Random,
    members: &mut Vec<String>,
    member: impl FnOnce(&mut Random) -> String,
) {
    if random.chance(85) {
        members.push(member(random));
    }
}

fn unknown(random: &mut Random, members: &mut Vec<String>) {
    if random.chance(25) {
        members.push(random.pick(&UNKNOWN).to_owned());
    }
}

fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::{BAD, Pool, good_event};
    use crate::oracle::{InputObject, expected};
    use crate::random::Random;

    fn events(text: &str) -> u64 {
        let bytes = text.as_bytes().to_vec();
        expected(&[InputObject {
            key: "k".to_owned(),
            modified_micros: 0,
            bytes,
        }])
        .events
    }

    #[test]
    fn good_event_any_seed_is_accepted() {
        for seed in 0..500 {
            let text = good_event(
                &mut Random::new(seed),
                Pool {
                    orders: 3,
                    sellers: 3,
                },
            );
            assert_eq!(events(&text), 1, "{text}");
        }
    }

    #[test]
    fn bad_event_every_one_is_refused() {
        for text in BAD {
            assert_eq!(events(text), 0, "{text}");
        }
    }
}
