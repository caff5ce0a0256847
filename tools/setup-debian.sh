#!/usr/bin/env bash
# Installs the programs that some tests ask the system for, where we may; a test without its program skips and says so.
# With --bench also eatmydata, for the control without syncs of `npm run bench`.
set -euo pipefail

programs=(strace openssl curl pgbouncer faketime nginx caddy wrk)
if [[ ${1:-} == --bench ]]; then programs+=(eatmydata); fi
missing=()
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
# Of Debian's own Python, whichever comes first on the path.
for module in requests_oauthlib authlib; do
  /usr/bin/python3 -c "import $module" 2>/dev/null || missing+=("python3-${module//_/-}")
done

if [[ ${#missing[@]} -eq 0 || $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } </dev/null ||
  echo "could not install ${missing[*]}: the tests that need them will skip" >&2
