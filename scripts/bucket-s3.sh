#!/usr/bin/env bash
# The bucket commands of the old Makefile: bucket, action and path come from the environment, where
# make puts what was typed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat >&2 <<'TEXT'
error: make bucket-s3 needs bucket=NAME action=create|move_obj|list [path=FOLDER]
hint:  make bucket-s3 bucket=itau-shop action=create             create a bucket
       make bucket-s3 bucket=itau-shop action=move_obj           upload ./input to its input/
       make bucket-s3 bucket=itau-shop action=list path=raw      list what is in it
       make bucket-s3 bucket=all action=all                      list the buckets
TEXT
    exit 2
}

bucket=${bucket:-}
[[ -n $bucket || ${action:-} == all ]] || usage

case ${action:-} in
    create) exec "$ESTEIRA" bucket create "$bucket" ;;
    move_obj) exec "$ESTEIRA" bucket put "$bucket" ./input --to input ;;
    list) exec "$ESTEIRA" bucket list "$bucket" ${path:+"$path"} ;;
    all) exec "$ESTEIRA" bucket list ;;
    *) usage ;;
esac
