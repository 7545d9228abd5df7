// Buy tickets by topic, and follow the ledger's decisions, with @platformatic/kafka.
//
// node tickets.mjs buy EVENT ACCOUNT TICKET_TYPE [QUANTITY]    prints the answer
// node tickets.mjs outcomes                                    prints every decision, from where this group stopped
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Consumer, Producer, murmur2, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const { KAFKA_SERVERS = '127.0.0.1:19092', KAFKA_USER, KAFKA_PASSWORD, KAFKA_CA, KAFKA_GROUP = 'reader' } = process.env
const { PRODUCER = 'partner' } = process.env
const ANSWER_TIMEOUT_MS = 30_000

// The brokers, the user and TLS of the environment.
const connection = {
  clientId: 'tickets',
  bootstrapBrokers: KAFKA_SERVERS.split(','),
  timeout: 10_000,
  ...(KAFKA_USER && { sasl: { mechanism: 'SCRAM-SHA-512', username: KAFKA_USER, password: KAFKA_PASSWORD } }),
  ...(KAFKA_CA && { tls: { ca: readFileSync(KAFKA_CA) } })
}

function consumerOf (groupId) {
  return new Consumer({ ...connection, groupId, deserializers: stringDeserializers, maxWaitTime: 500 })
}

async function buy (event, account, ticketType, quantity = '1') {
  const request = {
    kind: 'purchase',
    event,
    purchase: randomUUID(), // the same one to try again: it is bought once
    account,
    lines: [{ ticketType, quantity: Number(quantity) }]
  }
  const correlation = randomUUID()
  const answers = consumerOf(`producer-${PRODUCER}`)
  const topic = `ticket-answers.${PRODUCER}`
  // The ends before the request, so that its answer comes later.
  const ends = (await answers.listOffsets({ topics: [topic] })).get(topic)
  const offsets = ends.map((offset, partition) => ({ topic, partition, offset }))
  const stream = await answers.consume({ topics: [topic], mode: 'manual', offsets, autocommit: false })
  await send(`ticket-requests.${PRODUCER}`, event, JSON.stringify(request), { 'correlation-id': correlation })
  const answer = await Promise.race([answerIn(stream, correlation), setTimeout(ANSWER_TIMEOUT_MS)])
  console.log(answer ?? `no answer after ${ANSWER_TIMEOUT_MS / 1000} seconds`)
  process.exit(answer ? 0 : 1)
}

async function answerIn (stream, correlation) {
  for await (const answer of stream) {
    if (answer.headers.get('correlation-id') === correlation) return answer.value
  }
}

// This client hashes keys with murmur2, but keeps the sign bit, which Java's partitioner clears: with four partitions
// that is the same, with three it is not.
async function send (topic, key, value, headers) {
  const partitioner = message => murmur2(Buffer.from(message.key)) & 0x7fffffff
  const producer = new Producer({ ...connection, serializers: stringSerializers, partitioner, idempotent: true })
  await producer.send({ messages: [{ topic, key, value, headers }], acks: -1 })
  await producer.close()
}

// This client commits the last record that it has read, not the next one to read: no other client may use its group.
async function outcomes () {
  const options = { topics: ['ticket-purchase'], mode: 'committed', fallbackMode: 'earliest', autocommit: 1_000 }
  for await (const outcome of await consumerOf(KAFKA_GROUP).consume(options)) console.log(outcome.value)
}

const [command, ...words] = process.argv.slice(2)
await { buy, outcomes }[command](...words)
