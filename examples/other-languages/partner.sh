#!/bin/sh
# Calls the bank's API with curl: one token, used until shortly before its end.
# ISSUER, CLIENT_ID, CLIENT_SECRET and BANK_API come from the environment.
set -eu

token=
renew_at=0

new_token() {
  # The secret goes in by standard input: everybody on the machine can read arguments.
  # curl itself waits as long as Retry-After says after a 429 or 503, and follows no redirect.
  answer=$(printf %s "$CLIENT_SECRET" | curl -sSf --retry 3 --max-time 30 \
    --data grant_type=client_credentials \
    --data-urlencode "client_id=$CLIENT_ID" --data-urlencode client_secret@- "$ISSUER/token")
  token=$(printf %s "$answer" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
  seconds=$(printf %s "$answer" | sed -n 's/.*"expires_in":\([0-9]*\).*/\1/p')
  renew_at=$(($(date +%s) + seconds - 60))
}

request() {
  printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl -sS --config - --max-time 30 -o "$2" -w '%{http_code}' "$BANK_API$1"
}

# call PATH FILE: puts the answer into FILE and prints its status.
call() {
  if [ "$(date +%s)" -ge "$renew_at" ]; then new_token; fi
  status=$(request "$1" "$2")
  if [ "$status" = 401 ]; then # the token died early: once more, with a new one
    new_token
    status=$(request "$1" "$2")
  fi
  echo "$status"
}

for n in 1 2 3; do call /v1/accounts "accounts-$n.json"; done
