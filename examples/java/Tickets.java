import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Buy tickets by topic, and follow the ledger's decisions, with kafka-clients.
 *
 * <p>{@code Tickets buy EVENT ACCOUNT TICKET_TYPE [QUANTITY]} prints the answer; {@code Tickets outcomes} prints every
 * decision, from where this group stopped.
 */
public class Tickets {
    static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);
    static final Duration POLL = Duration.ofMillis(200);
    static final String NAME = System.getenv().getOrDefault("PRODUCER", "partner");

    public static void main(String[] args) throws Exception {
        if (args[0].equals("buy")) {
            buy(args[1], args[2], args[3], args.length > 4 ? args[4] : "1");
        } else {
            outcomes();
        }
    }

    /** The brokers, the user and TLS of the environment. */
    static Properties connection() {
        Properties found = new Properties();
        String user = System.getenv("KAFKA_USER");
        String ca = System.getenv("KAFKA_CA");
        String transport = ca == null ? "PLAINTEXT" : "SSL";
        found.put("bootstrap.servers", System.getenv().getOrDefault("KAFKA_SERVERS", "127.0.0.1:19092"));
        found.put("security.protocol", user == null ? transport : "SASL_" + transport);
        if (user != null) {
            String login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";";
            found.put("sasl.mechanism", "SCRAM-SHA-512");
            found.put("sasl.jaas.config", login.formatted(user, System.getenv("KAFKA_PASSWORD")));
        }
        if (ca != null) {
            found.put("ssl.truststore.type", "PEM");
            found.put("ssl.truststore.location", ca);
        }
        return found;
    }

    static KafkaConsumer<String, String> consumer(String group, boolean commits) {
        Properties options = connection();
        options.put("group.id", group);
        options.put("enable.auto.commit", commits);
        options.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(options, new StringDeserializer(), new StringDeserializer());
    }

    static void buy(String event, String account, String ticketType, String quantity) throws Exception {
        String request = """
            {"kind": "purchase", "event": "%s", "purchase": "%s", "account": "%s",
             "lines": [{"ticketType": "%s", "quantity": %s}]}
            """.formatted(event, UUID.randomUUID(), account, ticketType, quantity); // the same purchase to try again
        String correlation = UUID.randomUUID().toString();
        Properties options = connection();
        options.put("delivery.timeout.ms", "10000");
        options.put("request.timeout.ms", "5000");
        try (var answers = consumer("producer-" + NAME, false);
                var producer = new KafkaProducer<>(options, new StringSerializer(), new StringSerializer())) {
            var found = answers.partitionsFor("ticket-answers." + NAME).stream();
            var places = found.map(it -> new TopicPartition(it.topic(), it.partition())).toList();
            answers.assign(places);
            answers.seekToEnd(places);
            places.forEach(answers::position); // before the request, so that its answer comes later
            var record = new ProducerRecord<>("ticket-requests." + NAME, event, request); // Java's default is murmur2
            record.headers().add("correlation-id", correlation.getBytes(StandardCharsets.UTF_8));
            producer.send(record).get();
            for (long until = System.nanoTime() + ANSWER_TIMEOUT.toNanos(); System.nanoTime() < until; ) {
                for (ConsumerRecord<String, String> answer : answers.poll(POLL)) {
                    var header = answer.headers().lastHeader("correlation-id");
                    if (header != null && correlation.equals(new String(header.value(), StandardCharsets.UTF_8))) {
                        System.out.println(answer.value());
                        return;
                    }
                }
            }
        }
        throw new IllegalStateException("no answer after " + ANSWER_TIMEOUT.toSeconds() + " seconds");
    }

    static void outcomes() {
        try (var outcomes = consumer(System.getenv().getOrDefault("KAFKA_GROUP", "reader"), true)) {
            outcomes.subscribe(List.of("ticket-purchase"));
            while (true) outcomes.poll(POLL).forEach(record -> System.out.println(record.value()));
        }
    }
}
