import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { seeded } from "../../../src/providers/simulator/Seeded.ts"
import { valueFor } from "../../../src/providers/simulator/SchemaValue.ts"

/** Any schema of the kinds that tools are described with, from a seed. */
const anySchema = (random: () => number, depth: number): Schema.Codec<unknown, unknown> => {
  const below = (limit: number) => Math.floor(random() * limit)
  const least = below(20) - 10
  const kinds: ReadonlyArray<() => Schema.Codec<unknown, unknown>> = [
    () => Schema.String,
    () => Schema.String.check(Schema.isMaxLength(below(12))),
    () => Schema.Boolean,
    () => Schema.Null,
    () => Schema.Finite,
    () => Schema.Int,
    () => Schema.Int.check(Schema.isBetween({ minimum: least, maximum: least + below(5) })),
    () => Schema.Finite.check(Schema.isGreaterThan(least), Schema.isLessThan(least + 0.3)),
    () => Schema.Finite.check(Schema.isLessThanOrEqualTo(least)),
    () => Schema.Int.check(Schema.isMultipleOf(3), Schema.isGreaterThanOrEqualTo(least)),
    () => Schema.Literals(["red", "green", "blue"]),
    () => Schema.Union([Schema.Null, Schema.String]),
    () => Schema.Union([anySchema(random, depth + 1), anySchema(random, depth + 1)]),
    () => Schema.Array(anySchema(random, depth + 1)).check(Schema.isMinLength(below(3))),
    () => Schema.Tuple([anySchema(random, depth + 1), anySchema(random, depth + 1)]),
    () => Schema.Record(Schema.String, anySchema(random, depth + 1)),
    () =>
      Schema.Struct({
        first: anySchema(random, depth + 1),
        second: Schema.optionalKey(anySchema(random, depth + 1)),
        "a name": anySchema(random, depth + 1)
      })
  ]
  return (kinds[below(depth > 3 ? 12 : kinds.length)] ?? (() => Schema.String))()
}

interface Tree {
  readonly label: string
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Codec<Tree> = Schema.Struct({
  label: Schema.String,
  children: Schema.Array(Schema.suspend(() => Tree)).check(Schema.isMinLength(0))
}).annotate({ identifier: "Tree" })

interface Chain {
  readonly value: number
  readonly next: Chain | null
}
const Chain: Schema.Codec<Chain> = Schema.Struct({
  value: Schema.Int,
  next: Schema.NullOr(Schema.suspend(() => Chain))
}).annotate({ identifier: "Chain" })

const jsonSchemaOf = (schema: Schema.Codec<unknown, unknown>): Schema.Json => {
  const { schema: root, definitions } = Schema.toJsonSchemaDocument(schema)
  // A JSON Schema is JSON.
  return { ...root, $defs: definitions } as Schema.Json
}

const fits = (schema: Schema.Codec<unknown, unknown>, seed: number) => {
  const described = jsonSchemaOf(schema)
  const value = valueFor(described, seed)
  const decoded = Schema.decodeResult(schema)(value)
  if (Result.isFailure(decoded)) {
    assert.fail(`${JSON.stringify(value)} does not fit ${JSON.stringify(described)}: ${decoded.failure.message}`)
  }
  return value
}

describe("values that fit a JSON Schema", () => {
  it.effect.prop(
    "fit whatever the schema is, and are the same for the same seed",
    [Schema.Natural, Schema.Natural],
    ([shape, seed]) =>
      Effect.sync(() => {
        const schema = anySchema(seeded(shape), 0)
        assert.deepStrictEqual(fits(schema, seed), fits(schema, seed))
      }),
    { arbitrary: { runs: 400 } }
  )

  it("end where a schema contains itself", () => {
    for (let seed = 0; seed < 20; seed++) {
      fits(Tree, seed)
      fits(Chain, seed)
    }
  })

  it("never blow up on a schema that requires itself without an end", () => {
    const endless = {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: { left: { $ref: "#/$defs/node" }, right: { $ref: "#/$defs/node" } },
          required: ["left", "right"]
        }
      }
    }
    assert.isAbove(JSON.stringify(valueFor(endless, 1)).length, 100)
    const doubled = { allOf: [{ $ref: "#" }, { $ref: "#" }] }
    assert.isNotNull(valueFor(doubled, 1))
    assert.strictEqual(Object(valueFor({ type: "array", minItems: 1e9 }, 1)).length, 1000)
    assert.isNotNull(valueFor({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, 1))
  })

  it("have no more text in all than can be sent", () => {
    const texts = { type: "array", minItems: 1000, items: { type: "string", minLength: 100_000 } }
    const value = valueFor({ type: "array", minItems: 1000, items: texts }, 1)
    assert.isBelow(JSON.stringify(value).length, 10_000_000)
  })

  it("are as long as they have to be", () => {
    for (let seed = 0; seed < 30; seed++) {
      const value = valueFor({ type: "string", minLength: seed, maxLength: seed + 1 }, seed)
      assert.isTrue(typeof value === "string" && value.length >= seed && value.length <= seed + 1)
    }
  })

  it("follow references, joined schemas, constants, examples and formats", () => {
    const schema = {
      definitions: { name: { type: "string", examples: ["Ada"] } },
      allOf: [
        { type: "object", properties: { who: { $ref: "#/definitions/name" } }, required: ["who"] },
        {
          properties: { kind: { const: "person" }, born: { type: "string", format: "date" } },
          required: ["kind", "born"]
        }
      ]
    }
    assert.deepStrictEqual(valueFor(schema, 3), { who: "Ada", kind: "person", born: "2026-03-14" })
    assert.deepStrictEqual(valueFor({ type: ["null", "integer"], minimum: 5, maximum: 5 }, 1), 5)
    assert.deepStrictEqual(Object.keys(Object(valueFor({ properties: { a: {}, b: {} } }, 1))), ["a", "b"])
    assert.deepStrictEqual(
      valueFor({ type: "array", items: { enum: [1, 2, 3] }, minItems: 3, uniqueItems: true }, 1)
        ?.toString()
        .split(",")
        .toSorted(),
      ["1", "2", "3"]
    )
    assert.strictEqual(
      JSON.stringify(valueFor({ type: "object", required: ["__proto__"] }, 1)).includes("__proto__"),
      true
    )
  })
})
