//! Decisions by themselves, and each fault as a client over a bare connection sees it.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    time::{Duration, Instant},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{fault::Fault, name::Asked, profile::Weights, *};
use crate::{
    gate::{BucketNames, HEALTH_PATH, Pulse},
    protocol::Protocol,
    store::{Clock, Store},
};
use std::sync::Arc;

const ROUGH: Chaos = Chaos {
    seed: 7,
    profile: Profile::Rough,
};

const WRITE: Asked = Asked {
    is_write: true,
    is_read: false,
    is_conditional: true,
    list_version: None,
};

const LIST: Asked = Asked {
    is_write: false,
    is_read: true,
    is_conditional: false,
    list_version: Some(2),
};

/// What happens to the first `turns` requests of each of `names`, one name after another.
fn decisions(weather: &Weather, names: u32, turns: u32, asked: Asked) -> Vec<Option<Fault>> {
    (0..names)
        .flat_map(|name| (0..turns).map(move |_| format!("name {name}")))
        .map(|name| weather.decide_for(&name, asked))
        .collect()
}

#[test]
fn decisions_of_one_seed_are_the_same_and_of_another_differ() {
    let one = decisions(&Weather::of(ROUGH), 50, 20, LIST);
    assert_eq!(decisions(&Weather::of(ROUGH), 50, 20, LIST), one);
    let other = Chaos { seed: 8, ..ROUGH };
    assert_ne!(decisions(&Weather::of(other), 50, 20, LIST), one);
}

#[test]
fn decisions_of_a_name_do_not_depend_on_other_names() {
    let turn_by_turn = Weather::of(ROUGH);
    let mut mixed: BTreeMap<u32, Vec<Option<Fault>>> = BTreeMap::new();
    for _ in 0..20 {
        for name in (0..50).rev() {
            let fault = turn_by_turn.decide_for(&format!("name {name}"), LIST);
            mixed.entry(name).or_default().push(fault);
        }
    }
    let mixed: Vec<_> = mixed.into_values().flatten().collect();
    assert_eq!(mixed, decisions(&Weather::of(ROUGH), 50, 20, LIST));
}

#[test]
fn rates_are_those_of_the_profile() {
    for profile in [Profile::Light, Profile::Rough, Profile::Storm] {
        let weights = profile.weights();
        for asked in [WRITE, LIST] {
            let weather = Weather::of(Chaos { seed: 1, profile });
            let drawn = decisions(&weather, 10_000, 1, asked);
            for (kind, rate) in Kind::ALL.into_iter().zip(weights.rates) {
                let count = drawn.iter().flatten().filter(|f| f.kind() == kind).count();
                let wanted = if kind.can_happen_to(asked) { rate } else { 0 };
                let off = (count as u64).abs_diff(wanted);
                // Five standard deviations of a count of rare things.
                let allowed = wanted.isqrt() * 5;
                assert!(off <= allowed, "{profile} {kind:?}: {count} for {wanted}");
            }
        }
    }
}

#[test]
fn faults_in_a_row_end_in_time_for_a_client_that_tries_again() {
    let chaos = Chaos {
        seed: 3,
        profile: Profile::Storm,
    };
    let weather = Weather::of(chaos);
    let mut longest = 0;
    for name in 0..2_000 {
        let mut row = 0;
        for fault in (0..10).map(|_| weather.decide_for(&format!("{name}"), LIST)) {
            row = if fault.is_some() { row + 1 } else { 0 };
            longest = longest.max(row);
        }
    }
    assert_eq!(longest, MOST_IN_A_ROW);
}

#[test]
fn every_kind_has_a_name_of_its_own_and_a_row_in_the_documentation() {
    let names: HashSet<&str> = Kind::ALL.map(Kind::name).into();
    assert_eq!(names.len(), Kind::ALL.len());
    let documentation = include_str!("../../../../docs/reliability.md");
    let percent = |rate: u64| {
        let text = format!("{}.{:02}", rate / 100, rate % 100);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let rates = [Profile::Light, Profile::Rough, Profile::Storm].map(|p| p.weights().rates);
    for (position, kind) in Kind::ALL.into_iter().enumerate() {
        let numbers = rates.map(|rates| percent(rates[position]));
        let row = documentation
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", kind.name())))
            .unwrap_or_else(|| panic!("no row of {kind:?}"));
        let end = format!("| {} |", numbers.join(" | "));
        assert!(row.ends_with(&end), "{row}: {end}");
    }
}

/// A service whose requests meet one kind of fault, three times out of four.
struct Faults {
    address: std::net::SocketAddr,
    weather: Arc<Weather>,
    store: Arc<Store>,
    _dir: TempDir,
}

/// An answer, as far as it came.
#[derive(Debug)]
struct Got {
    status: u16,
    announced: usize,
    body: String,
}

impl Faults {
    async fn only(kind: Kind) -> Self {
        let mut weights: Weights = Profile::Light.weights();
        weights.rates = Kind::ALL.map(|other| if other == kind { 10_000 } else { 0 });
        weights.hang = 200..=200;
        let weather = Arc::new(Weather::with(ROUGH, weights));
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path(), Clock::default()).unwrap());
        store.create_bucket("shop").unwrap();
        for key in ["a", "b", "c", "d", "e"] {
            std::fs::write(store.dir().join("shop").join(key), "0123456789").unwrap();
        }
        // What came by hand is found when the folder is opened.
        drop(store);
        let store = Arc::new(Store::open(dir.path(), Clock::default()).unwrap());
        let pulse = Pulse {
            dir: store.dir().to_owned(),
            weather: Some(Arc::clone(&weather)),
        };
        let mut builder = S3ServiceBuilder::new(Protocol::new(Arc::clone(&store), pulse));
        builder.set_validation(BucketNames);
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&weather);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let cut = Cut::default();
                let faulty = Faulty::new(service.clone(), Arc::clone(&shared), cut.clone());
                tokio::spawn(async move {
                    let wire = TokioIo::new(Wire::new(stream, cut));
                    let builder = auto::Builder::new(TokioExecutor::new()).http1_only();
                    drop(builder.serve_connection(wire, faulty).await);
                });
            }
        });
        Self {
            address,
            weather,
            store,
            _dir: dir,
        }
    }

    /// One request on a connection of its own.
    async fn ask(&self, request: &str, body: &str) -> io::Result<Got> {
        let mut stream = TcpStream::connect(self.address).await?;
        let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
        let text = format!(
            "{line} HTTP/1.1\r\nHost: s3\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8(answer).unwrap();
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let announced = head.lines().find_map(|line| {
            let line = line.to_ascii_lowercase();
            line.strip_prefix("content-length: ")?.parse().ok()
        });
        Ok(Got {
            status: head[9..12].parse().unwrap(),
            announced: announced.unwrap_or(body.len()),
            body: body.to_owned(),
        })
    }

    fn exists(&self, key: &str) -> bool {
        self.store.bucket("shop").unwrap().find(key).is_ok()
    }

    fn count(&self, kind: Kind) -> u64 {
        let faults = self.weather.faults();
        assert!(faults.keys().all(|known| known == kind.name()));
        faults.get(kind.name()).copied().unwrap_or(0)
    }
}

/// A write meets the fault three times, then succeeds; goes out with what it met, and whether the first
/// had taken effect.
async fn write_through(kind: Kind, headers: &str) -> (Vec<io::Result<Got>>, bool, Got) {
    let faults = Faults::only(kind).await;
    let put = format!("PUT /shop/new\n{headers}");
    let mut met = vec![faults.ask(&put, "bytes").await];
    let had_effect = faults.exists("new");
    for _ in 1..MOST_IN_A_ROW {
        met.push(faults.ask(&put, "bytes").await);
    }
    let last = faults.ask(&put, "bytes").await.unwrap();
    assert!(faults.exists("new"));
    assert_eq!(faults.count(kind), u64::from(MOST_IN_A_ROW));
    (met, had_effect, last)
}

#[tokio::test]
async fn refusals_come_in_the_words_of_s3_and_without_effect() {
    for (kind, status, code, condition) in [
        (Kind::SlowDown, 503, "SlowDown", ""),
        (Kind::InternalError, 500, "InternalError", ""),
        (
            Kind::Conflict,
            409,
            "ConditionalRequestConflict",
            "If-None-Match: *\r\n",
        ),
    ] {
        let (met, had_effect, last) = write_through(kind, condition).await;
        for got in met {
            let got = got.unwrap();
            assert_eq!(got.status, status, "{got:?}");
            assert!(got.body.contains(&format!("<Code>{code}</Code>")));
            assert_eq!(got.body.len(), got.announced);
        }
        assert!(!had_effect, "{kind:?}");
        assert_eq!(last.status, 200);
    }
}

#[tokio::test]
async fn conflict_meets_only_writes_with_a_condition() {
    let faults = Faults::only(Kind::Conflict).await;
    assert_eq!(faults.ask("PUT /shop/new", "x").await.unwrap().status, 200);
    let get = "GET /shop/a\nIf-None-Match: \"x\"\r\n";
    assert_eq!(faults.ask(get, "").await.unwrap().status, 200);
    assert_eq!(faults.count(Kind::Conflict), 0);
}

#[tokio::test]
async fn connection_is_reset_before_a_write_or_after() {
    for (kind, wanted) in [(Kind::ResetBefore, false), (Kind::ResetAfter, true)] {
        let (met, had_effect, last) = write_through(kind, "").await;
        for got in met {
            let error = got.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
        }
        assert_eq!(had_effect, wanted, "{kind:?}");
        assert_eq!(last.status, 200);
    }
}

#[tokio::test]
async fn lost_answer_of_a_new_object_makes_its_repetition_fail() {
    for (kind, seen) in [(Kind::ErrorAfter, true), (Kind::ResetAfter, false)] {
        let (met, had_effect, last) = write_through(kind, "If-None-Match: *\r\n").await;
        assert!(had_effect);
        assert!(met.iter().all(|got| got.is_ok() == seen), "{met:?}");
        assert!(met.iter().flatten().all(|got| got.status == 500));
        assert_eq!(last.status, 412, "{last:?}");
    }
}

#[tokio::test]
async fn request_hangs_and_is_dropped() {
    let faults = Faults::only(Kind::Timeout).await;
    let began = Instant::now();
    let error = faults.ask("PUT /shop/new", "x").await.unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_ne!(error.kind(), io::ErrorKind::InvalidData);
    assert!(!faults.exists("new"));
    assert_eq!(faults.count(Kind::Timeout), 1);
}

#[tokio::test]
async fn answer_ends_before_the_length_it_announced() {
    let faults = Faults::only(Kind::Truncated).await;
    for path in ["/shop/a", "/shop?list-type=2"] {
        let got = faults.ask(&format!("GET {path}"), "").await.unwrap();
        assert_eq!(got.status, 200);
        assert!(got.body.len() < got.announced, "{got:?}");
    }
    assert_eq!(faults.count(Kind::Truncated), 2);
}

#[tokio::test]
async fn slow_answer_is_whole() {
    let faults = Faults::only(Kind::SlowBody).await;
    let began = Instant::now();
    let got = faults.ask("GET /shop/a", "").await.unwrap();
    assert_eq!(
        (got.body.as_str(), got.announced),
        ("0123456789", 10),
        "{got:?}"
    );
    // Two pieces, five milliseconds before each, at least.
    assert!(began.elapsed() >= Duration::from_millis(10));
    assert_eq!(faults.count(Kind::SlowBody), 1);
}

/// The text between a tag's ends, for each time it is there.
fn tags<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let open = format!("<{tag}>");
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split('<').next())
        .collect()
}

#[tokio::test]
async fn odd_pages_hold_every_key_once_between_them() {
    for (kind, start) in [
        (Kind::ShortPage, ""),
        (Kind::EmptyPage, ""),
        (Kind::EmptyPage, "&start-after=b"),
        (Kind::ShortPage, "&delimiter=%2F&prefix="),
    ] {
        let faults = Faults::only(kind).await;
        let mut keys = Vec::new();
        let mut sizes = Vec::new();
        let mut token = String::new();
        loop {
            let list = format!("GET /shop?list-type=2{start}{token}");
            let page = faults.ask(&list, "").await.unwrap();
            assert_eq!(page.status, 200, "{page:?}");
            let found = tags(&page.body, "Key");
            sizes.push(found.len());
            keys.extend(found.into_iter().map(str::to_owned));
            if tags(&page.body, "IsTruncated") != ["true"] {
                break;
            }
            let next = tags(&page.body, "NextContinuationToken").remove(0);
            token = format!("&continuation-token={next}");
        }
        let all = ["a", "b", "c", "d", "e"];
        let wanted = if start.contains("after") {
            &all[2..]
        } else {
            &all[..]
        };
        assert_eq!(keys, wanted);
        assert!(faults.count(kind) > 0, "{sizes:?}");
        match kind {
            Kind::EmptyPage => assert!(sizes.contains(&0), "{sizes:?}"),
            _ => assert!(sizes.iter().all(|size| *size <= 3), "{sizes:?}"),
        }
    }
}

#[tokio::test]
async fn old_listing_has_short_pages_but_no_empty_ones() {
    let faults = Faults::only(Kind::EmptyPage).await;
    let page = faults.ask("GET /shop", "").await.unwrap();
    assert_eq!(tags(&page.body, "Key").len(), 5);
    let faults = Faults::only(Kind::ShortPage).await;
    let page = faults.ask("GET /shop?delimiter=%2F", "").await.unwrap();
    let keys = tags(&page.body, "Key");
    assert!((1..=3).contains(&keys.len()), "{page:?}");
    assert_eq!(
        tags(&page.body, "NextMarker").first(),
        keys.last(),
        "{page:?}"
    );
}

#[tokio::test]
async fn health_answer_meets_no_fault_and_counts_them() {
    let faults = Faults::only(Kind::SlowDown).await;
    for count in 0..3 {
        let got = faults.ask(&format!("GET {HEALTH_PATH}"), "").await.unwrap();
        let health: crate::Health = serde_json::from_str(&got.body).unwrap();
        assert_eq!(health.chaos, Some(ROUGH));
        let told = health.faults.unwrap().get("slow_down").copied();
        assert_eq!(told.unwrap_or(0), count);
        faults.ask("GET /shop/a", "").await.unwrap();
    }
}
