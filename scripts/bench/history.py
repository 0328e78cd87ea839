"""The orders of a year, and batches that come after it: as folders of objects, made once and kept.

Comes in: how many orders. Goes out: a folder for filling tables, one event an order, in time order;
and folders of batches, each one object: nine events of ten are a later state of an order that is
there, one of ten is a new order. `recent` batches choose among the orders of the last 14 days,
`spread` ones among all of them.
"""

import random
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import events as orders_events
from cache import data_set, kept, recipe
from events import DAY, Events, item_count
from failure import BenchError

SEED = 1
DAYS, RECENT_DAYS = 365, 14
EVENTS_PER_OBJECT = 10_000
# Of ten events of a batch, how many are later states of known orders.
UPDATES_OF_TEN = 9
# When the first batch begins and how far batches are apart, in milliseconds; the last event of the
# fill is before, whatever the number of orders.
TODAY, APART = (DAYS + 1) * DAY * 1000, 60_000


class History:
    def __init__(self, folder):
        self._folder = folder
        self._folder.mkdir(exist_ok=True)
        # The recipe of a data set; what is filled from one carries it too.
        self.recipe = recipe(__file__, orders_events.__file__)

    def fill(self, orders):
        """One event of each order, in time order."""
        made = kept(
            self._folder, f"fill-{orders}", self.recipe, f"{orders:,} orders",
            lambda folder: write_fill(folder, orders),
        )
        return data_set(made, orders)

    def batches(self, orders, keys, size, count):
        """So many batches of `size` events, each one object; their names sort by time."""
        name = f"{keys}-{orders}-{size}x{count}"
        maker = Batches(orders, updates=size * UPDATES_OF_TEN // 10, size=size, keys=keys)

        def write(folder):
            for number in range(1, count + 1):
                (folder / batch_name(number)).write_bytes(maker.lines(number))

        made = kept(self._folder, name, self.recipe, f"{count} batches of {size:,} events", write)
        return data_set(made, size * count)


class Batches:
    """Batches of one history, each from its number."""

    def __init__(self, orders, updates, size, keys="recent", sliding=False):
        """`sliding`: the recent orders include those that earlier batches brought."""
        self._orders = orders
        self._updates = updates
        self._size = size
        self._keys = keys
        self._sliding = sliding
        self._recent = orders * RECENT_DAYS // DAYS
        self._events = made_events()
        pool = len(self._pool(1))
        if pool < updates:
            raise BenchError(
                f"{updates} orders cannot be chosen among {pool}", hint="more orders, smaller batches"
            )

    @property
    def new_orders(self):
        """How many orders each batch brings."""
        return self._size - self._updates

    def lines(self, number):
        """The batch of this number, as an object."""
        return "".join(
            self._events.event(order, number, self._created(order), updated)
            for order, updated in self.chosen(number)
        ).encode()

    def chosen(self, number):
        """Its orders, and when each is updated; in time order."""
        chance = random.Random(f"{SEED} {self._orders} {self._keys} {number}")
        chosen = chance.sample(self._pool(number), self._updates)
        first_new = self._orders + (number - 1) * self.new_orders
        # Among the later states, not behind them.
        for order in range(first_new, first_new + self.new_orders):
            chosen.insert(chance.randrange(len(chosen) + 1), order)
        now = TODAY + (number - 1) * APART
        return [(order, now + place * APART // self._size) for place, order in enumerate(chosen)]

    def _pool(self, number):
        if self._keys == "spread":
            return range(self._orders)
        known = self._orders + (number - 1) * self.new_orders if self._sliding else self._orders
        return range(known - self._recent, known)

    def _created(self, order):
        if order < self._orders:
            return created(order, self._orders)
        return TODAY + (order - self._orders) // self.new_orders * APART


def write_fill(folder, orders):
    starts = range(0, orders, EVENTS_PER_OBJECT)
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(write_fill_object, [(folder, start, orders) for start in starts]):
            pass


def write_fill_object(job):
    folder, start, orders = job
    event = made_events().event
    lines = []
    for order in range(start, min(start + EVENTS_PER_OBJECT, orders)):
        at = created(order, orders)
        lines.append(event(order, 0, at, first_update(order, orders)))
    (folder / f"fill-{start // EVENTS_PER_OBJECT:06}.json").write_bytes("".join(lines).encode())


def created(order, orders):
    """When an order of the year was created: they are spread evenly."""
    return order * DAYS * DAY * 1000 // orders


def first_update(order, orders):
    """When it was updated as the fill has it: up to 16 hours later."""
    return created(order, orders) + order * 7919 % 1000 * 60_000


@cache
def made_events():
    return Events()


def batch_name(number):
    return f"batch-{number:06}.json"


def expected(orders, last):
    """What `orders` and `products` must hold after a fill and batches; `last` has, by order, number and
    instant of the last batch that it was in. Rows of both, and the sum of all instants of update."""
    untouched = [order for order in range(orders) if order not in last]
    return {
        "orders": len(untouched) + len(last),
        "products": sum(item_count(order, 0) for order in untouched)
        + sum(item_count(order, number) for order, (number, _) in last.items()),
        "instants": sum(first_update(order, orders) for order in untouched)
        + sum(instant for _, instant in last.values()),
    }
