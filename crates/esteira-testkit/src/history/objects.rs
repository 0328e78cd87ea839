//! Which objects a history is made of, and the orders in which they can arrive.

use std::collections::{BTreeMap, BTreeSet};

use super::events::{Pool, bad_event, good_event};
use super::render::{Form, Packing, render};
use crate::oracle::InputObject;
use crate::random::Random;

/// How large and how rough a history is.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Different orders.
    pub orders: usize,
    /// Different sellers.
    pub sellers: usize,
    /// Entries in all objects together, before any object is cut.
    pub entries: usize,
    /// Entries in one object at most.
    pub entries_per_object: usize,
    /// How many entries of 100 are no good events, and how many objects of 100 are cut somewhere.
    pub bad_percent: u8,
    /// How many objects of 100 are uploaded under the key of an earlier one.
    pub reupload_percent: u8,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            orders: 5,
            sellers: 4,
            entries: 40,
            entries_per_object: 5,
            bad_percent: 10,
            reupload_percent: 10,
        }
    }
}

/// A set of objects that tells the life of a few orders.
#[derive(Debug, Clone)]
pub struct History {
    /// The objects in the order of their writing, one second apart. No two have the same key and
    /// the same content; uploads of one key stand in the order of their times.
    pub objects: Vec<InputObject>,
}

impl History {
    /// The history of `seed`.
    pub fn random(seed: u64, shape: &Shape) -> Self {
        let mut random = Random::new(seed);
        let pool = Pool {
            orders: shape.orders.max(1),
            sellers: shape.sellers.max(1),
        };
        let mut objects: Vec<InputObject> = Vec::new();
        let mut left = shape.entries;
        while left > 0 {
            let length = left.min(1 + random.below(shape.entries_per_object.max(1)));
            let entries: Vec<String> = (0..length)
                .map(|_| {
                    let bad = random.chance(shape.bad_percent);
                    if bad {
                        bad_event(&mut random)
                    } else {
                        good_event(&mut random, pool)
                    }
                })
                .collect();
            let bytes = content(&mut random, &entries, shape.bad_percent);
            let key = if random.chance(shape.reupload_percent) && !objects.is_empty() {
                objects[random.below(objects.len())].key.clone()
            } else {
                new_key(&mut random, objects.len())
            };
            if objects
                .iter()
                .any(|object| object.key == key && object.bytes == bytes)
            {
                continue;
            }
            left -= length;
            let seconds = i64::try_from(objects.len()).unwrap_or(0);
            let modified_micros = FIRST_WRITTEN + seconds * 1_000_000;
            objects.push(InputObject {
                key,
                modified_micros,
                bytes,
            });
        }
        Self { objects }
    }

    /// The objects in a random order of arrival. Uploads of one key keep their order, as they do in
    /// a bucket.
    pub fn permuted(&self, seed: u64) -> Vec<InputObject> {
        let mut order: Vec<usize> = (0..self.objects.len()).collect();
        Random::new(seed).shuffle(&mut order);
        let mut uploads: BTreeMap<&str, Vec<&InputObject>> = BTreeMap::new();
        for object in self.objects.iter().rev() {
            uploads.entry(&object.key).or_default().push(object);
        }
        order
            .into_iter()
            .filter_map(|at| {
                uploads
                    .get_mut(self.objects[at].key.as_str())?
                    .pop()
                    .cloned()
            })
            .collect()
    }

    /// The objects permuted and split into arrivals at random; no arrival has a key twice, because
    /// of two uploads between two looks into a bucket only the later is there.
    pub fn arrivals(&self, seed: u64) -> Vec<Vec<InputObject>> {
        let mut random = Random::new(seed ^ 0x5eed);
        let mut arrivals: Vec<Vec<InputObject>> = Vec::new();
        let mut keys = BTreeSet::new();
        for object in self.permuted(seed) {
            if arrivals.is_empty() || keys.contains(&object.key) || random.chance(25) {
                arrivals.push(Vec::new());
                keys.clear();
            }
            keys.insert(object.key.clone());
            if let Some(arrival) = arrivals.last_mut() {
                arrival.push(object);
            }
        }
        arrivals
    }
}

/// 2024-03-11T00:00:00Z in microseconds: when a history's first object was written.
const FIRST_WRITTEN: i64 = 1_710_115_200_000_000;

fn content(random: &mut Random, entries: &[String], bad_percent: u8) -> Vec<u8> {
    let form = Form::ALL[random.below(Form::ALL.len())];
    let packing = if random.chance(50) {
        Packing::None
    } else {
        Packing::ALL[random.below(Packing::ALL.len())]
    };
    if !random.chance(bad_percent) {
        return render(entries, form, packing);
    }
    match random.below(4) {
        0 => cut(random, render(entries, form, packing)),
        1 => packing.pack(&cut(random, render(entries, form, Packing::None))),
        2 => {
            let mut text = render(entries, Form::Ndjson, Packing::None);
            text.splice(0..0, *b"lixo, \n");
            packing.pack(&text)
        }
        _ => {
            let mut text = render(entries, form, Packing::None);
            let at = random.below(text.len());
            text.splice(at..=at, *b"\xe3");
            packing.pack(&text)
        }
    }
}

fn cut(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(random.below(bytes.len()));
    bytes
}

/// A key whose order among the others says nothing about the order of writing.
fn new_key(random: &mut Random, number: usize) -> String {
    let folder = random.pick(&["", "a/", "B/", "é/"]);
    format!("input/{folder}{:02x}-{number}.json", random.below(256))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{History, Shape};
    use crate::oracle::expected;

    #[test]
    fn history_same_seed_gives_the_same_objects() {
        let shape = Shape::default();
        assert_eq!(
            History::random(1, &shape).objects,
            History::random(1, &shape).objects
        );
        assert_ne!(
            History::random(1, &shape).objects,
            History::random(2, &shape).objects
        );
    }

    #[test]
    fn history_without_bad_ones_is_all_events() {
        let shape = Shape {
            bad_percent: 0,
            ..Shape::default()
        };
        for seed in 0..20 {
            let told = expected(&History::random(seed, &shape).objects);
            assert_eq!((told.events, told.entries), (40, 40), "seed {seed}");
        }
    }

    #[test]
    fn history_many_seeds_reach_ties_and_all_tables() {
        let shape = Shape::default();
        let told: Vec<_> = (0..50)
            .map(|seed| expected(&History::random(seed, &shape).objects))
            .collect();
        let reasons: BTreeSet<&str> = told
            .iter()
            .flat_map(|told| &told.quarantine)
            .map(|row| row.reason.as_str())
            .collect();
        for reason in [
            "syntax",
            "encoding",
            "compression",
            "not_an_object",
            "wrong_type",
        ] {
            assert!(reasons.contains(reason), "{reason}");
        }
        assert!(
            told.iter()
                .any(|told| !told.sellers.is_empty() && !told.shipments.is_empty())
        );
        assert!(
            told.iter()
                .all(|told| told.orders.len() <= 5 && told.sellers.len() <= 4)
        );
    }

    #[test]
    fn expected_any_order_of_objects_is_the_same() {
        for seed in 0..50 {
            let history = History::random(seed, &Shape::default());
            let told = expected(&history.objects);
            let mut objects = history.permuted(seed + 1);
            assert_eq!(objects.len(), history.objects.len());
            assert_eq!(expected(&objects), told, "seed {seed}");
            objects.extend_from_within(..);
            assert_eq!(expected(&objects), told, "seed {seed}, all seen twice");
            let arrived: Vec<_> = history.arrivals(seed).concat();
            assert_eq!(expected(&arrived), told, "seed {seed}, in arrivals");
        }
    }

    #[test]
    fn arrivals_keep_the_uploads_of_a_key_apart_and_in_order() {
        let shape = Shape {
            reupload_percent: 60,
            ..Shape::default()
        };
        for seed in 0..20 {
            let arrivals = History::random(seed, &shape).arrivals(seed);
            let mut written = std::collections::BTreeMap::new();
            for arrival in arrivals {
                let keys: BTreeSet<_> = arrival.iter().map(|object| &object.key).collect();
                assert_eq!(keys.len(), arrival.len());
                for object in arrival {
                    let before = written.insert(object.key, object.modified_micros);
                    assert!(before < Some(object.modified_micros));
                }
            }
        }
    }
}
