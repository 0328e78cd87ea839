"""What the tables must hold after several waves of uploads, put together from the oracle's answers.

The oracle takes one content per key. A key that is uploaded again with other content therefore goes
into a later wave of its own, and the waves' answers are merged here by the contract's rule: the
greatest version wins, and an order's products and shipments are those of its winning event. That
the greatest of several greatest versions is the greatest of all makes this exact.
"""

from collections import Counter
from dataclasses import dataclass, field

from canonical import TABLES, of_oracle

ORDER = "txt_detl_idt_pedi_pgto"
SELLER = "idt_venr"


@dataclass
class Expected:
    """Rows of the four tables, quarantined entries, and how many entries there were in all."""

    orders: list = field(default_factory=list)
    products: list = field(default_factory=list)
    sellers: list = field(default_factory=list)
    shipments: list = field(default_factory=list)
    quarantine: list = field(default_factory=list)
    entries: int = 0

    @classmethod
    def of_answer(cls, answer):
        """One answer of the oracle."""
        tables = {name: of_oracle(answer[name]) for name in TABLES}
        return cls(**tables, quarantine=answer["quarantine"], entries=answer["entries"])

    def table(self, name):
        return getattr(self, name)

    def reasons(self):
        """Quarantined entries by reason."""
        return dict(Counter(row["reason"] for row in self.quarantine))

    def merged(self, later):
        """What both waves together amount to."""
        mine, theirs = _by(self.orders, ORDER), _by(later.orders, ORDER)
        both = mine.keys() & theirs.keys()
        losing_here = {key for key in both if _version(theirs[key]) > _version(mine[key])}
        losing_there = both - losing_here

        def of_winners(table):
            return [row for row in self.table(table) if row[ORDER] not in losing_here] + [
                row for row in later.table(table) if row[ORDER] not in losing_there
            ]

        sellers = _by(self.sellers, SELLER)
        for row in later.sellers:
            known = sellers.get(row[SELLER])
            if known is None or _version(row) > _version(known):
                sellers[row[SELLER]] = row
        return Expected(
            orders=of_winners("orders"),
            products=of_winners("products"),
            sellers=list(sellers.values()),
            shipments=of_winners("shipments"),
            quarantine=self.quarantine + later.quarantine,
            entries=self.entries + later.entries,
        )


def _by(rows, key):
    return {row[key]: row for row in rows}


def _version(row):
    return (
        row["dat_atui"],
        row["_source_file"].encode(),
        row["_source_modified"],
        row["_source_position"],
    )
