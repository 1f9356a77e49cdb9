/** A filter over HTTP that allows everything at once: what is left of its time is the asking. Started by gateway-filters.ts. */
import { createServer } from "node:http"
import { announcePort, readBody } from "./service.ts"

const allowed = JSON.stringify({ action: "allow" })
const headers = { "content-type": "application/json", "content-length": allowed.length }

announcePort(
  createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) =>
    readBody(request, () => void response.writeHead(200, headers).end(allowed))
  )
)
