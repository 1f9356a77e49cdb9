import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { RE2JS } from "re2js"
import { compile, type Pattern } from "../../../src/filters/pattern/Program.ts"
import { type OnMatch, PatternScanner } from "../../../src/filters/pattern/PatternScanner.ts"
import { isEnding, refuse } from "../../../src/filters/Verdict.ts"
import { scanned as through } from "../scanning.ts"
import { everySplit, someSplits } from "../splits.ts"

const programOf = (patterns: ReadonlyArray<Pattern>) => {
  const program = compile(patterns)
  if (Result.isFailure(program)) throw new Error(program.failure)
  return program.success
}

const marked: OnMatch = ({ text }) => `<${text}>`
const hiding = (...sources: ReadonlyArray<string>) => {
  const program = programOf(sources.map((source) => ({ source })))
  return () => new PatternScanner(program, marked)
}

/** The same by the engine of the language, on the whole text. */
const expected = (text: string, sources: ReadonlyArray<string>): string =>
  text.replaceAll(new RegExp(sources.map((source) => `(?:${source})`).join("|"), "gu"), (found) =>
    found === "" ? "" : `<${found}>`
  )

const sets: ReadonlyArray<ReadonlyArray<string>> = [
  ["abc"],
  ["a|ab", "bc"],
  ["ab|a", "b+"],
  ["a+?b", "a"],
  ["a+b", "b"],
  ["(?:ab)+c?"],
  ["\\bab\\b", "c"],
  ["\\Bb", "a$"],
  ["^a", "c+$"],
  ["[ab]c[^a]", "cc"],
  ["a.c", "b"],
  ["a.*?c"],
  ["a.*c", "b"],
  ["b{2,3}", "ab{0,2}c"],
  ["(?:a|b)*c"],
  [" ?a ?", "b c"]
]

describe("patterns", () => {
  for (const sources of sets) {
    it(`${sources.join(" and ")} hide the same for every split`, () => {
      const scanner = hiding(...sources)
      const letters = ["a", "b", "c", " "]
      for (let code = 0; code < 4 ** 5; code++) {
        const text = [0, 1, 2, 3, 4].map((at) => letters[(code >> (2 * at)) & 3]).join("")
        const wanted = expected(text, sources)
        for (const pieces of everySplit(text))
          assert.strictEqual(through(scanner(), pieces).left, wanted, pieces.join("|"))
      }
    })
  }

  it.effect.prop(
    "hide the same in texts of every kind",
    [Schema.Array(Schema.Literals(["a", "b", "c", " ", "\n", "€", "😀", "1", "-"]))],
    ([letters]) =>
      Effect.sync(() => {
        const text = letters.join("")
        for (const sources of sets) {
          const wanted = expected(text, sources)
          for (const pieces of someSplits(text, 3)) {
            assert.strictEqual(through(hiding(...sources)(), pieces).left, wanted, pieces.join("|"))
          }
        }
      })
  )

  it("never cut a character in two", () => {
    const scanner = hiding("😀a", "[😃-😅]")
    for (const pieces of everySplit("x😀a😀b😄y")) {
      assert.strictEqual(through(scanner(), pieces).left, "x<😀a>😀b<😄>y")
    }
    const lone = through(hiding("a")(), ["x\ud83d", "\ud83d", "y\ud83d"])
    assert.strictEqual(lone.left, "x\ud83d\ud83dy\ud83d")
  })

  it("know the words of other alphabets, and the places between them", () => {
    const program = programOf([{ source: "\\bмир\\b" }, { source: "\\bübel\\b", caseInsensitive: true }])
    const scanner = () => new PatternScanner(program, marked)
    for (const pieces of someSplits("мир, мира; Übel übler ÜBEL")) {
      assert.strictEqual(through(scanner(), pieces).left, "<мир>, мира; <Übel> übler <ÜBEL>")
    }
  })
})

/** A pattern that grows as the choices say. */
const grown = (choices: ReadonlyArray<number>): string => {
  let next = 0
  const choose = <A>(...among: ReadonlyArray<A>): A => among[(choices[next++] ?? 0) % among.length]!
  const leaf = () =>
    choose("a", "b", "1", " ", "😀", "[ab]", "[^a]", ".", "\\w", "\\b", "\\B", "^", "$", "(?m:^)", "(?m:$)")
  const grow = (depth: number): string => {
    if (depth === 0) return leaf()
    const inner = () => grow(depth - 1)
    const lazy = () => choose("", "?")
    return choose(
      leaf,
      () => inner() + inner(),
      () => `(?:${inner()}|${inner()})`,
      () => `(${inner()})`,
      () => `(?:${inner()})*${lazy()}`,
      () => `(${inner()}){1,3}${lazy()}`,
      () => `(?:${inner()})?${lazy()}`
    )()
  }
  return grow(4)
}

/** The same by RE2 on the whole text, with what the groups of each match took; nothing where a match is empty. */
const byRe2 = (source: string, text: string): string | undefined => {
  const matcher = RE2JS.compile(source).matcher(text)
  let left = ""
  let at = 0
  while (matcher.find()) {
    if (matcher.start() === matcher.end()) return undefined
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? "-")
    left += `${text.slice(at, matcher.start())}<${groups.join()}>`
    at = matcher.end()
  }
  return left + text.slice(at)
}

describe("any pattern", () => {
  it.effect.prop(
    "means what it means to RE2, its groups too",
    [
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 419 }))),
      Schema.Array(Schema.Literals(["a", "b", "1", " ", "\n", "😀"]))
    ],
    ([choices, letters]) =>
      Effect.sync(() => {
        const source = grown(choices)
        const text = letters.join("")
        const program = compile([{ source }])
        const wanted = Result.isSuccess(program) ? byRe2(source, text) : undefined
        if (Result.isFailure(program) || wanted === undefined) return
        const count = RE2JS.compile(source).groupCount() + 1
        const scanner = () =>
          new PatternScanner(program.success, ({ groups }) => {
            const taken = groups()
            return `<${Array.from({ length: count }, (_, group) => taken[group] ?? "-").join()}>`
          })
        for (const pieces of someSplits(text, 2)) {
          assert.strictEqual(through(scanner(), pieces).left, wanted, `${source} in ${pieces.join("|")}`)
        }
      }),
    { arbitrary: { runs: 2_000 } }
  )
})

describe("what is held back", () => {
  it("is nothing while nothing can become a match", () => {
    assert.strictEqual(through(hiding("secret")(), "a plain text to read".split("")).held, 0)
  })

  it("is what may still become one", () => {
    assert.strictEqual(through(hiding("secret")(), "so secr so".split("")).held, 4)
  })

  it("is never longer than the longest match", () => {
    const bounded = programOf([{ source: "ab{1,10}c" }])
    assert.strictEqual(bounded.longest, 24)
    assert.isAtMost(through(new PatternScanner(bounded, marked), "abbbbbbbbbbbbbbbbbbbbb".split("")).held, 24)
  })

  it("of a pattern without a bound is what the bound says; of a longer match only that much is hidden", () => {
    const program = programOf([{ source: "a+b", longest: 8 }])
    const long = `${"a".repeat(20)}b`
    const { left, held } = through(new PatternScanner(program, marked), long.split(""))
    assert.strictEqual(held, 8)
    for (const pieces of someSplits(long)) {
      assert.strictEqual(through(new PatternScanner(program, marked), pieces).left, left)
    }
    assert.strictEqual(left, `${"a".repeat(13)}<${"a".repeat(7)}b>`)
  })

  it("of a match that could go on for ever is hidden in pieces", () => {
    const program = programOf([{ source: "[0-9]+", longest: 8 }])
    for (const pieces of someSplits("1".repeat(20))) {
      assert.strictEqual(through(new PatternScanner(program, () => "#"), pieces).left, "###")
    }
  })
})

describe("a match", () => {
  it("is none where the pattern declines it", () => {
    const even = programOf([{ source: "[0-9]+", matches: (text) => text.length % 2 === 0 }])
    for (const pieces of everySplit("a12b345c6")) {
      assert.strictEqual(through(new PatternScanner(even, marked), pieces).left, "a<12>b<34>5c6")
    }
  })

  it.effect.prop(
    "that is declined hides no other one, wherever that begins",
    [Schema.Array(Schema.Literals(["1", "2", "3", "7", " ", " ", "x"]))],
    ([letters]) =>
      Effect.sync(() => {
        const text = letters.join("")
        const matches = (found: string) => Array.from(found).reduce((sum, digit) => sum + Number(digit), 0) % 5 === 0
        const program = programOf([{ source: "\\b[0-9](?: ?[0-9]){2,5}\\b", matches }])
        // Every place to begin, and of every one the longest that is accepted.
        const at = (start: number): string | undefined =>
          Array.from({ length: 11 }, (_, shorter) => text.slice(start, start + 11 - shorter)).find(
            (found) =>
              /^[0-9](?: ?[0-9]){2,5}$/.test(found) &&
              !/[0-9x]$/.test(text.slice(0, start)) &&
              !/^[0-9x]/.test(text.slice(start + found.length)) &&
              matches(found)
          )
        let wanted = ""
        for (let start = 0; start < text.length;) {
          const found = at(start)
          wanted += found === undefined ? text[start] : `<${found}>`
          start += found?.length ?? 1
        }
        for (const pieces of someSplits(text, 3)) {
          assert.strictEqual(through(new PatternScanner(program, marked), pieces).left, wanted, pieces.join("|"))
        }
      })
  )

  it("that began long ago is held back beside others that may not be as long", () => {
    const program = programOf([
      { source: "[a-z.]+@", longest: 8 },
      { source: "\\bkey[a-z]+!", longest: 64 }
    ])
    const text = `x.key${"a".repeat(40)}! and ${"b".repeat(20)}@`
    for (const pieces of someSplits(text)) {
      assert.strictEqual(
        through(new PatternScanner(program, marked), pieces).left,
        `x.<key${"a".repeat(40)}!> and ${"b".repeat(13)}<${"b".repeat(7)}@>`
      )
    }
  })

  it("says what its groups took, whatever stands around it", () => {
    const program = programOf([
      { source: "\\b(é)(l)?an\\b" },
      { source: "\\B(x)(?:y|(z))" },
      { source: "(a+?)(a*)$" },
      { source: "(?:(b)|(c))+" }
    ])
    const scanner = () => new PatternScanner(program, ({ groups }) => `<${groups().map((one) => one ?? "-")}>`)
    for (const pieces of someSplits("élan éan axy axz bcb aaa")) {
      assert.strictEqual(through(scanner(), pieces).left, "<élan,é,l> <éan,é,-> a<xy,x> a<xz,x,z> <bcb,b,c> <aaa,a,aa>")
    }
  })

  it("may end the call: what stands before it leaves, nothing else", () => {
    const program = programOf([{ source: "secret" }])
    for (const pieces of everySplit("my secret")) {
      const { left, ending } = through(new PatternScanner(program, () => refuse("no")), pieces)
      assert.strictEqual(left, "my ")
      assert.isTrue(isEnding(ending))
    }
  })
})

describe("a pattern that cannot be used", () => {
  for (const [source, why] of [
    ["(a", "is no pattern"],
    ["(?<!a)b", "is no pattern"],
    ["(a)\\1", "is no pattern"],
    ["a*", "matches the empty text"],
    ["(?:(?:a{100}){100}){100}", "is"],
    ["a".repeat(20_001), "is too large"]
  ] as const) {
    it(`${source.slice(0, 40)} is told`, () => {
      const program = compile([{ source }])
      assert.isTrue(Result.isFailure(program))
      if (Result.isFailure(program)) assert.include(program.failure, why)
    })
  }
})

describe("a long pattern", () => {
  it("is used like any other", () => {
    const long = `a${"b".repeat(17_999)}`
    const program = programOf([{ source: long }])
    assert.strictEqual(through(new PatternScanner(program, () => "#"), ["x", long, "y"]).left, "x#y")
    assert.strictEqual(program.longest, 2 * long.length)
  })
})

describe("time", () => {
  it("is in proportion to the text for patterns that explode elsewhere", () => {
    const program = programOf([{ source: "(?:a+)+$" }, { source: "(?:a|aa)+b" }])
    const text = `${"a".repeat(50_000)}!`
    let steps = 0
    const decide = { keep: () => void steps++, replace: () => void steps++ }
    new PatternScanner(program, marked).scan(text, true, decide)
    // A backtracking engine would not come back.
    assert.isAbove(steps, 0)
  })
})
