import { NodeFileSystem } from "@effect/platform-node"
import { Layer, Schema } from "effect"
import { normalize } from "node:path"
import { FetchHttpClient } from "effect/http"
import type { AuditSettings } from "../audit/AuditTrail.ts"
import { type Capture, captureFor, CaptureLevel, usualMaxBytes } from "../audit/Capture.ts"
import * as JsonlSink from "../audit/JsonlSink.ts"
import * as OtlpSink from "../audit/OtlpSink.ts"
import type { ModelEntry } from "./ModelEntry.ts"
import { checkHeaders } from "./names.ts"
import type { Finding, Path } from "./problems.ts"
import { Retention, retentionOf } from "./retention.ts"
import { isSection } from "./substitute.ts"
import { count, ShortByteSize } from "./units.ts"
import { BaseUrl, oneOf, Secret, text, withDefault, YesOrNo } from "./values.ts"

/** A further place for copies of records: a file of lines, or a collector of logs. */
const Sink = Schema.Struct({
  kind: oneOf(["jsonl", "otel"]),
  path: Schema.optionalKey(text("the path of a file")),
  maxSize: Schema.optionalKey(ShortByteSize),
  keep: Schema.optionalKey(count(0, 1_000_000)),
  endpoint: Schema.optionalKey(BaseUrl),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Secret)),
  content: Schema.optionalKey(YesOrNo)
})

/** How calls are recorded, for how long, and where else. */
export const Audit = Schema.Struct({
  durability: oneOf(["strict", "standard", "process-safe", "async"]).pipe(withDefault("standard")),
  onFailure: oneOf(["closed", "open"]).pipe(withDefault("closed")),
  capture: oneOf(CaptureLevel.literals).pipe(withDefault("full")),
  captureLimit: Schema.optionalKey(ShortByteSize),
  retention: Schema.optionalKey(Retention),
  sinks: Schema.Array(Sink).pipe(withDefault([]))
})
type Audit = typeof Audit.Type

const settingsOf: { readonly [kind: string]: { readonly needs: string; readonly others: ReadonlyArray<string> } } = {
  jsonl: { needs: "path", others: ["maxSize", "keep"] },
  otel: { needs: "endpoint", others: ["headers", "content"] }
}

/** What each kind of sink needs, and what means nothing to it. */
export const checkSinks = (root: { readonly [key: string]: unknown }): ReadonlyArray<Finding> => {
  const audit = root["audit"]
  const sinks: unknown = isSection(audit) ? audit["sinks"] : undefined
  const taken = new Set<unknown>()
  return (Array.isArray(sinks) ? sinks : []).flatMap((sink: unknown, index): ReadonlyArray<Finding> => {
    if (!isSection(sink)) return []
    const kind = String(sink["kind"])
    const settings = Object.hasOwn(settingsOf, kind) ? settingsOf[kind] : undefined
    if (settings === undefined) return []
    const path: Path = ["audit", "sinks", index]
    const known = new Set(["kind", settings.needs, ...settings.others])
    const message = `does not say where records go; add ${settings.needs}:`
    const file = typeof sink["path"] === "string" ? normalize(sink["path"]) : undefined
    const isTaken = file !== undefined && taken.has(file)
    taken.add(file)
    return [
      ...checkHeaders([...path, "headers"], sink["headers"]),
      ...(sink[settings.needs] === undefined ? [{ path, message }] : []),
      ...(isTaken ? [{ path: [...path, "path"], message: "is the file of another sink; name one of its own" }] : []),
      ...Object.values(settingsOf)
        .flatMap(({ needs, others }) => [needs, ...others])
        .filter((key) => key in sink && !known.has(key))
        .map((key) => ({ path: [...path, key], message: `means nothing to a sink of this kind; remove it` }))
    ]
  })
}

/** What is recorded of models that say nothing of it. */
const usualCapture = ({ capture, captureLimit }: Audit): Capture => ({
  level: capture,
  maxBytes: captureLimit === undefined ? usualMaxBytes : Number(captureLimit)
})

type Models = { readonly [name: string]: Pick<ModelEntry, "alias" | "capture" | "captureLimit"> }

/** What is recorded of models that say something of it, and of their aliases. */
const modelCapture = (audit: Audit, models: Models): ReadonlyMap<string, Capture> => {
  const usual = usualCapture(audit)
  return new Map(
    Object.entries(models).flatMap(([name, entry]) => {
      const { capture, captureLimit } = models[entry.alias ?? name] ?? entry
      if (capture === undefined && captureLimit === undefined) return []
      const level = capture ?? usual.level
      return [[name, { level, maxBytes: captureLimit === undefined ? usual.maxBytes : Number(captureLimit) }]]
    })
  )
}

/** Whether what was said to these models is recorded. */
export const keepsContent = (audit: Audit, models: Models): ((models: ReadonlyArray<string>) => boolean) => {
  const captured = captureFor(usualCapture(audit), modelCapture(audit, models))
  return (asked) => captured(asked).level === "full"
}

/** What the audit trail is told. */
export const auditSettings = (audit: Audit, models: Models): AuditSettings => ({
  capture: usualCapture(audit),
  modelCapture: modelCapture(audit, models),
  durability: audit.durability,
  onFailure: audit.onFailure,
  ...retentionOf(audit.retention)
})

/** The configured sinks, one above the other. */
export const sinksLayer = ({ sinks }: Audit): Layer.Layer<never> =>
  sinks.reduce<Layer.Layer<never>>((others, { content, endpoint, headers, keep, maxSize, path }) => {
    if (path !== undefined) {
      const sizes = {
        ...(maxSize === undefined ? {} : { maxBytes: Number(maxSize) }),
        ...(keep === undefined ? {} : { keep })
      }
      return JsonlSink.layer({ path, ...sizes }).pipe(Layer.provide(NodeFileSystem.layer), Layer.provide(others))
    }
    if (endpoint === undefined) return others
    const options = {
      endpoint,
      ...(headers === undefined ? {} : { headers }),
      ...(content === undefined ? {} : { content })
    }
    return OtlpSink.layer(options).pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(others))
  }, Layer.empty)
