"""Names of objects that clients and services like to get wrong."""

PLAIN = [
    "com espaço no meio.json",
    " beira .json",
    "a+b.json",
    "a%2Fb.json",
    "a%20b.json",
    "a%252Fb.json",
    "100%.json",
    "ação-é-ü.json",
    "ac\u0327a\u0303o-e\u0301-u\u0308.json",
    "📦-🚚.json",
    "订单-طلب.json",
    "a&b=c?d#e.json",
    'd\'água "x" <y> `z`.json',
    "a;b,c:d@e!f$g~h(i)*[j]{k}|l^m.json",
    "a\\b.json",
    "...a..b.json",
    "-rf.json",
    ".oculto.json",
    "_oculto.json",
    "a\u200b\u202eb\u00a0c.json",
    "dt=2024-05-01/hora=12/ç ã.json",
]
# As long as a file's name may be.
LONGEST_OF_FILE = "p" * 250 + ".json"
# 1,000 bytes with `input/` before them; in folders, as no file system takes longer names.
LONG = [
    ("q" * 199 + "/") * 4 + "r" * 189 + ".json",
    ("é" * 99 + "/") * 4 + "ã" * 96 + "x.json",
]
# What only an object store can tell apart.
BEYOND_FILES = [
    "pasta//dupla.json",
    "arquivo.json",
    "arquivo.json/e pasta.json",
]
# moto answers that there is no such page.
NOT_IN_MOTO = ["tab\tlinha\nfim.json"]
# Allowed by S3, and taken for a way through folders by many clients.
DOTS = ["./ponto.json", "a/../b.json"]
