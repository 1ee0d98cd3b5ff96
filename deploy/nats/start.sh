#!/bin/sh
# Starts nats-server with its users' passwords, which are secrets in files.
#   start.sh [CONFIGURATION]
set -eu
secrets=${SECRETS:-/run/secrets}

# The quotes are for nats-server: without them it would take a password of digits for a number.
NATS_CASE_PASSWORD="\"$(cat "$secrets/case_nats_password")\""
NATS_PLAN_PASSWORD="\"$(cat "$secrets/plan_nats_password")\""
NATS_MEETING_PASSWORD="\"$(cat "$secrets/meeting_nats_password")\""
NATS_NOTIFICATION_PASSWORD="\"$(cat "$secrets/notification_nats_password")\""
NATS_OPS_PASSWORD="\"$(cat "$secrets/nats_ops_password")\""
export NATS_CASE_PASSWORD NATS_PLAN_PASSWORD NATS_MEETING_PASSWORD NATS_NOTIFICATION_PASSWORD NATS_OPS_PASSWORD

exec nats-server --config "${1:-/etc/nats/nats.conf}"
