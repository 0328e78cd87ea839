//! What a sample promises: the same bytes for the same options, valid events in every form, late
//! and tied ones among them, a bounded window.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value;

use super::object::SampleObject;
use super::options::SampleCompression;
use super::stream::Sample;
use super::{SampleForm, SampleOptions, objects};

fn options(orders: u64) -> SampleOptions {
    SampleOptions {
        orders,
        ..SampleOptions::default()
    }
}

fn unpacked(object: &SampleObject) -> Vec<u8> {
    let mut text = Vec::new();
    match object.bytes.first() {
        Some(0x1f) => {
            flate2::read::GzDecoder::new(&object.bytes[..])
                .read_to_end(&mut text)
                .unwrap();
        }
        Some(0x28) => text = zstd::decode_all(&object.bytes[..]).unwrap(),
        _ => text.clone_from(&object.bytes),
    }
    text
}

/// All events in the order of emission.
fn events(options: SampleOptions) -> Vec<Value> {
    let array = options.form == SampleForm::Array;
    let most = options.events_per_object;
    let mut events = Vec::new();
    for object in Sample::new(options) {
        let text = unpacked(&object);
        let before = events.len();
        if array {
            events.extend(serde_json::from_slice::<Vec<Value>>(&text).unwrap());
        } else {
            let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
            events.extend(values.map(Result::unwrap));
        }
        assert!(
            (1..=most).contains(&(events.len() - before)),
            "{}",
            object.name
        );
    }
    events
}

/// How far the order has got, and the instant, for the events of each order.
fn lives(events: &[Value]) -> BTreeMap<String, Vec<(usize, u64)>> {
    let mut lives: BTreeMap<String, Vec<(usize, u64)>> = BTreeMap::new();
    for event in events {
        let state = event["stat_pedi"].as_str().unwrap();
        let known = [
            "Criado",
            "Aprovado",
            "Faturado",
            "Enviado",
            "Entregue",
            "Cancelado",
        ];
        let rank = known.iter().position(|known| *known == state).unwrap();
        let life = lives.entry(event["txt_detl_idt_pedi_pgto"].as_str().unwrap().to_owned());
        life.or_default()
            .push((rank, millis(event["dat_atui"].as_str().unwrap())));
    }
    lives
}

/// Milliseconds since 1970 of an instant in the sample's writing, days looked up by trial.
fn millis(text: &str) -> u64 {
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().unwrap();
    let day = (number(0, 4), number(5, 7), number(8, 10));
    let days = (19_700..20_200)
        .find(|days| super::event::date(*days) == day)
        .unwrap();
    let hours = days * 24 + number(11, 13) + if text.ends_with('Z') { 0 } else { 3 };
    ((hours * 60 + number(14, 16)) * 60 + number(17, 19)) * 1_000 + number(20, 23)
}

#[test]
fn sample_same_options_give_the_same_bytes() {
    let objects: Vec<_> = Sample::new(options(200)).collect();
    assert_eq!(objects, Sample::new(options(200)).collect::<Vec<_>>());
    let other = SampleOptions {
        seed: 2,
        ..options(200)
    };
    assert_ne!(objects[0].bytes, Sample::new(other).next().unwrap().bytes);
}

#[test]
fn sample_every_form_and_compression_holds_the_same_events() {
    let plain = events(options(100));
    for form in [
        SampleForm::Json,
        SampleForm::Pretty,
        SampleForm::Array,
        SampleForm::Ndjson,
    ] {
        for compression in [
            None,
            Some(SampleCompression::Gzip),
            Some(SampleCompression::Zstd),
        ] {
            let options = SampleOptions {
                form,
                compression,
                events_per_object: 7,
                ..options(100)
            };
            assert_eq!(events(options), plain, "{form:?} {compression:?}");
        }
    }
}

#[test]
fn sample_orders_have_two_to_five_states_that_follow_their_instants() {
    let events = events(SampleOptions {
        late_per_mille: 0,
        ..options(500)
    });
    let lives = lives(&events);
    assert_eq!(lives.len(), 500);
    for (order, life) in lives {
        assert!((2..=5).contains(&life.len()), "{order}");
        assert!(
            life.is_sorted_by_key(|(rank, _)| *rank),
            "{order}: {life:?}"
        );
        assert!(
            life.is_sorted_by_key(|(_, instant)| instant),
            "{order}: {life:?}"
        );
    }
}

#[test]
fn sample_default_shares_have_late_tied_and_itemless_ones() {
    let events = events(options(2_000));
    let lives = lives(&events);
    let pairs = || lives.values().flat_map(|life| life.windows(2));
    let late = pairs().filter(|pair| pair[1].0 < pair[0].0).count();
    assert!((50..600).contains(&late), "{late} late of {}", events.len());
    let tied = pairs().filter(|pair| pair[1].1 == pair[0].1).count();
    assert!((50..600).contains(&tied), "{tied} tied of {}", events.len());
    let itemless = events
        .iter()
        .filter(|event| event["list_item_pedi"] == Value::Array(vec![]));
    assert!(itemless.count() > 100);
}

#[test]
fn sample_events_look_like_the_contracts() {
    let objects: Vec<_> = Sample::new(options(1_000)).collect();
    let average = objects
        .iter()
        .map(|object| object.bytes.len())
        .sum::<usize>()
        / objects.len();
    assert!(
        (1_000..1_400).contains(&average),
        "{average} bytes an event"
    );
    let names: BTreeSet<_> = objects.iter().map(|object| &object.name).collect();
    assert_eq!(names.len(), objects.len());
    let all = events(options(1_000));
    let event = all
        .iter()
        .find(|event| event["list_envo"][0].is_object())
        .unwrap();
    let item = &event["list_item_pedi"][0];
    for column in ["vlr_oril", "vlr_prod", "vlr_prod_ofrt_desc", "vlr_fret"] {
        assert!(item[column].is_number(), "{column}");
    }
    assert!(item["qtd_item_pedi"].is_u64());
    assert_eq!(item["idt_venr"], event["list_envo"][0]["cod_venr"]);
    assert_eq!(
        item["cod_vrne_prod"],
        event["list_envo"][0]["list_item_envo"][0]["cod_prod"]
    );
}

#[test]
fn sample_neighbouring_ranges_share_no_order_and_no_name() {
    let first = options(100);
    let second = SampleOptions {
        first_order: 101,
        ..options(100)
    };
    let names = |options: &SampleOptions| {
        Sample::new(options.clone())
            .map(|object| object.name)
            .collect::<BTreeSet<_>>()
    };
    assert!(names(&first).is_disjoint(&names(&second)));
    let orders = |options| lives(&events(options)).into_keys().collect::<BTreeSet<_>>();
    assert!(orders(first).is_disjoint(&orders(second)));
}

#[test]
fn sample_many_orders_keep_the_window_small() {
    let mut sample = Sample::new(options(20_000));
    let mut most = 0;
    while sample.next().is_some() {
        most = most.max(sample.waiting());
    }
    assert!(most < 1_500, "{most} events held");
}

#[test]
fn sample_of_no_orders_is_empty() {
    assert_eq!(objects(options(0)).next(), None);
}

#[test]
fn sample_with_a_limit_is_the_beginning_of_the_whole() {
    let all = events(options(100));
    let limited = events(SampleOptions {
        max_events: Some(50),
        ..options(100)
    });
    assert_eq!(limited, all[..50]);
}
