//! What happens to one order: a number in, the order and its states in the order of their instants
//! out. The shares of ties and of orders without items are kept here, lateness is not.

use super::catalogue::{PRODUCTS, Product};
use super::options::SampleOptions;
use super::random::{Random, mixed};

/// An order with everything that its events say.
#[derive(Debug)]
pub(super) struct Order {
    /// 128 bits of its own: the order's id.
    pub(super) id: [u64; 2],
    /// 128 bits of its customer; customers come back.
    pub(super) customer: [u64; 2],
    /// Seconds since 1970 of its creation.
    pub(super) created: u64,
    pub(super) items: Vec<Item>,
    /// Two to five, from its creation on, with instants that never fall.
    pub(super) states: Vec<State>,
}

/// An item line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) product: Product,
    /// Cents.
    pub(super) price: u64,
    /// Cents off.
    pub(super) discount: u64,
    pub(super) quantity: u64,
    /// Cents of freight.
    pub(super) freight: u64,
}

/// What an event tells of its order.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// Milliseconds since 1970.
    pub(super) millis: u64,
    /// Whether the instant is written with Brasília's offset.
    pub(super) local: bool,
    pub(super) payment: &'static str,
    pub(super) order: &'static str,
    /// State of its shipments; empty before there are any.
    pub(super) shipment: &'static str,
}

/// 2024-01-01T00:00:00Z in seconds since 1970.
const FIRST_DAY: u64 = 1_704_067_200;
const HOUR: u64 = 3_600_000;

/// Payment, order and shipment, in the usual order of things.
const LIFE: [[&str; 3]; 5] = [
    ["Pendente", "Criado", ""],
    ["Aprovado", "Aprovado", ""],
    ["Aprovado", "Faturado", "Em separação"],
    ["Aprovado", "Enviado", "Em trânsito"],
    ["Aprovado", "Entregue", "Entregue"],
];
const CANCELLED: [&str; 3] = ["Estornado", "Cancelado", ""];

/// The order at `index` of the sample, from 0.
pub(super) fn order(options: &SampleOptions, index: u64) -> Order {
    let number = options.first_order.wrapping_add(index);
    let own = mixed(mixed(options.seed ^ 0x6573_7465_6972_6121).wrapping_add(number));
    let mut random = Random::new(own);
    let customer = mixed(random.below(options.orders / 2 + 1));
    let seconds = u128::from(options.days.max(1)) * 86_400 * u128::from(index);
    let seconds = seconds / u128::from(options.orders.max(1));
    let created = FIRST_DAY + u64::try_from(seconds).unwrap_or(0) + random.below(60);
    let items = items(options, &mut random);
    let states = states(options, &mut random, created * 1_000);
    Order {
        id: [own, mixed(own)],
        customer: [customer, mixed(customer)],
        created,
        items,
        states,
    }
}

fn items(options: &SampleOptions, random: &mut Random) -> Vec<Item> {
    if random.chance(options.without_items_per_mille) {
        return Vec::new();
    }
    let count = [1, 1, 2, 2, 3, 3][usize::try_from(random.below(6)).unwrap_or(0)];
    (0..count)
        .map(|_| {
            let product = Product::new(random.below(PRODUCTS));
            let price = product.price();
            let discount = if random.chance(250) { price / 10 } else { 0 };
            Item {
                product,
                price,
                discount,
                quantity: 1 + random.below(10) / 7,
                freight: 490 + random.below(4_500),
            }
        })
        .collect()
}

fn states(options: &SampleOptions, random: &mut Random, created: u64) -> Vec<State> {
    let count = usize::try_from(2 + random.below(4)).unwrap_or(2);
    let cancelled = random.chance(80);
    let mut millis = created;
    (0..count)
        .map(|step| {
            if step > 0 && !random.chance(options.tied_per_mille) {
                millis += HOUR / 12 + random.below(36 * HOUR);
            }
            let [payment, order, shipment] = match LIFE.get(step) {
                Some(life) if !(cancelled && step + 1 == count) => *life,
                _ => CANCELLED,
            };
            State {
                millis,
                local: random.chance(100),
                payment,
                order,
                shipment,
            }
        })
        .collect()
}
