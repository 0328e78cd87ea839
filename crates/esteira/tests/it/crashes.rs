//! A process killed after any write, and started again.

use esteira_testkit::history::{History, Shape};

use crate::world::World;

/// Kills the run, tidying included, after its first, second, third … write, each time in a bucket of its own, until a
/// run needs no more writes; starts it again and holds the result against the oracle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_replays_cleanly() {
    let history = History::random(
        11,
        &Shape {
            orders: 4,
            entries: 10,
            ..Shape::default()
        },
    );
    let arrivals = history.arrivals(11);
    let mut kills = 0;
    for writes in 0.. {
        let mut world = World::new().with_batches_of(2).restless();
        let mut died = false;
        for arrival in &arrivals {
            world.arrive(arrival).await;
            if !died {
                world.store.die_after(writes - world.store.writes());
            }
            let outcome = world.run().await;
            if world.store.is_dead() {
                // What happens to tidying is told, and fails no run.
                died = true;
                kills += 1;
                world.store.revive();
                world.run().await.unwrap();
            } else {
                outcome.unwrap();
            }
        }
        world.check().await;
        world.store.revive();
        world.vacuum().await;
        world.check().await;
        if !died {
            break;
        }
    }
    assert!(kills > 30, "only {kills} kills");
}
