import type { DocumentedKey } from "../accounting/Keys.ts"
import type { PriceBook } from "../accounting/PriceBook.ts"
import type { Effect, Redacted } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Auth, Route, Signer } from "../providers/Deployment.ts"
import type { FormatName } from "../providers/formats.ts"
import type { HttpTransport } from "../providers/HttpTransport.ts"
import type { PresetName } from "../providers/presets.ts"
import type { Quirks } from "../protocols/Protocol.ts"
import type { Analyzer } from "../signals/Analyzer.ts"
import type { SignalSettings } from "../signals/Signals.ts"
import type { Document } from "./Document.ts"
import type { DefaultsEntry, ModelEntry } from "./ModelEntry.ts"
import type { Problem } from "./problems.ts"

/** A provider that is on: in this process, or an endpoint that is called over HTTP. */
export type ProviderSettings =
  | { readonly _tag: "Simulator"; readonly name: string; readonly models: ReadonlyArray<string> }
  | HttpProvider

/** An endpoint, the wire formats it speaks (the preferred one first) and how to get in. */
export interface HttpProvider {
  readonly _tag: "Http"
  readonly name: string
  readonly preset: PresetName | undefined
  readonly protocols: readonly [FormatName, ...ReadonlyArray<FormatName>]
  /** without a slash at its end */
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted | undefined
  /** the same provider once for each of its keys, where it has several; `apiKey` is the first of them */
  readonly keys?: NonEmptyReadonlyArray<{ readonly label: string; readonly provider: HttpProvider }>
  /** who signs the requests, where a key is not enough */
  readonly signer?: Effect.Effect<Signer, never, HttpTransport>
  /** how the key is shown, where that is not as its formats have it */
  readonly auth?: Auth
  /** where its paths are not those of its formats */
  readonly route?: Route
  readonly headers: { readonly [name: string]: Redacted.Redacted }
  readonly quirks: Quirks
  /** whether its models go on with the beginning of an answer, where the document says so */
  readonly continues?: boolean
  readonly models: ReadonlyArray<string>
}

/** A provider that cannot be called, and what it lacks. */
export interface ProviderOff {
  readonly name: string
  readonly why: string
}

/** Whether callers are asked for keys, that of the administrator, and those that the document lists. */
export interface Authentication {
  readonly mode: "open" | "keys"
  readonly adminKey: Redacted.Redacted | undefined
  /** what secrets of keys are hashed with, that of new ones first; none where the database has its own */
  readonly peppers: ReadonlyArray<Redacted.Redacted>
  readonly keys: ReadonlyArray<DocumentedKey>
}

/** Everything that a program is configured by: the document, the environment and the flags in one. */
export interface Configuration {
  /** the document's file; undefined where there is none */
  readonly file: string | undefined
  readonly server: Document["server"]
  readonly storage: Document["storage"]["url"]
  readonly providers: ReadonlyArray<ProviderSettings>
  readonly off: ReadonlyArray<ProviderOff>
  readonly models: { readonly [name: string]: ModelEntry }
  readonly defaults?: DefaultsEntry
  readonly audit: Document["audit"]
  readonly auth: Authentication
  readonly limits: Document["limits"]
  /** what calls are reckoned with */
  readonly prices: PriceBook
  /** how conversations are read after a call; undefined where they are not */
  readonly signals: SignalSettings | undefined
  /** the filters that models, keys and every call may name, and those that every call passes */
  readonly filters: Document["filters"]
  readonly everyCall: Document["everyCall"]
  /** what watches answers while they stream */
  readonly analyzers: ReadonlyArray<Analyzer>
  readonly warnings: ReadonlyArray<Problem>
}
