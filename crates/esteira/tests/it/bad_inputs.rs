//! Inputs that are wrong in every way we could think of: none stops the job, each ends where the
//! contract says.

use esteira_testkit::bad_inputs::bad_inputs;
use object_store::path::Path;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn bad_inputs_end_where_the_contract_says() {
    let mut world = World::new();
    let mut objects = Vec::new();
    for (case, second) in bad_inputs().unwrap().iter().zip(0..) {
        // Names that the memory store cannot hold are tried through the simulator.
        let holds = Path::parse(&case.key).is_ok_and(|path| path.as_ref() == case.key);
        if holds && !case.has_own_limit() {
            objects.push(case.object(1_700_000_000_000_000 + second * 1_000_000));
        }
    }
    assert!(objects.len() > 100, "{}", objects.len());
    world.arrive(&objects).await;
    world.run().await.unwrap();
    world.check().await;
}
