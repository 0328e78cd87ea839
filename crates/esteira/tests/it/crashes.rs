//! A process killed after any write, and started again.

use esteira_testkit::history::{History, Shape};
use esteira_testkit::oracle::InputObject;

use crate::world::World;

/// Lets objects arrive and runs after each arrival; kills the run after its first, second, third … write,
/// each time in a new world, and starts it again. Gives the worlds that came of it.
pub(crate) async fn killed_everywhere(
    new: impl Fn() -> World,
    arrivals: &[Vec<InputObject>],
    check: impl AsyncFn(&World),
) -> usize {
    for writes in 0.. {
        let mut world = new();
        let mut died = false;
        for arrival in arrivals {
            world.arrive(arrival).await;
            if !died {
                world.store.die_after(writes - world.store.writes());
            }
            let outcome = world.run().await;
            if world.store.is_dead() {
                died = true;
                world.store.revive();
                world.run().await.unwrap();
            } else {
                outcome.unwrap();
            }
        }
        check(&world).await;
        world.store.revive();
        world.vacuum().await;
        check(&world).await;
        if !died {
            return usize::try_from(writes).unwrap();
        }
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_after_every_write_replays_cleanly() {
    let shape = Shape {
        orders: 4,
        entries: 10,
        ..Shape::default()
    };
    let arrivals = History::random(11, &shape).arrivals(11);
    // What happens to tidying is told, and fails no run.
    let new = || World::new().with_batches_of(2).restless();
    let kills = killed_everywhere(new, &arrivals, World::check).await;
    assert!(kills > 30, "only {kills} kills");
}
