#!/bin/sh
# Makes what docker-compose.yml reads as secrets: random passwords, the addresses that hold them, and master keys.
#   SMTP_URL=smtp://HOST:25 sh deploy/secrets.sh [FOLDER]     (default: build/secrets; what is there already is kept)
#
# The folder is closed (0700), so nobody else on this machine can walk into it. The files in it can be read (0444),
# because a container's user has another number than yours and sees the single file only.
set -eu
folder=${1:-build/secrets}
postgres=${POSTGRES_AT:-postgres:5432}
nats=${NATS_AT:-nats:4222}

umask 022
mkdir -p "$folder"
chmod 0700 "$folder"

# put NAME: what comes on standard input, unless the file is there. Written whole or not at all.
put() {
    if [ -e "$folder/$1" ]; then cat >/dev/null; return; fi
    cat >"$folder/$1.half"
    chmod 0444 "$folder/$1.half"
    mv "$folder/$1.half" "$folder/$1"
}
# A letter first: nats-server would take some digits for a number.
password() { printf 'p%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }
read_back() { cat "$folder/$1"; }

password | put postgres_password
password | put nats_ops_password
for service in case plan meeting notification; do
    for name in owner_password app_password nats_password; do password | put "${service}_$name"; done
    head -c 32 /dev/urandom | base64 | put "${service}_master_key"

    app="${service}_app:$(read_back ${service}_app_password)@$postgres"
    owner="${service}_owner:$(read_back ${service}_owner_password)@$postgres"
    printf 'postgresql://%s/%s' "$app" "$service" | put "${service}_database_url"
    printf 'postgresql://%s/%s_keys' "$app" "$service" | put "${service}_keys_database_url"
    printf 'postgresql://%s/%s' "$owner" "$service" | put "${service}_owner_database_url"
    printf 'postgresql://%s/%s_keys' "$owner" "$service" | put "${service}_keys_owner_database_url"
    printf 'nats://%s:%s@%s' "$service" "$(read_back ${service}_nats_password)" "$nats" | put "${service}_nats_url"
done
if [ -n "${SMTP_URL:-}" ]; then printf '%s' "$SMTP_URL" | put notification_smtp_url; fi

echo "Hemligheter / secrets: $folder"
if [ ! -e "$folder/notification_smtp_url" ]; then
    echo "E-postservern saknas / the mail server is missing:" \
        "SMTP_URL=smtp+starttls://USER:PASSWORD@HOST:587 sh deploy/secrets.sh $folder"
fi
