"""Waves without end of a few events each, over orders that are there already.

Goes out: updates, late events, ties, orders without their items and new orders, the same ones from
the same seed. No key is uploaded twice, so nothing has to wait for the clock of a listing.
"""

import json
import random
from datetime import UTC, datetime, timedelta

from waves import Wave, event, item

EPOCH = datetime(2024, 5, 1, tzinfo=UTC)
STATES = ["Novo", "Pago", "Enviado", "Entregue", "Devolvido"]
SELLERS = 40


class SmallWaves:
    """Orders in the making."""

    def __init__(self, orders=400, seed=7):
        self.random = random.Random(seed)
        self.orders = orders
        self.number = 0
        # Order to the minute of its newest event; what is spared is not spoken of again.
        self.newest = {}
        self.spared = set()

    def first(self):
        """All orders that there are before the small waves."""
        return self._wave([self._new() for _ in range(self.orders)])

    def take(self, count):
        """The next waves."""
        return [self._wave(self._few()) for _ in range(count)]

    def spare(self):
        """An order that no further wave is about."""
        order = self.random.choice(sorted(self.newest.keys() - self.spared))
        self.spared.add(order)
        return order

    def about(self, order):
        """A wave with a newer event of this order, and with no other."""
        return self._wave([self._event(order, 1)])

    def _few(self):
        known = sorted(self.newest.keys() - self.spared)
        updated = self.random.sample(known, 8)
        events = [self._event(order, self.random.randint(1, 500)) for order in updated]
        events += [self._event(order, -self.random.randint(1, 500)) for order in known[:2]]
        # Another event of the same instant, and two of one order in a wave.
        events += [self._event(updated[0], 0), self._event(updated[1], 1)]
        return events + [self._new() for _ in range(3)]

    def _new(self):
        order = f"pedido-{self.random.getrandbits(32):08x}"
        self.newest[order] = 0
        return self._event(order, self.random.randint(0, 10_000))

    def _event(self, order, minutes):
        at = self.newest[order] + minutes
        self.newest[order] = max(at, self.newest[order])
        sellers = self.random.sample(range(SELLERS), self.random.choice([0, 1, 1, 2, 3]))
        items = [
            item(
                f"s-{seller:02}",
                nom_venr=json.dumps(f"loja {seller} em {at}"),
                vlr_prod=f"{self.random.randint(1, 99_999)}.{self.random.randint(0, 99):02}",
                qtd_item_pedi=str(self.random.randint(1, 9)),
            )
            for seller in sellers
        ]
        sent = [f'{{"cod_venr":"s-{seller:02}","list_item_envo":[]}}' for seller in sellers[:2]]
        return event(
            order,
            f"{EPOCH + timedelta(minutes=at):%Y-%m-%dT%H:%M:%SZ}",
            stat_pedi=json.dumps(self.random.choice(STATES)),
            list_item_pedi=f"[{','.join(items)}]",
            list_envo=f"[{','.join(sent)}]",
        )

    def _wave(self, events):
        self.number += 1
        if self.number % 10 == 0:
            events.append("{")
        half = len(events) // 2
        bodies = {"a": events[:half], "b": events[half:]}
        return Wave(
            f"small wave {self.number}",
            {
                f"input/onda-{self.number:04}-{part}.json": "\n".join(texts).encode()
                for part, texts in bodies.items()
                if texts
            },
        )
