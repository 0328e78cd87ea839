"""Tables whose pipeline changed, as other people's software reads them: columns that old files lack, also
inside of lists, and types that hold more than when the table was made."""

import json
import shutil
from decimal import Decimal

import pytest

from canonical import rows_of
from lake import path_of
from matrix import READERS, takes
from pipeline_folders import BUILT_IN

COPIES = {"marks": "", "copies": "copy_on_write = true\n"}
# A file, a text in it, and what is there instead.
MORE = [
    ("schema.sql", "  stat_pgto ", "  canal STRING,\n  stat_pgto "),
    ("schema.sql", "    nom_item: STRING,", "    cor: STRING,\n    nom_item: STRING,"),
    ("schema.sql", "      cod_prod: STRING,", "      cor: STRING,\n      cod_prod: STRING,"),
    ("models/orders.sql", "  stat_pgto,", "  canal,\n  stat_pgto,"),
    ("models/products.sql", "  dat_atui\n", "  item['cor'] AS cor,\n  dat_atui\n"),
]
WIDER = [("schema.sql", "    vlr_prod: DECIMAL(18,2)", "    vlr_prod: DECIMAL(22,4)")]


def order(name, minute, price):
    return {
        "txt_detl_idt_pedi_pgto": name,
        "dat_atui": f"2024-05-01T10:{minute:02}:00Z",
        "canal": f"canal-{name}",
        "list_item_pedi": [
            {"idt_venr": "v", "vlr_prod": price, "qtd_item_pedi": 1, "cor": f"cor-{name}"}
        ],
        "list_envo": [{"list_item_envo": [{"cod_prod": "p", "qtd_prod": 2, "cor": "azul"}]}],
    }


class Changing:
    """A bucket whose pipeline changes."""

    def __init__(self, store, program, folder, copies):
        self.store, self.program, self.folder = store, program, folder
        shutil.copytree(BUILT_IN, folder)
        text = (folder / "pipeline.toml").read_text()
        (folder / "pipeline.toml").write_text(
            text.replace("[[table]]\n", "[[table]]\n" + copies)
            + "\n[maintenance]\ncompact = false\n"
        )

    def change(self, changes):
        for file, before, after in changes:
            text = (self.folder / file).read_text()
            assert before in text, f"{before} in {file}"
            (self.folder / file).write_text(text.replace(before, after, 1))

    def take(self, minute, names, price=1.5):
        for name in names:
            body = json.dumps(order(name, minute, price)).encode()
            self.store.put(f"input/{name}-{minute}.json", body)
        self.program.run_once(self.store, str(self.folder))


@pytest.fixture(scope="module")
def changed(program, new_store, tmp_path_factory):
    """By the way rows are taken out: tables with two orders from before, two from after, one of both."""
    made = {}

    def make(copies):
        if copies not in made:
            folder = tmp_path_factory.mktemp("changing") / "loja"
            changing = Changing(new_store("folder"), program, folder, COPIES[copies])
            changing.take(1, ["a", "b"])
            changing.take(2, ["c"])
            changing.change(MORE)
            changing.take(3, ["b", "d"])
            made[copies] = changing
        return made[copies]

    return make


@pytest.fixture(scope="module")
def wider(program, new_store, tmp_path_factory):
    """The same, and then a type that holds more."""
    made = {}

    def make(copies):
        if copies not in made:
            folder = tmp_path_factory.mktemp("wider") / "loja"
            changing = Changing(new_store("folder"), program, folder, COPIES[copies])
            changing.take(1, ["a", "b"])
            changing.change(MORE)
            changing.take(2, ["b", "c"])
            changing.change(WIDER)
            told = program.tidy("upgrade", changing.store, str(folder))
            again = [column["column"] for column in told["products"]["wider_columns"]]
            assert again == ["vlr_prod"]
            changing.take(3, ["d"], 2.1234)
            made[copies] = changing
        return made[copies]

    return make


def readers():
    return [
        (copies, reader)
        for copies in COPIES
        for reader in READERS
        # By hand no column is added to an old file.
        if takes(reader, copies == "copies") and reader != "by-hand"
    ]


def by_id(reader, changing, table):
    rows = rows_of(reader.read(changing.store, path_of(table)))
    return {row["txt_detl_idt_pedi_pgto"]: row for row in rows}


@pytest.mark.parametrize(("copies", "reader"), readers(), indirect=["reader"])
def test_column_that_old_files_lack_is_null_in_them(changed, copies, reader):
    orders = by_id(reader, changed(copies), "orders")
    assert {name: row["canal"] for name, row in orders.items()} == {
        "a": None,
        "b": "canal-b",
        "c": None,
        "d": "canal-d",
    }
    products = by_id(reader, changed(copies), "products")
    assert {name: row["cor"] for name, row in products.items()} == {
        "a": None,
        "b": "cor-b",
        "c": None,
        "d": "cor-d",
    }


@pytest.mark.parametrize(("copies", "reader"), readers(), indirect=["reader"])
def test_field_inside_of_lists_that_old_files_lack_is_null_in_them(changed, copies, reader):
    shipments = by_id(reader, changed(copies), "shipments")
    items = {name: row["list_envo"][0]["list_item_envo"][0] for name, row in shipments.items()}
    assert {name: (item["cod_prod"], item["qtd_prod"]) for name, item in items.items()} == {
        name: ("p", 2) for name in "abcd"
    }
    assert {name: item.get("cor") for name, item in items.items()} == {
        "a": None,
        "b": "azul",
        "c": None,
        "d": "azul",
    }


@pytest.mark.parametrize(("copies", "reader"), readers(), indirect=["reader"])
def test_type_that_holds_more_is_read_as_such_in_every_row(wider, copies, reader):
    changing = wider(copies)
    table = reader.read(changing.store, path_of("products"))
    prices = dict(
        zip(
            table.column("txt_detl_idt_pedi_pgto").to_pylist(),
            table.column("vlr_prod").to_pylist(),
        )
    )
    assert prices == {
        "a": Decimal("1.5000"),
        "b": Decimal("1.5000"),
        "c": Decimal("1.5000"),
        "d": Decimal("2.1234"),
    }
