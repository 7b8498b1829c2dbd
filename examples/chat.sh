#!/usr/bin/env bash
# Two people in a channel, with curl: bob watches, alice sends. Run it in the project's directory while the service runs (npm start).
set -euo pipefail

API=${API:-http://127.0.0.1:11902}
ALICE=$(npm run -s token -- alice)
BOB=$(npm run -s token -- bob)
CHANNEL=chat-$(date +%s)

as() { curl -sS -H "Authorization: Bearer $1" -H 'Content-Type: application/json' "${@:2}"; }

as "$ALICE" -o /dev/null "$API/v1/channels" \
  -d "{\"channelId\":\"$CHANNEL\",\"defaultRuleSet\":\"io.mitter.ruleset.chats.GroupChat\",\"groupType\":\"public\"}"
as "$BOB" -o /dev/null "$API/v1/channels/$CHANNEL/participants" -d '{"participantId":"bob"}'

# What bob sees: the texts of messages, one a line. Five seconds of it, where nobody ends it.
message='"sender":"([^"]*)","text":"([^"]*)"'
curl -sN --max-time "${SECONDS_TO_WATCH:-5}" -H "Authorization: Bearer $BOB" "$API/v1/channels/$CHANNEL/events?format=compact&after=earliest" |
  while IFS= read -r line; do if [[ $line =~ $message ]]; then echo "${BASH_REMATCH[1]}: ${BASH_REMATCH[2]}"; fi; done &

for text in 'Hello, bob' 'Are you there?' 'Bye'; do
  # A key for each message: when the answer is lost, the same request is repeated, and there is still one message.
  as "$ALICE" -o /dev/null --retry 3 --retry-all-errors -H "Idempotency-Key: $CHANNEL-$RANDOM-$RANDOM" \
    "$API/v1/channels/$CHANNEL/messages" -d "{\"textPayload\":\"$text\"}"
done
wait
