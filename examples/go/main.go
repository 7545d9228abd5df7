// Buy tickets by topic, and follow the ledger's decisions, with franz-go.
//
//	tickets buy EVENT ACCOUNT TICKET_TYPE [QUANTITY]    prints the answer
//	tickets outcomes                                    prints every decision, from where this group stopped
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const answerTimeout = 30 * time.Second

var name = cmp.Or(os.Getenv("PRODUCER"), "partner")

// client adds the brokers, the user and TLS of the environment.
func client(options ...kgo.Opt) *kgo.Client {
	options = append(options, kgo.SeedBrokers(strings.Split(cmp.Or(os.Getenv("KAFKA_SERVERS"), "127.0.0.1:19092"), ",")...))
	if user := os.Getenv("KAFKA_USER"); user != "" {
		auth := scram.Auth{User: user, Pass: os.Getenv("KAFKA_PASSWORD")}
		options = append(options, kgo.SASL(auth.AsSha512Mechanism()))
	}
	if ca := os.Getenv("KAFKA_CA"); ca != "" {
		pem, err := os.ReadFile(ca)
		check(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		options = append(options, kgo.DialTLSConfig(&tls.Config{RootCAs: roots}))
	}
	found, err := kgo.NewClient(options...)
	check(err)
	return found
}

func buy(event, account, ticketType, quantity string) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	// The answer comes after the request; a minute earlier, where the clocks differ.
	start := kgo.NewOffset().AfterMilli(time.Now().Add(-time.Minute).UnixMilli())
	// franz-go's default partitioner is Java's: murmur2.
	kafka := client(kgo.ConsumeTopics("ticket-answers."+name), kgo.ConsumeResetOffset(start))
	defer kafka.Close()
	value := fmt.Sprintf(`{"kind": "purchase", "event": %q, "purchase": %q, "account": %q,
		"lines": [{"ticketType": %q, "quantity": %s}]}`, event, uuid.NewString(), account, ticketType, quantity)
	correlation := uuid.NewString()
	request := &kgo.Record{Topic: "ticket-requests." + name, Key: []byte(event), Value: []byte(value),
		Headers: []kgo.RecordHeader{{Key: "correlation-id", Value: []byte(correlation)}}}
	check(kafka.ProduceSync(ctx, request).FirstErr())
	for {
		fetches := kafka.PollFetches(ctx)
		check(fetches.Err())
		for _, answer := range fetches.Records() {
			for _, header := range answer.Headers {
				if header.Key == "correlation-id" && string(header.Value) == correlation {
					fmt.Println(string(answer.Value))
					return
				}
			}
		}
	}
}

func outcomes() {
	start := kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())
	kafka := client(kgo.ConsumeTopics("ticket-purchase"), kgo.ConsumerGroup(cmp.Or(os.Getenv("KAFKA_GROUP"), "reader")), start)
	for {
		fetches := kafka.PollFetches(context.Background())
		check(fetches.Err())
		fetches.EachRecord(func(outcome *kgo.Record) { fmt.Println(string(outcome.Value)) })
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if args := append(os.Args[1:], "1"); args[0] == "buy" {
		buy(args[1], args[2], args[3], args[4])
	} else {
		outcomes()
	}
}
