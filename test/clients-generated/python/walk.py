"""Uses the client that was generated beside it; prints what it saw, as JSON."""

import json
import os
from base64 import b64encode

from generated import AuthenticatedClient
from generated.api.channels import create_channel, get_channel
from generated.api.messages import list_messages, send_message
from generated.api.users import create_user
from generated.models import (
    ChannelInput,
    ErrorEnvelope,
    GroupType,
    InitialParticipation,
    MessageInput,
    Reference,
    Role,
    ScreenName,
    SentMessage,
    UserInput,
)

name, channel_id = os.environ["NAME"], os.environ["CHANNEL"]
key = f"{os.environ['KEY']}:{os.environ['SECRET']}"
client = AuthenticatedClient(
    base_url=os.environ["API"], token=b64encode(key.encode()).decode(), prefix="Basic"
)

user = create_user.sync(
    client=client,
    body=UserInput(user_id=name, screen_name=ScreenName(screen_name=name)),
)
assert isinstance(user, Reference), user

channel = create_channel.sync(
    client=client,
    body=ChannelInput(
        channel_id=channel_id,
        default_rule_set="io.mitter.ruleset.chats.GroupChat",
        group_type=GroupType.PUBLIC,
        participation=[InitialParticipation(participant_id=name, roles=[Role.ADMIN])],
    ),
)
assert isinstance(channel, Reference), channel

sent = send_message.sync(
    channel_id,
    client=client,
    body=MessageInput(text_payload=os.environ["TEXT"], sender_id=name),
    idempotency_key=f"{name}-send-1",
)
assert isinstance(sent, SentMessage), sent

listed = list_messages.sync(channel_id, client=client, limit=10)
assert isinstance(listed, list), listed

refused = get_channel.sync("nothing-there", client=client)
assert isinstance(refused, ErrorEnvelope), refused

print(
    json.dumps(
        {
            "user": user.identifier,
            "channel": channel.identifier,
            "recipients": sent.relay.recipients_count,
            "sentAt": sent.audit.created_at,
            "listed": [[message.sender_id.identifier, message.text_payload] for message in listed],
            "refused": refused.error_code,
        }
    )
)
