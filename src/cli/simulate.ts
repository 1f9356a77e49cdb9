import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { simulateServer, type SimulateServer } from "../server/simulate/SimulateServer.ts"
import { CommandFailed } from "./CommandFailed.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

const flags = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on; else 127.0.0.1. The simulator asks for no key"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(
    Flag.withSchema(Port),
    Flag.withDescription("Port to listen on, 0 for any free one; else 8788"),
    Flag.withDefault(8788)
  ),
  replay: Flag.Directory("replay", { mustExist: true }).pipe(
    Flag.withDescription("Folder of recorded answers, served as the models replay/<path>"),
    Flag.optional
  ),
  script: Flag.File("script", { mustExist: true }).pipe(
    Flag.withDescription("JSON file of scripted answers"),
    Flag.optional
  )
}

const welcome = ({ models, url }: SimulateServer): string => {
  const replayed = models.filter((model) => model.startsWith("replay/")).length
  const named = models.filter((model) => !model.startsWith("replay/"))
  return `Millrace simulator on ${url} (any key will do)

APIs        Chat Completions, Responses, Messages, Gemini; Completions, Interactions, Ollama, Cohere, Bedrock
Models      ${named.join(", ")}
Recordings  ${replayed === 0 ? "none (--replay <folder>)" : `${replayed}, listed at GET /v1/models as replay/…`}
Received    ${url}/_simulate/requests and /_simulate/stats

Try
  curl -N ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"words-20","stream":true,"messages":[{"role":"user","content":"hi"}]}'
  curl -N ${url}/v1/messages -H 'content-type: application/json' \\
    -d '{"model":"words-20?reset=5","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"hi"}]}'
`
}

/** `millrace simulate`: runs the simulator until it is interrupted. */
export const simulateCommand = Command.make(
  "simulate",
  flags,
  Effect.fn(function* ({ host, port, replay, script }) {
    const server = yield* simulateServer({
      host,
      port,
      ...(Option.isSome(replay) ? { replay: replay.value } : {}),
      ...(Option.isSome(script) ? { script: script.value } : {})
    }).pipe(Effect.mapError(({ message }) => new CommandFailed({ message: `The simulator cannot start: ${message}` })))
    yield* Console.log(welcome(server))
    return yield* Effect.never
  }, Effect.scoped)
).pipe(
  Command.withDescription("Stand in for real providers: simulated models, scripted answers, recordings, faults"),
  Command.withExamples([
    { command: "millrace simulate --port 8788", description: "Serve the simulated models" },
    { command: "millrace simulate --script answers.json", description: "Answer as a file says" },
    { command: "millrace simulate --replay recordings/", description: "Replay recorded answers to the byte" }
  ])
)
