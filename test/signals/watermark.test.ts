import { describe, expect, it } from "vitest"
import { analyze } from "../../src/signals/analyze.ts"
import { taxonomies } from "../../src/signals/built-in.ts"
import { conversationOf } from "../../src/signals/Row.ts"
import { noMemory } from "../../src/signals/Watermark.ts"
import { assistant, lexicon, named, read, requestOf, toolCall, toolResult, user } from "./reading.ts"

const history = [
  user("where is my order?"),
  assistant("It is on its way to you."),
  user("this is useless"),
  assistant("I am sorry to hear that."),
  user("forget it"),
  assistant("As you wish.")
]

describe("a signal is raised once", () => {
  it("however often the history with it comes again, and counts for the conversation all the same", () => {
    const first = read(history.slice(0, 4))
    expect(named(first)).toEqual(["disengagement.negative_stance@2"])
    const second = read(history, first.memory)
    expect(named(second)).toEqual(["disengagement.quit@4"])
    expect(second.totals).toEqual({
      "interaction.disengagement.negative_stance": 1,
      "interaction.disengagement.quit": 1
    })
    const third = read([...history, user("what is the weather like?"), assistant("Sunny.")], second.memory)
    expect(third).toMatchObject({ signals: [], quality: "severe", flagged: false, turns: { human: 4, assistant: 4 } })
  })

  it("where the same request is made again, or the answer is asked for anew", () => {
    const first = read(history.slice(0, 4))
    expect(read(history.slice(0, 3), first.memory).signals).toEqual([])
    const anew = read([...history.slice(0, 3), assistant("Another answer.")], first.memory)
    expect(anew).toMatchObject({ signals: [], totals: first.totals, turns: { human: 2, assistant: 2 } })
  })

  it("where the beginning of the history was cut off", () => {
    const first = read(history.slice(0, 4))
    expect(named(read(history.slice(1), first.memory))).toEqual(["disengagement.quit@3"])
    expect(read(history.slice(1), first.memory).turns.human).toBe(3)
  })

  it("where a client gives back what it got with other blanks", () => {
    const first = read(history.slice(0, 4))
    const blanks = history.slice(0, 4).map((message) => ({
      ...message,
      parts: message.parts.map((part) => (part._tag === "Text" ? { ...part, text: `${part.text} \n` } : part))
    }))
    expect(read(blanks, first.memory).signals).toEqual([])
  })
})

describe("conversations that begin alike", () => {
  it("do not count for each other", () => {
    const angry = read([user("hi"), assistant("hello!"), user("forget it"), assistant("ok")])
    const calm = read([user("hi"), assistant("Good day.")], angry.memory)
    expect(calm).toMatchObject({ signals: [], totals: {}, quality: "good", turns: { human: 1, assistant: 1 } })
    const calmer = read([user("hi"), assistant("Good day."), user("why bother"), assistant("ok")], calm.memory)
    expect(calmer.totals).toEqual({ "interaction.disengagement.quit": 1 })
  })
})

describe("a conversation whose history somebody else keeps", () => {
  it("goes on with what was known: all that comes is new", () => {
    const reading = { lexicon, taxonomy: taxonomies.layered }
    const turn = (text: string) => conversationOf(requestOf(user(text), assistant("ok")), undefined)
    const first = analyze(turn("yes"), noMemory, reading)
    const second = analyze(turn("this is useless"), first.memory, reading, true)
    const third = analyze(turn("this is useless"), second.memory, reading, true)
    expect(third.turns).toEqual({ human: 3, assistant: 3 })
    expect(third.totals).toEqual({ "interaction.disengagement.negative_stance": 2 })
  })
})

describe("a loop", () => {
  const round = (count: number) =>
    Array.from({ length: count }, (_, index) => [
      toolCall("find", '{"id":7}', `${index}`),
      toolResult("nothing", `${index}`)
    ]).flat()

  it("is told when it has become one, and not again as it goes on", () => {
    const two = read([user("find it"), ...round(2)])
    expect(two.signals).toEqual([])
    const three = read([user("find it"), ...round(3)], two.memory)
    expect(named(three)).toEqual(["loops.retry@5"])
    const five = read([user("find it"), ...round(5)], three.memory)
    expect(five.signals).toEqual([])
    expect(five.totals).toEqual({ "execution.loops.retry": 1 })
  })
})

describe("a long conversation", () => {
  const talk = Array.from({ length: 150 }, (_, n) => [
    user(`step ${n} of the work`),
    assistant(`done with ${n}`)
  ]).flat()

  it("is read by its latest hundred rows, at the indexes of its own messages, and counts all turns", () => {
    const analysis = read([...talk, user("forget it")])
    expect(named(analysis)).toContain("disengagement.quit@300")
    expect(analysis.turns.human).toBe(151)
  })

  it("has texts that are cut to 2,000 characters, first and last, never within one", () => {
    const long = `${"a".repeat(399)}😀${"b".repeat(3000)} forget it`
    const [row] = conversationOf(requestOf(user(long)), undefined).rows
    const text = row?.kind === "human" ? row.text : ""
    expect(text.length).toBeLessThanOrEqual(2000)
    expect(text.startsWith("aaa")).toBe(true)
    expect(text.endsWith("b forget it")).toBe(true)
    expect(text.isWellFormed()).toBe(true)
  })
})
