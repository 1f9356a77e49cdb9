import { posix } from "node:path"
import { parseSync } from "vite"

/** A source file as the checks see it: its path from the root of the repository, with slashes, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const parts = {
  domain: [],
  wire: [],
  protocols: ["domain", "wire"],
  storage: ["domain"],
  filters: ["domain", "wire"],
  signals: ["domain", "storage"],
  audit: ["domain", "storage"],
  accounting: ["domain", "storage"],
  conversations: ["domain", "storage"],
  routing: ["domain"],
  providers: ["domain", "wire", "protocols", "routing"],
  agent: ["domain", "routing", "filters"],
  telemetry: ["domain"]
}
const allParts = Object.keys(parts)
const behindPorts = ["wire", "protocols", "providers", "storage"]

/**
 * The folders of `src/` from the vocabulary upwards, each with the folders it may import. A folder may always import
 * itself, and never one that stands below it in this list.
 */
export const mayImport: Record<string, ReadonlyArray<string>> = {
  ...parts,
  // Ports only, so that importing the engine imports no driver.
  engine: allParts.filter((folder) => !behindPorts.includes(folder)),
  config: [...allParts, "engine"],
  server: [...allParts, "engine", "config"],
  cli: [...allParts, "engine", "config", "server"],
  testing: [...allParts, "engine"]
}

/** The files directly under `src/`: what the package exports and the program. */
export const entryPoints = ["src/index.ts", "src/testing.ts", "src/main.ts"]

/** Folders whose subject is a provider or its wire format; commands name some in the examples that they show. */
const foldersThatNameProviders = ["protocols", "providers", "cli"]

const providerName =
  /openai|anthropic|claude|chatgpt|gpt-?\d|\bgpt|gemini|vertex-?ai|bedrock|azure|ollama|cohere(?!n)|mistral|deepseek|groq|openrouter|perplexity|cerebras|sambanova|nvidia|moonshot|dashscope|litellm|copilot|vllm/i

const vagueFileName = /^(index|utils?|helpers?|common|misc|types)\.ts$/

const longestFile = 350

/** Every check on one file; a line for each thing that is wrong, beginning with `path:line`. */
export const checkFile = (file: SourceFile, dependencies: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parsed = parseSync(file.path, file.text)
  const complaints: Array<string> = []
  const complain = (offset: number, what: string) =>
    complaints.push(`${file.path}:${lineAt(file.text, offset)} ${what}`)

  for (const error of parsed.errors) complain(0, `cannot be parsed: ${error.message}`)
  for (const complaint of checkPlace(file)) complain(0, complaint)

  const nodes = collectNodes(parsed.program)
  for (const { specifier, offset } of specifiers(nodes)) {
    const complaint = checkSpecifier(file, specifier, dependencies)
    if (complaint !== undefined) complain(offset, complaint)
  }
  for (const { key, name, offset } of serviceKeys(nodes)) {
    const expected = `millrace/${folderOf(file.path)}/${name}`
    if (key !== expected) complain(offset, `the key of ${name} is ${JSON.stringify(key)}, not "${expected}"`)
  }
  if (!foldersThatNameProviders.includes(folderOf(file.path)) && !entryPoints.includes(file.path)) {
    // The name of a library that is imported is not of our choosing.
    const code = blankOut(file.text, parsed.comments).replaceAll(/import\("[^".]+"\)|from "[^".]+"/g, (found) =>
      " ".repeat(found.length)
    )
    for (const match of code.matchAll(new RegExp(providerName, "gi"))) {
      complain(match.index, `names a provider: ${match[0]}`)
    }
  }
  return complaints
}

const checkPlace = (file: SourceFile): ReadonlyArray<string> => {
  const folder = folderOf(file.path)
  const complaints: Array<string> = []
  if (folder === "") {
    if (!entryPoints.includes(file.path)) complaints.push("is no entry point: it belongs in a folder of src/")
  } else {
    if (!(folder in mayImport)) complaints.push(`is in a folder that the layout does not have: ${folder}/`)
    if (vagueFileName.test(posix.basename(file.path))) complaints.push("has a name that says nothing of its content")
    if (!foldersThatNameProviders.includes(folder) && providerName.test(file.path)) {
      complaints.push("names a provider in its path")
    }
  }
  const lines = file.text.replace(/\n$/, "").split("\n").length
  if (lines > longestFile) complaints.push(`has ${lines} lines, more than ${longestFile}`)
  return complaints
}

const checkSpecifier = (
  file: SourceFile,
  specifier: string,
  dependencies: ReadonlyArray<string>
): string | undefined => {
  if (specifier.startsWith("node:")) {
    return folderOf(file.path) === "domain" ? `imports ${specifier}: the vocabulary does no IO` : undefined
  }
  if (!specifier.startsWith(".")) {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/")
    return dependencies.includes(name) ? undefined : `imports ${specifier}, which is no dependency of the package`
  }
  // Node strips types but resolves nothing: the file that is meant has to be named.
  if (/\.[cm]?js$/.test(specifier)) return `imports ${specifier}: write the .ts file's own name`
  const target = posix.join(posix.dirname(file.path), specifier)
  if (!target.startsWith("src/")) return `imports ${target}, which is outside src/`
  const from = folderOf(file.path)
  const to = folderOf(target)
  if (from === "" || from === to) return undefined
  if (to === "") return `imports the entry point ${target}`
  const allowed = mayImport[from] ?? []
  if (allowed.includes(to)) return undefined
  return `imports ${target}: ${from}/ may import ${allowed.length === 0 ? "nothing" : allowed.join(", ")}`
}

/** The first folder under `src/`; empty for the files directly in it. */
const folderOf = (path: string): string => {
  const [, folder, ...rest] = path.split("/")
  return folder === undefined || rest.length === 0 ? "" : folder
}

interface Node {
  readonly type: string
  readonly start: number
  readonly [property: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

interface Placed {
  readonly node: Node
  /** The class or variable whose declaration the node stands in. */
  readonly declared: string
}

const collectNodes = (root: unknown, declared = "", into: Array<Placed> = []): ReadonlyArray<Placed> => {
  if (Array.isArray(root)) {
    for (const element of root) collectNodes(element, declared, into)
  } else if (isNode(root)) {
    into.push({ node: root, declared })
    const declares = /^(ClassDeclaration|ClassExpression|VariableDeclarator)$/.test(root.type)
    const name = declares && isNode(root["id"]) ? String(root["id"]["name"]) : declared
    for (const child of Object.values(root)) {
      if (typeof child === "object" && child !== null) collectNodes(child, name, into)
    }
  }
  return into
}

/** What a file imports, re-exports, names as a type, loads lazily, or starts as a worker. */
const specifiers = (nodes: ReadonlyArray<Placed>): ReadonlyArray<{ specifier: string; offset: number }> =>
  nodes.flatMap(({ node }) => {
    const source = sourceOf(node)
    const specifier = source === undefined ? undefined : leadingText(source)
    return specifier === undefined ? [] : [{ specifier, offset: node.start }]
  })

const sourceOf = (node: Node): unknown => {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node["source"]
    case "NewExpression":
      return isNamed(node["callee"], "URL") && argumentsOf(node).length === 2 ? argumentsOf(node)[0] : undefined
    case "CallExpression":
      return isNamed(node["callee"], "resolve") &&
        isNode(node["callee"]) &&
        node["callee"].type === "MemberExpression" &&
        isNode(node["callee"]["object"]) &&
        node["callee"]["object"].type === "MetaProperty"
        ? argumentsOf(node)[0]
        : undefined
    default:
      return undefined
  }
}

/** The text of a string, or what a template or a sum begins with: enough to know the folder. */
const leadingText = (node: unknown): string | undefined => {
  if (!isNode(node)) return undefined
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"]
  if (node.type === "BinaryExpression") return leadingText(node["left"])
  if (node.type !== "TemplateLiteral" || !Array.isArray(node["quasis"])) return undefined
  const [first] = node["quasis"]
  return isNode(first) ? (first["value"] as { readonly raw: string }).raw : undefined
}

/** The calls that give a service or a reference its key, with the class or constant they declare. */
const serviceKeys = (
  nodes: ReadonlyArray<Placed>
): ReadonlyArray<{ key: string | undefined; name: string; offset: number }> =>
  nodes.flatMap(({ node, declared }) => {
    if (node.type !== "CallExpression" || argumentsOf(node).length === 0) return []
    const callee = node["callee"]
    const maker = isNode(callee) && callee.type === "CallExpression" ? callee["callee"] : callee
    const makesKey =
      isNode(maker) && isNamed(maker["object"], "Context") && (isNamed(maker, "Service") || isNamed(maker, "Reference"))
    return makesKey ? [{ key: leadingText(argumentsOf(node)[0]), name: declared, offset: node.start }] : []
  })

const argumentsOf = (node: Node): ReadonlyArray<unknown> => (Array.isArray(node["arguments"]) ? node["arguments"] : [])

const isNamed = (node: unknown, name: string): boolean =>
  isNode(node) &&
  (node.type === "Identifier" ? node["name"] === name : isNode(node["property"]) && node["property"]["name"] === name)

const blankOut = (text: string, spans: ReadonlyArray<{ readonly start: number; readonly end: number }>): string =>
  spans.reduce((code, { start, end }) => code.slice(0, start) + " ".repeat(end - start) + code.slice(end), text)

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length
