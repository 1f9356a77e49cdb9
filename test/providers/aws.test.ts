import { createHash, createHmac } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { bedrockAccess, sigV4, type AwsCredentials, type BedrockSettings } from "../../src/providers/aws.ts"
import { deploymentUpstream, type Deployment, type UnsignedRequest } from "../../src/providers/Deployment.ts"
import { HttpTransport } from "../../src/providers/HttpTransport.ts"
import { httpServer } from "./servers.ts"
import { tinyProtocol } from "./tinyProtocol.ts"

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
const credentials: AwsCredentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: Redacted.make(secret) }
const moment = Date.UTC(2015, 7, 30, 12, 36, 0)

const request = (more: Partial<UnsignedRequest> & { readonly href?: string } = {}): UnsignedRequest => ({
  method: "POST",
  url: new URL(more.href ?? "https://example.amazonaws.com/"),
  headers: {},
  body: "",
  ...more
})

const sign = (signed: UnsignedRequest, by = credentials, service = "service") =>
  Effect.gen(function* () {
    yield* TestClock.setTime(moment)
    return yield* sigV4(by, { region: "us-east-1", service }).sign(signed)
  })

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()

/** The signature of a request, computed step by step as Signature Version 4 is specified. */
const signatureOf = (
  method: string,
  path: string,
  headers: { readonly [name: string]: string },
  names: ReadonlyArray<string>,
  body: string,
  service: string
): string => {
  const time = headers["x-amz-date"]!
  // Every segment of the path is encoded once more than it is in the request.
  const canonicalPath = path.split("/").map(encodeURIComponent).join("/")
  const lines = names.map((name) => `${name}:${headers[name]!.trim()}\n`).join("")
  const canonical = [method, canonicalPath, "", lines, names.join(";"), sha256(body)].join("\n")
  const scope = `${time.slice(0, 8)}/us-east-1/${service}/aws4_request`
  const key = scope.split("/").reduce<Buffer | string>((derived, part) => hmac(derived, part), `AWS4${secret}`)
  return hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex")
}

describe("a signature", () => {
  for (const [method, signature] of [
    ["GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    ["POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"]
  ] as const) {
    it.effect(`of the plainest ${method} is the one that AWS publishes`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* sign(request({ method })), {
          "x-amz-date": "20150830T123600Z",
          authorization:
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
            `SignedHeaders=host;x-amz-date, Signature=${signature}`
        })
      })
    )
  }

  it.effect("covers body, path, session and the headers of AWS, and no others", () =>
    Effect.gen(function* () {
      const path = "/model/us.anthropic.claude-v1%3A0/converse"
      const headers = yield* sign(
        request({
          href: `https://bedrock-runtime.us-east-1.amazonaws.com${path}`,
          body: '{"é":1}',
          headers: { "content-type": "application/json", accept: "text/plain", "x-amz-bedrock-trace": "on" }
        }),
        { ...credentials, sessionToken: Redacted.make("session/token==") },
        "bedrock"
      )
      const names = ["host", "x-amz-bedrock-trace", "x-amz-date", "x-amz-security-token"]
      const sent = { ...headers, host: "bedrock-runtime.us-east-1.amazonaws.com" }
      assert.strictEqual(headers["x-amz-security-token"], "session/token==")
      assert.include(headers["authorization"], `SignedHeaders=${names.join(";")}, `)
      assert.include(
        headers["authorization"],
        `Signature=${signatureOf("POST", path, sent, names, '{"é":1}', "bedrock")}`
      )
    })
  )

  it.effect("is another one a day later", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(moment)
      const signer = sigV4(credentials, { region: "us-east-1", service: "service" })
      const dates: Array<string | undefined> = []
      for (let day = 0; day < 4; day++) {
        const headers = yield* signer.sign(request())
        const sent = { ...headers, host: "example.amazonaws.com" }
        const signature = signatureOf("POST", "/", sent, ["host", "x-amz-date"], "", "service")
        assert.isTrue(headers["authorization"]?.endsWith(signature))
        dates.push(headers["x-amz-date"])
        yield* TestClock.adjust("1 day")
      }
      assert.strictEqual(new Set(dates).size, 4)
    })
  )
})

const deploymentAt = (baseUrl: string, by: AwsCredentials): Deployment => ({
  provider: "tested",
  protocols: [tinyProtocol("a:b%3Ac")],
  ...Result.getOrThrow(bedrockAccess({ baseUrl, region: "us-east-1", credentials: by }, new Map())),
  headers: {},
  quirks: {}
})

const ask = (deployment: Deployment) =>
  Effect.gen(function* () {
    const upstream = yield* deploymentUpstream(deployment)
    const observer = { connected: () => {}, head: () => {}, bytes: () => {}, notice: () => {} }
    const asked = { request: { model: "m", messages: [], sampling: {} }, model: "m", delivery: "whole" as const }
    return yield* Stream.runCollect(upstream.stream({ ...asked, dialect: undefined, origin: undefined, observer }))
  })

describe("a deployment with credentials", () => {
  it.live("sends requests whose signature is right for what arrives", () =>
    Effect.gen(function* () {
      const received: Array<{ readonly head: IncomingMessage; readonly body: string }> = []
      const server = yield* httpServer((head, response) => {
        let body = ""
        head.setEncoding("utf8").on("data", (piece: string) => (body += piece))
        head.on("end", () => {
          received.push({ head, body })
          response.writeHead(200, { "content-type": "application/json" }).end('{"stop":true}')
        })
      })
      yield* ask(deploymentAt(server.url, credentials))
      const { head, body } = received[0]!
      const headers = Object.fromEntries(Object.entries(head.headers).map(([name, value]) => [name, String(value)]))
      const signature = signatureOf("POST", head.url!, headers, ["host", "x-amz-date"], body, "bedrock")
      assert.strictEqual(head.url, "/a:b%3Ac/whole")
      assert.match(headers["authorization"]!, new RegExp(`^AWS4-HMAC-SHA256 .*Signature=${signature}$`))
    }).pipe(Effect.scoped, Effect.provide(HttpTransport.layer))
  )

  it.live("never repeats what it signs with", () =>
    Effect.gen(function* () {
      const server = yield* httpServer((head, response) =>
        response.writeHead(403).end(`The canonical string has ${String(head.headers["x-amz-security-token"])}`)
      )
      const by = { ...credentials, sessionToken: Redacted.make("very-secret-session") }
      const error = yield* Effect.flip(ask(deploymentAt(server.url, by)))
      assert.include(error.message, "The canonical string has <redacted>")
      assert.notInclude(JSON.stringify(error), "very-secret")
    }).pipe(Effect.scoped, Effect.provide(HttpTransport.layer))
  )
})

describe("access to Amazon Bedrock", () => {
  const keys = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" }
  const access = (settings: BedrockSettings, environment: { readonly [name: string]: string }) =>
    bedrockAccess(settings, new Map(Object.entries(environment)))
  const found = (settings: BedrockSettings, environment: { readonly [name: string]: string }) => {
    const { baseUrl, apiKey, signer } = Result.getOrThrow(access(settings, environment))
    return [baseUrl, apiKey && Redacted.value(apiKey), signer?.secrets.map(Redacted.value)]
  }

  it("comes from the environment", () => {
    const url = "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert.deepStrictEqual(found({}, { ...keys, AWS_REGION: "eu-west-1" }), [url, undefined, ["s", "t"]])
    assert.deepStrictEqual(found({}, { ...keys, AWS_DEFAULT_REGION: "eu-west-1" }), [url, undefined, ["s", "t"]])
    const both = { ...keys, AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "x", AWS_BEARER_TOKEN_BEDROCK: "k" }
    assert.deepStrictEqual(found({}, both), [url, "k", undefined])
  })

  it("is what was set, where something was", () => {
    const environment = { ...keys, AWS_REGION: "eu-west-1", AWS_BEARER_TOKEN_BEDROCK: "k" }
    const [, apiKey, secrets] = found({ credentials }, environment)
    assert.deepStrictEqual([apiKey, secrets], [undefined, [secret]])
    const settings = { region: "cn-north-1", apiKey: Redacted.make("mine") }
    const url = "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"
    assert.deepStrictEqual(found(settings, environment), [url, "mine", undefined])
    assert.deepStrictEqual(
      found({ region: "eusc-de-east-1" }, environment)[0],
      "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu"
    )
    assert.deepStrictEqual(
      found({ baseUrl: "http://localhost", apiKey: Redacted.make("mine") }, {})[0],
      "http://localhost"
    )
  })

  it("says which variable is missing", () => {
    const missing = (settings: BedrockSettings, environment: { readonly [name: string]: string }) =>
      Result.getOrThrow(Result.flip(access(settings, environment)))
    assert.strictEqual(missing({}, keys), "AWS_REGION")
    assert.strictEqual(missing({ baseUrl: "http://localhost" }, keys), "AWS_REGION")
    assert.strictEqual(missing({ region: "eu-west-1" }, {}), "AWS_ACCESS_KEY_ID")
    assert.strictEqual(missing({ region: "eu-west-1" }, { AWS_ACCESS_KEY_ID: "AKID" }), "AWS_SECRET_ACCESS_KEY")
  })
})
