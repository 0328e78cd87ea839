"""Events of orders, very many of them and fast: the state of an order as one line of JSON.

Comes in: an order's number, which of its states is meant, two instants. Goes out: the line, and how
many items it has. Everything follows from the numbers alone, so that the same are made everywhere;
nothing is read, no clock, no random state. Fields and values are those of `esteira generate`, which
tells more life-like stories but is no match for millions of orders.
"""

from datetime import date, timedelta
from hashlib import md5
from struct import unpack

FIRST_DAY = date(2025, 1, 1)
DAY = 86_400
# Where `esteira generate` has a whole catalogue, here are so many offers of so many sellers.
OFFERS, SELLERS, CUSTOMERS = 24_000, 3_000, 50_000
# How many items an order has, by turns.
ITEMS = (1, 1, 1, 1, 1, 1, 2, 2, 2, 3)
# One state in so many has other items than the one before.
ITEMS_CHANGE = 8
# Payment, order, delivery.
STATES = (
    ("Pendente", "Criado", "Aguardando"),
    ("Aprovado", "Faturado", "Em separação"),
    ("Aprovado", "Enviado", "Em trânsito"),
    ("Aprovado", "Entregue", "Entregue"),
    ("Aprovado", "Devolvido", "Em devolução"),
    ("Estornado", "Cancelado", "Cancelada"),
)
GOODS = ("Furadeira", "Luminária de mesa", "Jogo de lençóis", "Mangueira 20 m", "Perfume", "Chaleira")
BRANDS = ("Serra Azul", "Três Rios", "Vila Nova", "Guará", "Mandacaru")
SHOPS = ("Loja Leitão", "Casa Macêdo", "Empório Peçanha", "Ateliê Junqueira", "Armazém Simões")
TOWNS = ("Niterói (RJ)", "Salvador (BA)", "Londrina (PR)", "Santos (SP)", "Olinda (PE)")


def order_id(number):
    """The key of an order; they are all over the key space."""
    return md5(b"order %d" % number).hexdigest()


def item_count(number, revision):
    """How many items that state of the order has."""
    _, _, first, second = unpack("<4I", md5(b"order %d" % number).digest())
    return ITEMS[turn(first, second, revision)]


def turn(first, second, revision):
    changed = revision and (second + revision) % ITEMS_CHANGE == 0
    return (first + revision if changed else first) % len(ITEMS)


class Events:
    """Makes events; has all their parts at hand."""

    def __init__(self):
        self._days = [
            (FIRST_DAY + timedelta(days=number)).isoformat() for number in range(3 * 365)
        ]
        self._times = [
            f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(DAY)
        ]
        self._fractions = [f".{number:03}Z" for number in range(1000)]
        self._customers = [name("customer", number) for number in range(CUSTOMERS)]
        self._offers = [offer(number) for number in range(OFFERS)]

    def instant(self, milliseconds):
        """Counted from the start of the first day."""
        seconds, fraction = divmod(milliseconds, 1000)
        day, second = divmod(seconds, DAY)
        return self._days[day] + self._times[second] + self._fractions[fraction]

    def event(self, number, revision, created, updated):
        """One line. Both instants in milliseconds from the start of the first day."""
        digest = md5(b"order %d" % number)
        key = digest.hexdigest()
        a, b, c, d = unpack("<4I", digest.digest())
        count = ITEMS[turn(c, d, revision)]
        paid, stage, delivery = STATES[(d + revision) % len(STATES)]
        item, parcel, seller = self._offers[a % OFFERS]
        parcel += delivery + '"}'
        if count > 1:
            another, its_parcel, _ = self._offers[b % OFFERS]
            item += "," + another
            parcel += "," + its_parcel + delivery + '"}'
            if count > 2:
                another, its_parcel, _ = self._offers[(a ^ b) % OFFERS]
                item += "," + another
                parcel += "," + its_parcel + delivery + '"}'
        when = self.instant(updated)
        return (
            f'{{"txt_detl_idt_pedi_pgto":"{key}","cod_idef_clie":"{self._customers[c % CUSTOMERS]}",'
            f'"dat_hor_tran":"{self.instant(created)}","list_item_pedi":[{item}],"list_envo":['
            f'{{"cod_tipo_entg":"NORMAL","list_item_envo":[{parcel}],"cod_venr":"{seller}",'
            f'"nom_stat_entg":"{delivery}","dat_emis_cpvt":"{when}"}}],"stat_pgto":"{paid}",'
            f'"stat_pedi":"{stage}","dat_atui":"{when}"}}\n'
        )


def offer(number):
    """An item of it, the beginning of that item in a parcel up to its state, and its seller."""
    seller_number = number % SELLERS
    code, seller = name("offer", number), name("seller", seller_number)
    cents = 990 + int(code[:4], 16)
    less = cents // 10 if number % 3 == 0 else 0
    what = f"{pick(GOODS, number)} {pick(BRANDS, number // len(GOODS))}"
    shop = f"{pick(SHOPS, seller_number)} - {pick(TOWNS, seller_number // len(SHOPS))}"
    item = (
        f'{{"nom_item":"{what}","cod_ofrt_ineo_requ":"{code}","vlr_oril":{money(cents)},'
        f'"vlr_prod":{money(cents - less)},"vlr_prod_ofrt_desc":{money(less)},'
        f'"qtd_item_pedi":{1 + number % 4},"idt_venr":"{seller}","nom_venr":"{shop}",'
        f'"idt_vrne_venr":"{code[:16]}","cod_vrne_prod":"SKU-{code[:8]}"}}'
    )
    parcel = (
        f'{{"qtd_prod":{1 + number % 4},"cod_prod_venr":"{code[:16]}","cod_prod":"SKU-{code[:8]}",'
        '"stat_entg":"'
    )
    return item, parcel, seller


def name(kind, number):
    return md5(f"{kind} {number}".encode()).hexdigest()


def pick(things, number):
    return things[number % len(things)]


def money(cents):
    return f"{cents // 100}.{cents % 100:02}"
