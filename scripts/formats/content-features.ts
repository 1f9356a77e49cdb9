import { chatParts, geminiParts, hello, inputParts, type RequestFeature } from "./requests.ts"

/** The smallest data that its kind can be known by. */
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
const sound = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
const pdf = "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoK"
const pdfUrl = `data:application/pdf;base64,${pdf}`
const pdfSource = { type: "base64", media_type: "application/pdf", data: pdf }
const pictureUrl = "https://example.com/picture.png"
const fileUrl = "https://example.com/paper.pdf"

const conversation: ReadonlyArray<RequestFeature> = [
  {
    name: "system instructions",
    trace: /Be brief\./,
    asked: {
      "openai-chat": { messages: [{ role: "system", content: "Be brief." }, hello] },
      "openai-responses": { instructions: "Be brief." },
      "anthropic-messages": { system: "Be brief." },
      gemini: { systemInstruction: { parts: [{ text: "Be brief." }] } }
    }
  },
  {
    name: "instructions of the developer",
    trace: /Be brief\./,
    asked: {
      "openai-chat": { messages: [{ role: "developer", content: "Be brief." }, hello] },
      "openai-responses": { input: [{ role: "developer", content: "Be brief." }, hello] }
    }
  },
  {
    name: "instructions in the middle",
    trace: /Be brief\./,
    asked: {
      "openai-chat": {
        messages: [hello, { role: "assistant", content: "Hi" }, { role: "system", content: "Be brief." }, hello]
      },
      "openai-responses": {
        input: [hello, { role: "assistant", content: "Hi" }, { role: "system", content: "Be brief." }, hello]
      },
      "anthropic-messages": {
        messages: [hello, { role: "assistant", content: "Hi" }, { role: "system", content: "Be brief." }, hello]
      }
    }
  },
  { name: "names of who speaks", trace: /Ada/, asked: { "openai-chat": { messages: [{ ...hello, name: "Ada" }] } } },
  {
    name: "an earlier refusal",
    trace: /I will not\./,
    asked: {
      "openai-chat": { messages: [hello, { role: "assistant", refusal: "I will not." }, hello] },
      "openai-responses": {
        input: [
          hello,
          { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "I will not." }] },
          hello
        ]
      }
    }
  }
]

const media: ReadonlyArray<RequestFeature> = [
  {
    name: "images, as data",
    trace: new RegExp(pixel),
    asked: {
      "openai-chat": chatParts({ type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } }),
      "openai-responses": inputParts({ type: "input_image", image_url: `data:image/png;base64,${pixel}` }),
      "anthropic-messages": chatParts({
        type: "image",
        source: { type: "base64", media_type: "image/png", data: pixel }
      }),
      gemini: geminiParts({ inlineData: { mimeType: "image/png", data: pixel } })
    }
  },
  {
    name: "images, by URL",
    trace: new RegExp(pictureUrl),
    asked: {
      "openai-chat": chatParts({ type: "image_url", image_url: { url: pictureUrl } }),
      "openai-responses": inputParts({ type: "input_image", image_url: pictureUrl }),
      "anthropic-messages": chatParts({ type: "image", source: { type: "url", url: pictureUrl } }),
      gemini: geminiParts({ fileData: { mimeType: "image/png", fileUri: pictureUrl } })
    }
  },
  {
    name: "images, uploaded to the provider",
    trace: /file-abc/,
    asked: {
      "openai-responses": inputParts({ type: "input_image", file_id: "file-abc" }),
      "anthropic-messages": chatParts({ type: "image", source: { type: "file", file_id: "file-abc" } }),
      gemini: geminiParts({ fileData: { mimeType: "image/png", fileUri: "files/file-abc" } })
    }
  },
  {
    name: "the detail of images",
    trace: /low/,
    asked: {
      "openai-chat": chatParts({
        type: "image_url",
        image_url: { url: `data:image/png;base64,${pixel}`, detail: "low" }
      }),
      "openai-responses": inputParts({
        type: "input_image",
        image_url: `data:image/png;base64,${pixel}`,
        detail: "low"
      })
    }
  },
  {
    name: "sound",
    trace: new RegExp(sound),
    asked: {
      "openai-chat": chatParts({ type: "input_audio", input_audio: { data: sound, format: "wav" } }),
      "openai-responses": inputParts({ type: "input_audio", input_audio: { data: sound, format: "wav" } }),
      gemini: geminiParts({ inlineData: { mimeType: "audio/wav", data: sound } })
    }
  },
  {
    name: "PDF files, as data",
    trace: new RegExp(pdf),
    asked: {
      "openai-chat": chatParts({ type: "file", file: { file_data: pdfUrl } }),
      "openai-responses": inputParts({ type: "input_file", file_data: pdfUrl }),
      "anthropic-messages": chatParts({ type: "document", source: pdfSource }),
      gemini: geminiParts({ inlineData: { mimeType: "application/pdf", data: pdf } })
    }
  },
  {
    name: "names of files",
    trace: /Paper seven/,
    asked: {
      "openai-chat": chatParts({ type: "file", file: { filename: "Paper seven", file_data: pdfUrl } }),
      "openai-responses": inputParts({ type: "input_file", filename: "Paper seven", file_data: pdfUrl }),
      "anthropic-messages": chatParts({ type: "document", title: "Paper seven", source: pdfSource })
    }
  },
  {
    name: "PDF files, by URL",
    trace: new RegExp(fileUrl),
    asked: {
      "openai-responses": inputParts({ type: "input_file", file_url: fileUrl }),
      "anthropic-messages": chatParts({ type: "document", source: { type: "url", url: fileUrl } }),
      gemini: geminiParts({ fileData: { mimeType: "application/pdf", fileUri: fileUrl } })
    }
  },
  {
    name: "files, uploaded to the provider",
    trace: /file-abc/,
    asked: {
      "openai-chat": chatParts({ type: "file", file: { file_id: "file-abc" } }),
      "openai-responses": inputParts({ type: "input_file", file_id: "file-abc" }),
      "anthropic-messages": chatParts({ type: "document", source: { type: "file", file_id: "file-abc" } }),
      gemini: geminiParts({ fileData: { mimeType: "application/pdf", fileUri: "files/file-abc" } })
    }
  }
]

/** What a request can be made of. */
export const contentFeatures: ReadonlyArray<RequestFeature> = [...conversation, ...media]
