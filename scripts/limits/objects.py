"""Objects that are larger than they should be, for scripts/limits.sh: objects.py KIND PATH MEBIBYTES."""

import gzip
import json
import os
import sys

MIB = 1024 * 1024


def event(number, items=3, padding=0):
    """An order as the marketplace sends it, about a kilobyte."""
    item = lambda k: {
        "nom_item": f"Camiseta azul {number}-{k}" + "x" * padding,
        "cod_ofrt_ineo_requ": f"of-{number}-{k}",
        "idt_venr": f"v{(number * 7 + k) % 5000}",
        "nom_venr": f"Loja {(number * 7 + k) % 5000}",
        "vlr_oril": 12.5,
        "vlr_prod": 11.25,
        "vlr_prod_ofrt_desc": 10.0,
        "qtd_item_pedi": k + 1,
    }
    order = {
        "txt_detl_idt_pedi_pgto": f"pedido-{number:010d}",
        "cod_idef_clie": f"cliente-{number % 100000}",
        "stat_pedi": "CRIADO",
        "dat_atui": f"2024-03-10T12:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "list_item_pedi": [item(k) for k in range(items)],
        "list_envo": [],
    }
    return json.dumps(order, separators=(",", ":"))


def lines(mebibytes, first=0, padding=0):
    """NDJSON of so many mebibytes, piece by piece."""
    written, number = 0, first
    while written < mebibytes * MIB:
        line = event(number, padding=padding) + "\n"
        written += len(line)
        number += 1
        yield line


def main():
    kind, path, mebibytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "lines":
        with open(path, "w") as file:
            file.writelines(lines(mebibytes))
    elif kind == "texts":
        with open(path, "w") as file:
            file.writelines(lines(mebibytes, padding=7000))
    elif kind == "event":
        with open(path, "w") as file:
            file.write(event(1, items=1, padding=mebibytes * MIB))
    elif kind == "items":
        with open(path, "w") as file:
            file.write(event(1, items=mebibytes * MIB // 190))
    elif kind == "broken":
        with open(path, "w") as file:
            file.writelines(line.replace("txt_detl", "txt_outro") for line in lines(mebibytes))
    elif kind == "bomb":
        with open(path, "wb") as file:
            file.write(gzip.compress(b" " * MIB) * mebibytes)
    elif kind == "packed":
        os.makedirs(path)
        for number in range(mebibytes // 16):
            with gzip.open(f"{path}/packed-{number:05d}.json", "wt", compresslevel=1) as file:
                file.writelines(lines(16, first=number * 100_000))
    elif kind == "updates":
        # Of every so many orders of as large a backlog the next state.
        last = mebibytes * MIB // 760
        with open(path, "w") as file:
            for number in range(0, last, max(last // 2000, 1)):
                text = event(number).replace("CRIADO", "ENVIADO").replace("2024-03-10", "2024-03-11")
                file.write(text + "\n")
    elif kind == "small":
        os.makedirs(path)
        pending, written, count = [], 0, 0
        for number, line in enumerate(lines(mebibytes)):
            pending.append(line)
            if len(pending) == 20:
                with open(f"{path}/small-{count:07d}.json", "w") as file:
                    file.writelines(pending)
                pending, count = [], count + 1
    else:
        sys.exit(f"error: no objects of kind `{kind}`")


main()
