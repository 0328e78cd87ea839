"""The four tables in DuckDB's SQL, out of local files of events.

Comes in: a connection and a glob. Goes out: queries over the relation `events`, one per table. The
version of an event is (`dat_atui`, file, position); the greatest wins by a window function, as one
would write it. Lineage, quarantine and rescued data are left out, so this does less than the job.
"""

EVENT = {
    "txt_detl_idt_pedi_pgto": "VARCHAR",
    "cod_idef_clie": "VARCHAR",
    "dat_hor_tran": "TIMESTAMPTZ",
    "stat_pgto": "VARCHAR",
    "stat_pedi": "VARCHAR",
    "dat_atui": "TIMESTAMPTZ",
    "list_item_pedi": """STRUCT(nom_item VARCHAR, cod_ofrt_ineo_requ VARCHAR, vlr_oril DECIMAL(18,2),
        vlr_prod DECIMAL(18,2), vlr_prod_ofrt_desc DECIMAL(18,2), qtd_item_pedi BIGINT,
        idt_venr VARCHAR, nom_venr VARCHAR, idt_vrne_venr VARCHAR, cod_vrne_prod VARCHAR)[]""",
    "list_envo": """STRUCT(cod_tipo_entg VARCHAR, cod_venr VARCHAR, nom_stat_entg VARCHAR,
        dat_emis_cpvt VARCHAR, list_item_envo STRUCT(cod_prod VARCHAR, cod_prod_venr VARCHAR,
        stat_entg VARCHAR, qtd_prod BIGINT)[])[]""",
}

KEYS = {
    "orders": "txt_detl_idt_pedi_pgto",
    "products": "txt_detl_idt_pedi_pgto",
    "sellers": "idt_venr",
    "shipments": "txt_detl_idt_pedi_pgto",
}

# Insertion order is kept, so that `rowid` follows the position in a file.
NEWEST = "dat_atui DESC, filename DESC, events.rowid DESC"

TABLES = {
    "orders": """
        SELECT txt_detl_idt_pedi_pgto, cod_idef_clie, dat_hor_tran, stat_pgto, stat_pedi, dat_atui
        FROM winners""",
    "products": """
        SELECT txt_detl_idt_pedi_pgto, item.nom_item, item.cod_ofrt_ineo_requ, item.vlr_oril,
            item.vlr_prod, item.vlr_prod_ofrt_desc, item.qtd_item_pedi, item.idt_venr,
            item.nom_venr, item.idt_vrne_venr, item.cod_vrne_prod, dat_atui
        FROM (SELECT *, unnest(list_item_pedi) AS item FROM winners)""",
    "sellers": f"""
        SELECT idt_venr, nom_venr, dat_atui
        FROM (
            SELECT item.idt_venr, item.nom_venr, dat_atui, filename, event, line
            FROM (
                SELECT dat_atui, filename, rowid AS event, unnest(list_item_pedi) AS item,
                    generate_subscripts(list_item_pedi, 1) AS line
                FROM events
            )
        )
        WHERE idt_venr <> ''
        QUALIFY row_number() OVER (
            PARTITION BY idt_venr
            ORDER BY dat_atui DESC, filename DESC, event DESC, line DESC
        ) = 1""",
    "shipments": "SELECT txt_detl_idt_pedi_pgto, list_envo, dat_atui FROM winners",
}


def read(connection, glob):
    """Makes `events` and `winners`, out of one pass over the files."""
    connection.execute("SET TimeZone = 'UTC'")
    # Cheapest in CPU time: two threads were seen to take ten times as much (and 6 GiB) for 20,000
    # small files, and a fifth more for 40 large ones.
    connection.execute("SET threads = 1")
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in EVENT.items())
    connection.execute(
        f"""CREATE TEMP TABLE events AS
        SELECT * FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}},
            filename = true)""",
        [glob],
    )
    connection.execute(
        f"""CREATE TEMP TABLE winners AS
        SELECT * FROM events
        QUALIFY row_number() OVER (PARTITION BY txt_detl_idt_pedi_pgto ORDER BY {NEWEST}) = 1"""
    )
