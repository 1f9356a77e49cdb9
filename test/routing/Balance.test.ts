import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Engine } from "../../src/engine/Engine.ts"
import { Affinity } from "../../src/routing/Affinity.ts"
import { afterHint, backoff } from "../../src/routing/Backoff.ts"
import { inOrder, type Load, type Strategy } from "../../src/routing/Balance.ts"
import { Latency } from "../../src/routing/Latency.ts"
import { TargetState } from "../../src/routing/TargetStates.ts"
import { call, engineOver, place, records, says } from "./routes.ts"

/** The same numbers from 0 to 1 for the same seed. */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const idle: Load = { weight: 1, inFlight: 0, latency: 0 }

/** How often each comes first. */
const firsts = (strategy: Strategy, loads: { readonly [name: string]: Load }, times = 4000) => {
  const random = randomFrom(7)
  const counts: Record<string, number> = {}
  for (let index = 0; index < times; index++) {
    const order = inOrder(strategy, Object.keys(loads), (name) => loads[name]!, random)
    assert.sameMembers([...order], Object.keys(loads))
    counts[order[0]!] = (counts[order[0]!] ?? 0) + 1
  }
  return counts
}

describe("the order of targets", () => {
  it("is that of the list", () => {
    assert.deepStrictEqual(firsts("ordered", { a: idle, b: idle }), { a: 4000 })
  })

  it("is drawn by weight; a weight of 0 comes last", () => {
    const counts = firsts("weighted", { a: { ...idle, weight: 3 }, b: idle, c: { ...idle, weight: 0 } })
    assert.isUndefined(counts["c"])
    assert.approximately(counts["a"]! / 4000, 0.75, 0.03)
  })

  it("is any", () => {
    const counts = firsts("random", { a: idle, b: idle, c: idle, d: idle })
    for (const count of Object.values(counts)) assert.approximately(count / 4000, 0.25, 0.03)
  })

  it("begins with the fastest, and the busier one of two that are as fast comes later", () => {
    const slow = { ...idle, latency: 900 }
    assert.deepStrictEqual(firsts("least-latency", { slow, fast: { ...idle, latency: 100 } }), { fast: 4000 })
    const busy = { ...idle, latency: 500, inFlight: 1 }
    assert.deepStrictEqual(firsts("least-latency", { busy, slow }), { slow: 4000 })
    // What was never asked is tried.
    assert.deepStrictEqual(firsts("least-latency", { slow, unknown: idle }), { unknown: 4000 })
  })

  it("begins with the least busy, and any of those that are as busy", () => {
    const counts = firsts("least-busy", { a: { ...idle, inFlight: 2 }, b: idle, c: idle })
    assert.isUndefined(counts["a"])
    assert.approximately(counts["b"]! / 4000, 0.5, 0.03)
  })
})

describe("a latency", () => {
  it("follows a rise at once, a fall slowly, and fades", () => {
    const latency = new Latency()
    latency.observe(100, 0)
    latency.observe(1000, 100)
    assert.strictEqual(latency.read(100), 1000)
    latency.observe(100, 200)
    assert.isAbove(latency.read(200), 900)
    assert.isBelow(latency.read(60_200), 5)
  })
})

describe("a wait for what a provider said", () => {
  it("is never shorter, and longer by up to a tenth and a second", () => {
    const random = randomFrom(5)
    for (const hinted of [0, 1, 50, 3000, 10_000, 600_000]) {
      const waits = Array.from({ length: 1000 }, () => afterHint(hinted, random()))
      assert.isAtLeast(Math.min(...waits), hinted)
      assert.isAtMost(Math.max(...waits), Math.ceil(hinted + Math.min(1000, hinted / 10)))
      if (hinted >= 3000) assert.isAbove(Math.max(...waits) - Math.min(...waits), Math.min(1000, hinted / 10) * 0.9)
    }
  })
})

describe("a backoff", () => {
  it("doubles, is spread by up to 100 ms, and never exceeds the cap", () => {
    const retry = { maxAttempts: 4, initialDelay: 200, maxDelay: 5000 }
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4, 5, 50].map((waits) => backoff(retry, waits, 0)),
      [200, 400, 800, 1600, 3200, 5000, 5000]
    )
    assert.deepStrictEqual(
      [0, 0.5, 1].map((random) => backoff(retry, 0, random)),
      [200, 250, 300]
    )
    assert.strictEqual(backoff(retry, 5, 1), 5000)
  })
})

describe("an affinity", () => {
  const kept = (name: string) => {
    const state = new TargetState(name, { provider: name, model: "m" })
    return { whole: state, state }
  }

  it("is forgotten after five minutes of silence, and after an hour at most", () => {
    const minute = 60_000
    const affinity = new Affinity()
    const a = kept("a")
    affinity.remember("s", a, 0)
    assert.strictEqual(affinity.keptBy("s", 4 * minute)?.state, a.state)
    assert.isUndefined(affinity.keptBy("s", 5 * minute))
    for (let at = 0; at < 60; at += 4) affinity.remember("s", a, at * minute)
    assert.strictEqual(affinity.keptBy("s", 59 * minute)?.state, a.state)
    assert.isUndefined(affinity.keptBy("s", 60 * minute))
  })

  it("has room for ten thousand sessions", () => {
    const affinity = new Affinity()
    const a = kept("a")
    for (let index = 0; index <= 10_000; index++) affinity.remember(`s${index}`, a, 0)
    assert.isUndefined(affinity.keptBy("s0", 0))
    assert.isDefined(affinity.keptBy("s1", 0))
  })

  it.effect("keeps a conversation with the target and the key that answered it", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let index = 0; index < 6; index++) {
        yield* engine.run({ ...call, conversation: "one" })
        yield* TestClock.adjust("1 millis")
      }
      const used = new Set((yield* records).flatMap(({ attempts }) => attempts.map(({ provider }) => provider)))
      assert.strictEqual(used.size, 1)
    }).pipe(
      Effect.provide(
        engineOver(
          ["a", "b", "c"].map((name) =>
            place(
              name,
              Array.from({ length: 6 }, () => says(name))
            )
          ),
          { policy: { strategy: "random", affinity: "conversation" } }
        )
      )
    )
  )
})
