import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { Analyzer, Observation } from "../../../src/signals/Analyzer.ts"
import { requestOf, user } from "../reading.ts"

/** What an analyzer notices in a text that comes in pieces of some length, and after how many characters. */
export const watched = (
  { watch }: Analyzer,
  text: string,
  piece = text.length
): ReadonlyArray<Observation & { readonly by: number }> => {
  const watcher = watch(requestOf(user("hello")))
  const found: Array<Observation & { readonly by: number }> = []
  const look = (event: LlmEvent, by: number) => {
    const observation = watcher.event(event, 0)
    if (observation !== undefined) found.push({ ...observation, by })
  }
  for (let at = 0; at < text.length; at += piece) {
    look({ _tag: "TextDelta", id: "t", text: text.slice(at, at + piece) }, at + piece)
  }
  look({ _tag: "Finish", reason: "stop", usage: { source: "none" } }, text.length)
  return found
}

export const prose =
  "A water mill turns the fall of a stream into work. The wheel sits on a shaft, and the shaft drives the stones by a " +
  "pair of gears. Grain falls from the hopper into the eye of the runner stone, is cut between the furrows, and leaves " +
  "as meal at the rim. The miller listens to the sound of the stones and sets the gap between them by hand. In a dry " +
  "summer the pond is filled overnight and the mill runs for a few hours in the morning. Where the stream is steep an " +
  "overshot wheel is used; where it is flat and wide, the water passes below. Ice was the great fear of every miller, " +
  "and many wheels were taken out in winter. Some mills sawed timber, others fulled cloth, hammered iron or made paper."

export const germanProse =
  "Eine Wassermühle macht aus dem Gefälle eines Baches Arbeit. Das Rad sitzt auf einer Welle, und die Welle treibt die " +
  "Steine über ein Paar von Zahnrädern an. Das Korn fällt aus dem Trichter in das Auge des Läufers, wird zwischen den " +
  "Furchen geschnitten und kommt am Rand als Mehl heraus. Der Müller hört auf den Klang der Steine und stellt mit der " +
  "Hand den Abstand ein. In einem trockenen Sommer wird der Teich in der Nacht gefüllt, und die Mühle läuft am Morgen."
