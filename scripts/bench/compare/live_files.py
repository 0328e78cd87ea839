"""How many live files Delta tables have: `live_files.py TABLES`; JSON by table."""

import json
import sys

import tables
from deltalake import DeltaTable

[folder] = sys.argv[1:]
print(json.dumps({name: len(DeltaTable(f"{folder}/{name}").file_uris()) for name in tables.TABLES}))
