// Uses the client that was generated into relay/; prints what it saw, as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"walk/relay"
)

func main() {
	name, channelID := os.Getenv("NAME"), os.Getenv("CHANNEL")
	ctx := context.Background()
	client, err := relay.NewClientWithResponses(os.Getenv("API"), relay.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			request.SetBasicAuth(os.Getenv("KEY"), os.Getenv("SECRET"))
			return nil
		}))
	must(err)

	user, err := client.CreateUserWithResponse(ctx, nil, relay.UserInput{UserId: &name})
	must(err)

	var participant relay.ReferenceInput
	must(participant.FromReferenceInput0(name))
	public := relay.Public
	channel, err := client.CreateChannelWithResponse(ctx, nil, relay.ChannelInput{
		ChannelId:      &channelID,
		DefaultRuleSet: "io.mitter.ruleset.chats.GroupChat",
		GroupType:      &public,
		Participation:  &[]relay.InitialParticipation{{ParticipantId: participant, Roles: &[]relay.Role{relay.Admin}}},
	})
	must(err)

	key := name + "-send-1"
	sent, err := client.SendMessageWithResponse(ctx, channelID, &relay.SendMessageParams{IdempotencyKey: &key},
		relay.MessageInput{TextPayload: os.Getenv("TEXT"), SenderId: &participant})
	must(err)

	limit := 10
	listed, err := client.ListMessagesWithResponse(ctx, channelID, &relay.ListMessagesParams{Limit: &limit})
	must(err)
	texts := [][2]string{}
	for _, message := range *listed.JSON200 {
		texts = append(texts, [2]string{message.SenderId.Identifier, message.TextPayload})
	}

	refused, err := client.GetChannelWithResponse(ctx, "nothing-there")
	must(err)

	answer, err := json.Marshal(map[string]any{
		"user":       user.JSON200.Identifier,
		"channel":    channel.JSON200.Identifier,
		"recipients": sent.JSON200.Relay.RecipientsCount,
		"sentAt":     sent.JSON200.Audit.CreatedAt,
		"listed":     texts,
		"refused":    refused.JSON404.ErrorCode,
	})
	must(err)
	fmt.Println(string(answer))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
