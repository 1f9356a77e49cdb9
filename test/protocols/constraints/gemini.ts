import { isObject } from "../../../src/protocols/open-document.ts"
import { list, nameFaults, same, type Check } from "./faults.ts"

/** What Google refuses of a request of the Gemini API. */
export const gemini: Check = (body, fault, model) => {
  const contents = list(body["contents"])
  contents.forEach(({ role, parts: all }, at) => {
    const parts = list(all)
    const where = `contents[${at}]`
    if (role !== "user" && role !== "model") fault(`${where} is of ${role}`)
    if (parts.length === 0) fault(`${where} is empty`)
    const before = list(contents[at - 1]?.["parts"])
    const calls = before.flatMap(({ functionCall }) => (isObject(functionCall) ? [functionCall] : []))
    const answers = parts.flatMap(({ functionResponse }) => (isObject(functionResponse) ? [functionResponse] : []))
    if (calls.length !== answers.length) fault(`${where} answers ${answers.length} of ${calls.length} calls`)
    if (
      !same(
        calls.map(({ name }) => name),
        answers.map(({ name }) => name)
      )
    )
      fault(`${where} answers by other names`)
    if (
      !same(
        calls.map(({ id }) => id),
        answers.map(({ id }) => id)
      )
    )
      fault(`${where} answers other ids`)
    for (const { name } of [...calls, ...answers]) nameFaults(name, fault, /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/)
    for (const answer of answers) if (!isObject(answer["response"])) fault(`${where} has no response`)
    for (const part of parts) {
      const { thought: _, thoughtSignature, ...data } = part
      const kinds = Object.keys(data).filter((key) => !/^(partMetadata|videoMetadata|mediaResolution)$/.test(key))
      if (kinds.length > 1) fault(`${where} has a part of ${kinds.join()}`)
      if (kinds.length === 0) fault(`${where} has a part of nothing`)
      if (typeof thoughtSignature === "string" && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(thoughtSignature))
        fault(`${where}: a signature that is not base64`)
    }
    const first = parts.find(({ functionCall }) => functionCall !== undefined)
    if (first !== undefined && at > 0 && contents[at - 1]?.["role"] !== "user") fault(`${where} calls after the model`)
    if (first !== undefined && typeof first["thoughtSignature"] !== "string" && /gemini-3/.test(model))
      fault(`${where} has an unsigned call`)
  })
}
