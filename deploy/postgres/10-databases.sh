#!/bin/sh
# Run once by the image's entry point, while the data folder is still empty: per service two databases (its log, and the
# keys that open what is sealed in it) and two roles (the owner migrates, the app role runs).
# Names are quoted: CASE is a word of SQL. Passwords are read by psql itself, so that they stand on no command line.
set -eu
secrets=${SECRETS:-/run/secrets}

for service in case plan meeting notification; do
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
\set owner_password \`cat '$secrets/${service}_owner_password'\`
\set app_password \`cat '$secrets/${service}_app_password'\`
create role ${service}_owner login password :'owner_password';
create role ${service}_app login password :'app_password';
create database "${service}" owner ${service}_owner;
create database ${service}_keys owner ${service}_owner;
revoke all on database "${service}", ${service}_keys from public;
grant connect on database "${service}", ${service}_keys to ${service}_app;
-- the owner hands read-model tables over to the app role, which it may only as its member
grant ${service}_app to ${service}_owner;
SQL
done

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
revoke connect on database postgres, template1 from public;
SQL
