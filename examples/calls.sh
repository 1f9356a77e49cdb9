#!/usr/bin/env bash
# Makes some calls, and reads their records: by what they are, by what was said, and all of them as a table for a
# spreadsheet. Start the server first (`scripts/start`); its simulator answers the calls.
#
#   examples/calls.sh [http://127.0.0.1:8787]

set -euo pipefail
server="${1:-http://127.0.0.1:8787}"

call() { # team, model, words
  curl -sS -o /dev/null "$server/v1/chat/completions" -H "x-millrace-labels: team=$1" \
    -d '{"model": "'"$2"'", "messages": [{"role": "user", "content": "'"$3"'"}]}'
}

call search simulator/echo "Where is order 7?"
call search simulator/echo "I want a refund"
call ads "simulator/echo?status=400" "A slogan for a refund"

# A record is final within a second of its call's end.
sleep 1

# The records of a team, newest first, a page at a time.
curl -sS "$server/v1/calls?label=team=search&limit=1"
echo
# Whatever speaks of a refund and went wrong.
curl -sS "$server/v1/calls?text=refund&outcome=Failed"
echo
# All of them, a line each.
curl -sS "$server/v1/calls?format=csv"
