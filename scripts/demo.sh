#!/usr/bin/env bash
# The whole belt in one go: simulator, sample events, job, tables, then a second wave that changes
# some of them. Running it again finds nothing new and changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH="$(dirname "$ESTEIRA"):$PATH"
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_S3 AWS_DEFAULT_REGION
export AWS_ENDPOINT_URL="http://127.0.0.1:$DEMO_PORT"
export AWS_ACCESS_KEY_ID=dummy AWS_SECRET_ACCESS_KEY=dummy AWS_REGION=us-east-1
export ESTEIRA_BUCKET=s3://itau-shop

step() { printf '\n== %s\n' "$*"; }
# Shows a command as one would type it, then runs it.
run() {
    local word line='$'
    for word in "$@"; do
        [[ $word == *[[:space:]]* ]] && word="\"$word\""
        line+=" $word"
    done
    printf '%s\n' "$line"
    "$@"
}
# One value out of the tables.
value() { esteira sql --format csv "$1" | tail -n 1; }

# Two events of an order that is there already, and one that was cut off on its way. An order with
# several items is chosen, so that one can be seen to disappear.
second_wave() {
    local folder=$1 order newer later item
    order=$(value "SELECT o.txt_detl_idt_pedi_pgto FROM orders o JOIN products p
        ON p.txt_detl_idt_pedi_pgto = o.txt_detl_idt_pedi_pgto
        WHERE o.stat_pedi = 'Enviado' GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1")
    at() {
        value "SELECT to_char(dat_atui + INTERVAL '$1', '%Y-%m-%dT%H:%M:%S%.3fZ')
            FROM orders WHERE txt_detl_idt_pedi_pgto = '$order'"
    }
    newer=$(at "1 day")
    later=$(at "-1 hour")
    item=$(esteira sql --format json "SELECT nom_item, cod_ofrt_ineo_requ, vlr_oril, vlr_prod,
        vlr_prod_ofrt_desc, qtd_item_pedi, idt_venr, nom_venr, idt_vrne_venr, cod_vrne_prod
        FROM products WHERE txt_detl_idt_pedi_pgto = '$order' ORDER BY nom_item LIMIT 1")
    event() {
        printf '{"txt_detl_idt_pedi_pgto":"%s","stat_pgto":"Aprovado","stat_pedi":"%s","dat_atui":"%s","list_item_pedi":[%s],"list_envo":[]}' \
            "$order" "$1" "$2" "$item"
    }
    mkdir -p "$folder.new"
    event "Entregue" "$newer" > "$folder.new/onda-2-mais-nova.json"
    event "Faturado" "$later" > "$folder.new/onda-2-atrasada.json"
    event "Entregue" "$newer" | head -c 100 > "$folder.new/onda-2-cortada.json"
    echo "$order" > "$folder.order"
    mv "$folder.new" "$folder"
}

mkdir -p "$DEMO_DIR"
: > "$DEMO_DIR/made-by-make-demo"

step "1. The S3 simulator, on a port and in a folder of its own"
esteira up --port "$DEMO_PORT" --dir "$DEMO_DIR/s3" || {
    echo "hint: or choose another port for the demo: make demo DEMO_PORT=4578" >&2
    exit 1
}

step "2. A bucket with sample events: 300 orders, several events each, some late, some tied"
if ! esteira bucket list | grep -qx itau-shop; then
    run esteira bucket create itau-shop
fi
run esteira generate --orders 300 --out "$DEMO_DIR/input"
run esteira bucket put itau-shop "$DEMO_DIR/input" --to input

step "3. The job: originals to raw/, events to four Delta tables"
run esteira run --once --log live

step "4. What came out"
run esteira sql "SELECT left(txt_detl_idt_pedi_pgto, 8) AS pedido, stat_pgto, stat_pedi, dat_atui FROM orders ORDER BY dat_atui DESC LIMIT 3"
run esteira sql "SELECT left(txt_detl_idt_pedi_pgto, 8) AS pedido, nom_item, qtd_item_pedi AS qtd, vlr_prod FROM products ORDER BY dat_atui DESC LIMIT 3"
run esteira sql "SELECT left(idt_venr, 8) AS idt_venr, nom_venr, dat_atui FROM sellers ORDER BY dat_atui DESC LIMIT 3"
run esteira sql "SELECT left(txt_detl_idt_pedi_pgto, 8) AS pedido, cardinality(list_envo) AS envios, list_envo[1]['nom_stat_entg'] AS primeiro FROM shipments ORDER BY dat_atui DESC LIMIT 3"

step "5. A second wave for one order: a newer event with one item, a late one, and a broken one"
wave="$DEMO_DIR/wave-2"
if [[ -d $wave ]]; then
    echo "(It came in an earlier run of this demo: nothing new will be found, nothing will change.)"
else
    second_wave "$wave"
fi
order=$(< "$wave.order")
one_order="SELECT o.stat_pedi, o.dat_atui, count(p.nom_item) AS itens, sum(p.vlr_prod) AS total FROM orders o LEFT JOIN products p ON p.txt_detl_idt_pedi_pgto = o.txt_detl_idt_pedi_pgto WHERE o.txt_detl_idt_pedi_pgto = '$order' GROUP BY 1, 2"
echo "Before:"
esteira sql "$one_order"
run esteira bucket put itau-shop "$wave" --to input
run esteira run --once --log live
echo "After: the newer event replaced the order and all of its items; the late one changed nothing."
run esteira sql "$one_order"
run esteira sql "SELECT reason, message, _source_file FROM quarantine"

step "6. How it is doing"
run esteira status

cat <<TEXT

== What to try next
  make exec-bash container=demo       a shell with these settings, then:
    esteira sql                       a SQL shell; \\d lists the tables
    esteira history                   the batches
    esteira bucket list itau-shop     everything in the bucket, raw/ and the ledger included
    esteira run                       the job, continuously; Ctrl-C stops it
  make demo                           again: the same objects are known, nothing changes
  make clean-demo                     stop the simulator and delete $DEMO_DIR

The simulator keeps running at $AWS_ENDPOINT_URL; make clean-demo stops it.
TEXT
