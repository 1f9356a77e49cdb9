import { type Analyzer, type Observation, watchText, type Watcher } from "../Analyzer.ts"
import type { LanguageName } from "../built-in.ts"
import { PatternSet } from "../Pattern.ts"
import { preview } from "../Signal.ts"
import { Profile } from "../Tokens.ts"

/** How models begin to decline. */
const phrases: { readonly [L in LanguageName]: ReadonlyArray<string> } = {
  en: [
    "=(i'm|i am) (sorry|very sorry|afraid) (but|that|i) (i|) (can't|cannot|can not|am unable|am not able|won't)",
    "=(i'm|i am) (unable|not able) to (help|assist|comply|provide|do that|continue|create|generate|answer|fulfill)",
    "=i (can't|cannot|can not|won't|will not) (help|assist|comply|provide|do that|create|generate|fulfill|support|engage|discuss|write) (with|that|this|you|in|it|any|content|instructions|information|)",
    "=i must (decline|refuse)",
    "=(that's|this is|that is) (not something|something) i (can't|cannot|can|am able to) (help|do|provide|assist)",
    "=as an ai (language model|model|assistant|) (i|) (can't|cannot|am unable|am not able|don't have)",
    "=against (my|our) (guidelines|policies|policy|principles)"
  ],
  de: [
    "=(es tut mir leid|tut mir leid|leider) (aber|) (ich kann|kann ich|dabei kann ich|das kann ich|ich darf) (dir|ihnen|das|dabei|hier|diese|) (leider|) (nicht|dabei nicht|das nicht|keine)",
    "=(dabei|damit|hierbei) kann ich (dir|ihnen|) (leider|) nicht (helfen|weiterhelfen)",
    "=ich (kann|darf|werde) (das|dir|ihnen|diese|dabei) (leider|) nicht (helfen|beantworten|erstellen|schreiben|tun)",
    "=das (muss|möchte) ich ablehnen",
    "=als ki (modell|sprachmodell|assistent) (kann|darf) ich"
  ],
  fr: [
    "=(je suis désolé|je suis désolée|désolé|désolée) (mais|) je ne (peux|suis|pourrai) pas",
    "=je ne (peux|pourrai) (malheureusement|) pas (vous|t'|) (aider|aider à|fournir|répondre|créer|écrire|faire)",
    "=je ne suis pas en mesure de",
    "=je (dois|préfère) (refuser|décliner)",
    "=en tant qu'(ia|intelligence artificielle|assistant) je ne (peux|suis)"
  ],
  es: [
    "=(lo siento|lo lamento) (pero|) no (puedo|me es posible|podré)",
    "=no puedo (ayudarte|ayudarle|ayudar|proporcionar|crear|escribir|hacer eso|cumplir|responder)",
    "=no (me es posible|estoy en condiciones de|soy capaz de)",
    "=(debo|tengo que) (rechazar|negarme)",
    "=como (ia|modelo de lenguaje|asistente) no puedo"
  ]
}

const beginning = 300

/** An answer in which the model declines: by its own word for it, or as it begins. */
export const refusal = (
  name: string,
  languages: ReadonlyArray<LanguageName>,
  onFinding: "observe" | "stop" = "observe"
): Analyzer => {
  const patterns = new PatternSet(languages.flatMap((language) => phrases[language]))
  return { name, onFinding, watch: () => watcher(patterns) }
}

const watcher = (patterns: PatternSet): Watcher => {
  let looked = false
  const text = watchText({ step: beginning, size: beginning }, (tail, { at, end }): Observation | undefined => {
    if (looked) return undefined
    looked = true
    // an answer that ends before that is looked at as it is
    if (end && at > beginning) return undefined
    const match = patterns.exact(new Profile(tail))
    return match === undefined
      ? undefined
      : { category: "refusal", severity: "low", excerpt: preview(tail.slice(match.start)) }
  })
  return {
    event: (event, now) =>
      event._tag === "RefusalDelta" || (event._tag === "Finish" && event.reason === "refusal")
        ? { category: "refusal", severity: "low" }
        : text.event(event, now)
  }
}
