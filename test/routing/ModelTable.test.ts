import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { LlmError } from "../../src/domain/LlmError.ts"
import { tableRouter, type Listing, type TableProvider } from "../../src/routing/ModelTable.ts"
import type { RoutePlan } from "../../src/routing/Router.ts"
import { defaultTimeouts } from "../../src/routing/Timeouts.ts"
import { Upstream } from "../../src/routing/Upstream.ts"

const provider = (...models: ReadonlyArray<string>): TableProvider => ({
  upstream: Upstream.fromEvents(() => Stream.empty),
  models,
  knows: (model) => models.includes(model)
})

const providers = new Map([
  ["north", provider("shared", "compass")],
  ["south", provider("shared", "penguin")]
])

const plan = (provider: string, model: string): Listing => ({
  _tag: "Plan",
  plan: {
    targets: [{ provider, model, upstream: providers.get(provider)!.upstream }],
    timeouts: { ...defaultTimeouts, idle: 1 }
  }
})

const router = tableRouter({
  providers,
  models: new Map<string, Listing>([
    ["smart", plan("north", "compass-large")],
    ["south/penguin", plan("north", "instead")],
    ["quick", { _tag: "Alias", of: "smart" }],
    ["direct", { _tag: "Alias", of: "south/family/one" }],
    ["nested", { _tag: "Alias", of: "quick" }],
    ["dark", { _tag: "Off", why: "every provider it could go to is off" }]
  ]),
  off: new Map([["west", "WEST_API_KEY is not set"]]),
  likely: (model) => (model.startsWith("star-") ? ["south"] : model.startsWith("sun-") ? ["west"] : []),
  created: 1_700_000_000
})

const target = ({ targets: [{ provider, model }] }: RoutePlan) => `${provider} ${model}`

const found = (model: string) => Effect.map(router.plan(model), target)

const refusal = (model: string) => Effect.flip(router.plan(model))

describe("a model's name is looked up", () => {
  it.effect("as a listed model first, even where it looks like a provider's", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("smart"), "north compass-large")
      assert.strictEqual(yield* found("south/penguin"), "north instead")
      assert.strictEqual((yield* router.plan("smart")).timeouts.idle, 1)
    })
  )

  it.effect("as an alias, of a listed model or of anything else that is no alias", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("quick"), "north compass-large")
      assert.strictEqual(yield* found("direct"), "south family/one")
      assert.strictEqual((yield* refusal("nested")).reason._tag, "UnknownModel")
    })
  )

  it.effect("as provider/model, whatever the rest of it holds", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("north/anything"), "north anything")
      assert.strictEqual(yield* found("north/org/name:free?pace=5ms"), "north org/name:free?pace=5ms")
      assert.deepStrictEqual((yield* router.plan("north/x")).timeouts, defaultTimeouts)
    })
  )

  it.effect("as a name that exactly one provider has", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* found("penguin"), "south penguin")
      const several = yield* refusal("shared")
      assert.deepStrictEqual(several.reason, {
        _tag: "UnknownModel",
        model: "shared",
        near: ["north/shared", "south/shared"]
      })
    })
  )
})

describe("what providers say they have", () => {
  const said: { readonly [provider: string]: ReadonlyArray<string> } = {
    north: ["penguin", "walrus", "both"],
    south: ["compass", "both"]
  }
  const asked = tableRouter(
    { providers, models: new Map(), off: new Map(), created: 1 },
    { ask: Effect.void, listed: (provider) => new Set(said[provider]) }
  )

  it.effect("counts where nothing is configured, and changes nothing that is", () =>
    Effect.gen(function* () {
      assert.strictEqual(target(yield* asked.plan("walrus")), "north walrus")
      assert.strictEqual(target(yield* asked.plan("penguin")), "south penguin")
      assert.strictEqual(target(yield* asked.plan("compass")), "north compass")
      const several = yield* Effect.flip(asked.plan("both"))
      assert.include(several.message, "north/both, south/both")
      const near = yield* Effect.flip(asked.plan("wlarus"))
      assert.include(near.message, 'did you mean "walrus"')
    })
  )

  it.effect("is listed once, behind what is configured", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        (yield* asked.models).map(({ id }) => id),
        [
          "north/shared",
          "north/compass",
          "south/shared",
          "south/penguin",
          "north/penguin",
          "north/walrus",
          "north/both",
          "south/compass",
          "south/both"
        ]
      )
    })
  )
})

describe("a name that leads nowhere", () => {
  it.effect("is answered with the names that are like it", () =>
    Effect.gen(function* () {
      const near = (error: LlmError) => (error.reason._tag === "UnknownModel" ? error.reason.near : [])
      assert.strictEqual(near(yield* refusal("smrat"))[0], "smart")
      assert.strictEqual(near(yield* refusal("pengiun"))[0], "penguin")
      assert.strictEqual(near(yield* refusal("nroth/compass"))[0], "north/compass")
      assert.deepStrictEqual(near(yield* refusal("a-name-like-nothing-that-there-is")), [])
      assert.include((yield* refusal("smrat")).message, 'did you mean "smart"')
    })
  )

  it.effect("is answered with the reason where what it means is off", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* refusal("west/x")).message,
        'The model "west/x" cannot be reached: the provider west is off: WEST_API_KEY is not set'
      )
      assert.strictEqual(
        (yield* refusal("dark")).message,
        'The model "dark" cannot be reached: every provider it could go to is off'
      )
    })
  )

  it.effect("is answered with whose it could be by its beginning, or why that provider is off", () =>
    Effect.gen(function* () {
      const star = yield* refusal("star-5")
      assert.deepInclude(star.reason, { _tag: "UnknownModel", near: ["south/star-5"] })
      assert.include(star.message, 'did you mean "south/star-5"?')
      assert.strictEqual(
        (yield* refusal("sun-5")).message,
        'The model "sun-5" cannot be reached: the provider west is off: WEST_API_KEY is not set'
      )
    })
  )

  it.effect("is not taken for a provider where it is only a part of one", () =>
    Effect.gen(function* () {
      for (const model of ["", "/", "north", "north/", "/compass"]) {
        assert.strictEqual((yield* refusal(model)).reason._tag, "UnknownModel", model)
      }
    })
  )
})

it.effect("the models are those that are listed and lead somewhere, and those that providers are known to have", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(
      (yield* router.models).map(({ id, provider }) => `${id} of ${provider}`),
      [
        "smart of north",
        "south/penguin of north",
        "quick of north",
        "direct of south",
        "north/shared of north",
        "north/compass of north",
        "south/shared of south"
      ]
    )
    assert.strictEqual((yield* router.models)[0]?.created, 1_700_000_000)
  })
)
