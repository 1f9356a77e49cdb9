import { SchemaAST } from "effect"
import { Document } from "../../src/config/Document.ts"

const timeouts = { connect: "3s", firstToken: "30s", idle: "30s", total: "5m" }
const retry = { maxAttempts: 3, initialDelay: "100ms", maxDelay: "2s" }
const breaker = { failures: 4, openFor: "5s", maxOpenFor: "20s" }
const drain = { maxTime: "30s", maxTokens: 4000 }
const use = {
  strategy: "weighted",
  timeouts,
  retry,
  breaker,
  affinity: "conversation",
  fallbackOn: ["content-blocked"],
  onDisconnect: "drain",
  drain,
  rescue: "restart"
}
const windows = { minute: 60, hour: 600, day: 6000, month: 60_000, total: 600_000 }
const limits = {
  requests: windows,
  tokens: windows,
  inputTokens: windows,
  outputTokens: windows,
  cost: { minute: 0.5, hour: 5, day: 20.5, month: 300, total: 3000 },
  concurrent: 10,
  stopStreams: true
}
const asked = { on: ["request", "answer"], onFailure: "open", timeout: "5s", mode: "window", characters: 200 }
const refusal = { status: 403, as: "answer", message: "No." }

/** A document in which every key of the schema stands once, and which is accepted. */
export const wholeDocument = {
  server: {
    host: "127.0.0.1",
    port: 8787,
    allowedOrigins: ["https://chat.example.com"],
    shutdownGrace: "10s",
    bodyLimit: "16MiB",
    keepAlive: "5s"
  },
  storage: { url: "sqlite:.millrace/millrace.db" },
  providers: {
    simulator: { protocol: "simulator", models: ["own"] },
    openai: {
      preset: "openai",
      protocol: ["openai-chat", "openai-responses"],
      baseUrl: "https://api.openai.com/v1",
      apiKeys: ["${A:-a}", { label: "second", key: "${B:-b}" }],
      headers: { "x-team": "search" },
      quirks: ["noStreamOptions"],
      models: ["gpt-5.5"],
      prefill: false
    },
    bedrock: { protocol: "bedrock-converse", region: "us-east-1", apiKey: "${B:-b}" },
    azure: { preset: "azure", baseUrl: "https://r.openai.azure.com", apiVersion: "v1", apiKey: "${B:-b}" },
    vertex: { preset: "vertex", project: "p", region: "us-east5", credentials: "service-account.json" }
  },
  models: {
    smart: {
      targets: [
        {
          provider: "openai",
          model: "gpt-5.5",
          weight: 2,
          capabilities: { contextWindow: 128_000, features: ["tools", "images"] },
          limits: { concurrency: 10, queue: 5, maxWait: "1s" },
          timeouts,
          prefill: true
        },
        { provider: "simulator", model: "echo" }
      ],
      ...use,
      hedge: { after: "2s" },
      upstream: "stream",
      filters: ["hides", "blocks"],
      capture: "metadata",
      captureLimit: "16KiB"
    },
    default: { alias: "smart" }
  },
  defaults: use,
  filters: {
    hides: {
      kind: "redact",
      on: ["request"],
      parts: ["text"],
      roles: ["user"],
      onFailure: "drop",
      packs: ["email"],
      rules: [
        { name: "order", pattern: "order-\\d+", with: "[ORDER]", ignoreCase: true },
        { name: "code", text: "secret" }
      ],
      longest: 100,
      action: "mask"
    },
    blocks: {
      kind: "block",
      words: ["never"],
      patterns: ["no+"],
      withinWords: true,
      caseSensitive: true,
      reason: "rude",
      action: "hand-off",
      target: "smart",
      ...refusal
    },
    bounds: { kind: "length", characters: 1000, action: "stop" },
    shapes: { kind: "schema", schema: { type: "object" }, tools: true },
    speaks: { kind: "language", allow: ["en"], hold: true },
    says: { kind: "system", text: "Be brief.", place: "after" },
    labels: {
      kind: "metadata",
      set: { team: "search" },
      remove: ["user_id"],
      user: "$caller",
      headers: { "x-a": "b" }
    },
    judges: { kind: "model", model: "smart", policy: "No promises.", parallel: true },
    asks: {
      kind: "http",
      ...asked,
      wait: "100ms",
      overlap: 20,
      url: "https://judge.example.com",
      headers: { "x-key": "${C:-c}" },
      forward: ["x-team"],
      breaker: { failures: 3, openFor: "5s" }
    },
    tells: { kind: "mcp", ...asked, url: "https://judge.example.com/mcp", tool: "judge" }
  },
  everyCall: { filters: ["says"] },
  audit: {
    durability: "strict",
    onFailure: "open",
    capture: "full",
    captureLimit: "64KiB",
    retention: { maxAge: "90d", maxSize: "20GiB" },
    sinks: [
      { kind: "jsonl", path: "calls.jsonl", maxSize: "1MiB", keep: 3 },
      { kind: "otel", endpoint: "http://127.0.0.1:4318", headers: { "x-key": "${C:-c}" }, content: true }
    ]
  },
  accounting: { prices: "prices.json" },
  limits: [{ key: "*", tenant: "acme", model: "smart", ...limits }],
  signals: {
    enabled: true,
    taxonomy: "legacy",
    languages: ["en"],
    packs: ["pack.yaml"],
    content: true,
    flagSpans: true,
    retention: { maxAge: "30d", maxSize: "1GiB" }
  },
  analyzers: {
    loops: { kind: "repetition", onFinding: "stop", times: 4, length: 200 },
    quiet: { kind: "stall", after: "10s" },
    declines: { kind: "refusal", languages: ["en"] }
  },
  auth: {
    mode: "keys",
    adminKey: "${D:-d}",
    pepper: ["${E:-0123456789abcdef}"],
    keys: [
      {
        name: "ci",
        key: "${F:-f}",
        owner: "ada",
        tenant: "acme",
        labels: { team: "build" },
        models: ["smart"],
        filters: ["hides"],
        limits,
        expiresAt: "2037-06-30"
      }
    ]
  }
}

/** Where a key of the schema stands: `*` is any name, `[]` any element. */
const keysIn = (ast: SchemaAST.AST, at: string): ReadonlyArray<string> => {
  if (SchemaAST.isObjects(ast)) {
    return [
      ...ast.propertySignatures.flatMap(({ name, type }) => {
        const path = `${at}.${String(name)}`
        return [path, ...keysIn(type, path)]
      }),
      ...ast.indexSignatures.flatMap(({ type }) => keysIn(type, `${at}.*`))
    ]
  }
  if (SchemaAST.isArrays(ast)) return [...ast.elements, ...ast.rest].flatMap((element) => keysIn(element, `${at}[]`))
  return SchemaAST.isUnion(ast) ? ast.types.flatMap((type) => keysIn(type, at)) : []
}

/** Every key that a document may have, as `.models.*.targets[].weight`. */
export const documentKeys: ReadonlySet<string> = new Set(keysIn(SchemaAST.toEncoded(Document.ast), ""))
