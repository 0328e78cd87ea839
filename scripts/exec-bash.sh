#!/usr/bin/env bash
# A shell with `esteira` on the path and the AWS settings in place. The old project opened one inside
# a docker container; there are none any more, so every name opens the same shell, on this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

container=${container:-esteira}
if [[ $container == demo ]]; then
    export AWS_ENDPOINT_URL="http://127.0.0.1:$DEMO_PORT"
    export AWS_ACCESS_KEY_ID=dummy AWS_SECRET_ACCESS_KEY=dummy AWS_REGION=us-east-1
    unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_S3
fi

echo "container \`$container\`: there are no containers any more; this is a shell on your machine"
echo "with esteira on the path and S3 at ${AWS_ENDPOINT_URL:-AWS}. Try: esteira status; leave with exit."
export ESTEIRA_SHELL_PATH="$CARGO_TARGET_DIR/debug"
if [[ -t 0 ]]; then
    exec bash --rcfile scripts/exec-bash.rc -i
fi
PATH="$ESTEIRA_SHELL_PATH:$PATH" exec bash
