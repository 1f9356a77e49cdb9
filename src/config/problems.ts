import { Schema } from "effect"
import { nearest } from "../routing/Router.ts"

/** Where something stands in a document, from its root. */
export type Path = ReadonlyArray<string | number>

/** Something that is wrong at a path of the document: what it is and how to mend it, in one sentence. */
export interface Finding {
  readonly path: Path
  readonly message: string
}

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A finding with the place where it stands. Without a file it is about a flag, the environment, or no place at all. */
export const Problem = Schema.Struct({
  file: Schema.optionalKey(Schema.String),
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.Int),
  path: Schema.String,
  message: Schema.String
})
export type Problem = typeof Problem.Type

/** Everything that is wrong with a configuration, in the order in which it stands in the file. */
export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  problems: Schema.Array(Problem)
}) {
  override get message() {
    return this.problems.map(formatProblem).join("\n")
  }
}

const plainKey = /^[\w-]+$/

/** Writes a path as `models.smart.targets[0].provider`; names that hold a dot or a slash are quoted. */
export const formatPath = (path: Path): string => {
  let text = ""
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`
    else if (!plainKey.test(segment)) text += `[${JSON.stringify(segment)}]`
    else text += text === "" ? segment : `.${segment}`
  }
  return text
}

/** Writes a problem as `millrace.yaml:3:9: server.port: …`, which editors and terminals can follow. */
export const formatProblem = ({ file, line, column, path, message }: Problem): string =>
  [[file, line, column].filter((part) => part !== undefined).join(":"), path, message]
    .filter((part) => part !== "")
    .join(": ")

/** `; did you mean "host"?`, or nothing where no name is near. */
export const didYouMean = (name: string, known: Iterable<string>): string => {
  const [first] = nearest(name, known)
  return first === undefined ? "" : `; did you mean ${JSON.stringify(first)}?`
}

/** What is said of a name by which no model can be asked for. `among` are the models that may have been meant. */
export const nobodyNamed = (
  name: string,
  among: ReadonlyArray<string>,
  providers: ReadonlyArray<string>
): string | undefined => {
  const slash = name.indexOf("/")
  if (among.includes(name) || (slash > 0 && providers.includes(name.slice(0, slash)))) return undefined
  return `names ${JSON.stringify(name)}, which is neither a model of this document nor <provider>/<model>${didYouMean(name, among)}`
}
