#!/usr/bin/env bash
# Tells Millrace of a run, its steps and a score from outside, and shows the call that they belong to. Start the server
# first (`scripts/start`); its simulator answers the call.
#
#   examples/events.sh [http://127.0.0.1:8787]

set -euo pipefail
server="${1:-http://127.0.0.1:8787}"

# A score that comes before its run, and a step that comes before both: the order does not matter.
curl -sS "$server/v1/events" -d '{
  "id": "refund-1-look-up", "type": "step", "run": "refund-1", "step": "look-up", "kind": "tool",
  "status": "failed", "error": "no such order"
}'
echo

# A call, and its id.
call="$(curl -sS -D - -o /dev/null "$server/v1/chat/completions" \
  -d '{"model": "simulator/echo", "messages": [{"role": "user", "content": "Refund order 7"}]}' |
  tr -d '\r' | sed -n 's/^x-millrace-call-id: //p')"

curl -sS "$server/v1/events" -d '{
  "events": [
    { "id": "refund-1-begins", "type": "run", "run": "refund-1", "name": "refund agent", "status": "running",
      "input": { "order": 7 }, "at": "2026-11-21T08:00:00Z" },
    { "id": "refund-1-ask", "type": "step", "run": "refund-1", "step": "ask", "call": "'"$call"'" },
    { "id": "refund-1-ends", "type": "run", "run": "refund-1", "status": "completed", "at": "2026-11-21T08:00:04Z" },
    { "id": "'"$call"'-useful", "type": "score", "call": "'"$call"'", "name": "useful", "value": 4, "comment": "quite" },
    { "id": "wrong", "type": "score", "call": "'"$call"'", "name": "useful", "value": [] }
  ]
}'
echo

curl -sS "$server/v1/calls/$call"
echo
