import com.google.gson.Gson;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import relay.ApiClient;
import relay.ApiException;
import relay.api.ChannelsApi;
import relay.api.MessagesApi;
import relay.api.UsersApi;
import relay.model.ChannelInput;
import relay.model.ErrorEnvelope;
import relay.model.GroupType;
import relay.model.InitialParticipation;
import relay.model.MessageInput;
import relay.model.ReferenceInput;
import relay.model.Role;
import relay.model.SentMessage;
import relay.model.UserInput;

/** Uses the client that was generated beside it; prints what it saw, as JSON. */
public class Walk {
    public static void main(String[] args) throws ApiException, IOException {
        String name = System.getenv("NAME");
        String channelId = System.getenv("CHANNEL");
        ApiClient client = new ApiClient();
        client.setBasePath(System.getenv("API"));
        client.setUsername(System.getenv("KEY"));
        client.setPassword(System.getenv("SECRET"));
        MessagesApi messages = new MessagesApi(client);

        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("user", new UsersApi(client).createUser(new UserInput().userId(name), null).getIdentifier());
        ReferenceInput user = new ReferenceInput(name);
        ChannelInput channel = new ChannelInput()
            .channelId(channelId)
            .defaultRuleSet("io.mitter.ruleset.chats.GroupChat")
            .groupType(GroupType.PUBLIC)
            .participation(List.of(new InitialParticipation().participantId(user).roles(List.of(Role.ADMIN))));
        seen.put("channel", new ChannelsApi(client).createChannel(channel, null).getIdentifier());
        MessageInput message = new MessageInput().senderId(user).textPayload(System.getenv("TEXT"));
        SentMessage sent = messages.sendMessage(channelId, message, name + "-send-1");
        seen.put("recipients", sent.getRelay().getRecipientsCount());
        seen.put("sentAt", sent.getAudit().getCreatedAt());
        seen.put("listed", messages.listMessages(channelId, null, null, 10, null).stream()
            .map(listed -> List.of(listed.getSenderId().getIdentifier(), listed.getTextPayload()))
            .collect(Collectors.toList()));
        try {
            new ChannelsApi(client).getChannel("nothing-there");
        } catch (ApiException refused) {
            seen.put("refused", ErrorEnvelope.fromJson(refused.getResponseBody()).getErrorCode());
        }
        System.out.println(new Gson().toJson(seen));
        // What okhttp keeps open would hold the process up for a minute.
        System.exit(0);
    }
}
