import { layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Verdict } from "../../scripts/formats/probe.ts"
import type { Asking } from "../../scripts/formats/requests.ts"
import { dialects, models, requestRows, type Row } from "../../scripts/formats/table.ts"
import { formatNames, type FormatName } from "../../src/providers/formats.ts"
import { Running, running, type RunningOptions } from "../server/running.ts"
import { Scenario } from "./scenario.ts"

/** A server whose provider speaks one of the formats that a provider can be called by. */
export type AtFormat = Scenario<FormatName>

/** What becomes of a feature between a caller's API and a provider's: the cell that docs/formats.md shows. */
export const verdictOf = (asking: Asking, target: FormatName, feature: string): Verdict => {
  const verdict = tables.get(asking)?.get(feature)?.cells[target]
  if (verdict === undefined) throw new Error(`docs/formats.md does not say what becomes of ${feature}`)
  return verdict
}

const tables = new Map<Asking, ReadonlyMap<string, Row<FormatName>>>(
  dialects.map(([id, dialect]) => [id, new Map(requestRows(id, dialect).map((row) => [row.name, row]))])
)

const isCarried = ({ fate }: Verdict): boolean => fate === "native" || fate === "emulated"

type Define = (name: string, body: (at: AtFormat) => Promise<void>) => void

/**
 * Scenarios around one server, each tried with a provider of every format; `where` is for those of one feature, which is
 * asked for in the API `asking`.
 */
export const everywhere = (
  name: string,
  asking: Asking,
  options: RunningOptions,
  define: (scenario: Define, where: (feature: string) => Define) => void
): void =>
  // Answers that break off are to be seen to break off.
  layer(running({ ...options, formats: formatNames, prefill: false }), { excludeTestServices: true })(name, (it) => {
    const at =
      (formats: ReadonlyArray<FormatName>): Define =>
      (name, body) => {
        for (const format of formats) {
          it.effect(`${name}, from ${format}`, () =>
            Effect.gen(function* () {
              const scenario = new Scenario(format, yield* Running, `${format}/${models[format]}`)
              yield* Effect.promise(() => scenario.begin())
              yield* Effect.promise(() => body(scenario))
            })
          )
        }
      }
    define(at(formatNames), (feature) =>
      at(formatNames.filter((format) => isCarried(verdictOf(asking, format, feature))))
    )
  })
