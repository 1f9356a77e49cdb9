/**
 * The baselines: what the least gateway costs that could do the work, node:http in front and undici's dispatch behind.
 *
 * - `raw` hands bytes on.
 * - `raw-tap` also scans the frames and parses every chunk and every whole answer, as one must who meters usage.
 * - `raw-record` is `raw-tap` that also keeps the records of its calls; for whole answers of chat alone.
 * - `raw-xform` also writes the answer anew in the other dialect where client and upstream differ.
 *
 * Started as `raw.ts <mode> <upstream's origin> <folder for records>`. All parse the request for its model, whose
 * provider says which dialect the upstream speaks.
 */
import { createServer, type ServerResponse } from "node:http"
import type { Schema } from "effect"
import { Agent, type Dispatcher } from "undici"
import { announcePort, readBody } from "./service.ts"
import { type Conversion, conversions, tapOnly } from "./conversions.ts"
import { startRecording } from "./recording.ts"
import { type Dialect, pathOf, providerOf } from "./workloads.ts"

const [mode = "raw", origin = "", folder = ""] = process.argv.slice(2)
const record = mode === "raw-record" ? await startRecording(folder) : undefined
const agent = new Agent({ pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: 0, bodyTimeout: 0 })

/** A type rather than an interface: it is JSON. */
type ChatLikeRequest = {
  readonly model: string
  readonly messages: ReadonlyArray<Schema.Json>
  readonly max_tokens?: number
  readonly stream?: boolean
}

/** Both dialects' requests of the benchmark hold the same fields. */
const convertRequest = ({ max_tokens = 1024, messages, model, stream = false }: ChatLikeRequest): Buffer =>
  Buffer.from(JSON.stringify({ model, messages, max_tokens, stream }))

const relay = (target: Dialect, body: Buffer, conversion: Conversion | undefined, response: ServerResponse): void => {
  let controller: Dispatcher.DispatchController | undefined
  let paused = false
  let whole: Array<Buffer> | undefined
  const stream = conversion?.stream()
  const send = (controller: Dispatcher.DispatchController, bytes: Buffer | string): void => {
    if (bytes.length === 0 || response.write(bytes) || paused) return
    paused = true
    controller.pause()
  }
  response.on("drain", () => {
    paused = false
    controller?.resume()
  })
  response.on("close", () => {
    if (!response.writableFinished) controller?.abort(new Error("the client left"))
  })
  const headers = { "content-type": "application/json", authorization: "Bearer x" }
  agent.dispatch(
    { origin, path: pathOf[target], method: "POST", headers, body },
    {
      onRequestStart(started) {
        controller = started
      },
      onResponseStart(_controller, status, headers) {
        const type = String(headers["content-type"])
        const streamed = type.startsWith("text/event-stream")
        if (conversion !== undefined && !streamed) whole = []
        response.statusCode = status
        response.setHeader("content-type", type)
        const length = headers["content-length"]
        if (whole === undefined && typeof length === "string") response.setHeader("content-length", length)
      },
      onResponseData(controller, chunk) {
        if (whole !== undefined) whole.push(chunk)
        else send(controller, stream === undefined ? chunk : stream(chunk))
      },
      onResponseEnd() {
        response.end(whole === undefined ? undefined : conversion?.whole(Buffer.concat(whole)))
      },
      onResponseError(_controller, error) {
        if (response.headersSent) response.destroy(error)
        else response.writeHead(502).end(error.message)
      }
    }
  )
}

const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
  const client: Dialect = request.url === pathOf.messages ? "messages" : "chat"
  readBody(request, (body) => {
    const text = body.toString()
    const parsed: ChatLikeRequest = JSON.parse(text)
    const target: Dialect = parsed.model.startsWith(`${providerOf.messages}/`) ? "messages" : "chat"
    const converts = mode === "raw-xform" && target !== client
    const conversion = converts ? conversions[client] : mode === "raw" ? undefined : tapOnly
    if (record === undefined) return relay(target, converts ? convertRequest(parsed) : body, conversion, response)
    record({ model: parsed.model, request: parsed, requestText: text }, (recorded) =>
      relay(target, body, recorded, response)
    )
  })
})

announcePort(server)
