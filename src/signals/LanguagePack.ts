/**
 * What people say, and what tools answer, by what it means. In order: what is about the answer, about giving up, about
 * being content, then what tools answer, then what only the `legacy` taxonomy looks for.
 */
export const families = [
  /** the answer misunderstood: "that's not what I asked" */
  "correction",
  /** said again in other words: "let me rephrase" */
  "rephrase",
  /** the answer is not understood: "what do you mean" */
  "clarification",
  /** wants a person */
  "humanAgent",
  /** wants a support team */
  "support",
  /** gives up: "never mind, forget it" */
  "quit",
  /** insults the assistant */
  "profanity",
  /** is fed up: "this is useless" */
  "complaint",
  /** is thankful for more than courtesy: "that helps a lot" */
  "gratitude",
  /** likes it: "that works" */
  "confirmation",
  /** it was done: "it worked" */
  "success",
  /** how a message begins that agrees */
  "confirmationPrefix",
  /** how a message begins that is friendly */
  "positivePrefix",
  /** words that turn what follows them into its opposite */
  "negation",
  "invalidArgs",
  "toolNotFound",
  "authMisuse",
  "stateError",
  "badQuery",
  "rateLimit",
  "apiError",
  "timeout",
  "network",
  "malformedResponse",
  "contextOverflow",
  /** corrects oneself or interrupts: "my mistake", "hold on" */
  "repair",
  /** bare courtesy: "thanks" */
  "thanks",
  /** swear words, whoever they are for */
  "swearing",
  /** says what was asked for: "I wanted …"; with words of the earlier message it is a correction */
  "restatement"
] as const
export type Family = (typeof families)[number]

/**
 * The patterns of one language. In a pattern, `(a|b|)` are alternatives, `*` stands for one to three words, and a `=` in
 * front means word for word only. `stopWords` say nothing of what a sentence is about.
 */
export interface LanguagePack {
  readonly language: string
  readonly patterns: { readonly [F in Family]?: ReadonlyArray<string> }
  readonly stopWords?: ReadonlyArray<string>
}
