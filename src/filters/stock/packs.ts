import { isIP, isIPv6 } from "node:net"
import type { Pattern } from "../pattern/Program.ts"
import * as Check from "./checksums.ts"

/** A kind of thing that identifies somebody, or lets somebody in: how it is called, and what it looks like. */
export interface Pack {
  readonly label: string
  readonly patterns: ReadonlyArray<Pattern>
  /** what so little speaks for that it may be a part of something else: looked for where there is nothing else */
  readonly guesses?: ReadonlyArray<Pattern>
  /** how many of its last characters a mask may show */
  readonly shown: number
}

const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
/** What may stand between the groups of a number: spaces that break no line too. */
const blank = " \\x{a0}\\x{202f}"
const gap = `[${blank}\\x{2011}-]?`

const secrets = [
  "\\bsk-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",
  "\\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16}[0-9A-Za-z]*",
  "\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b",
  "\\bgh[pousr]_[A-Za-z0-9]{36}[A-Za-z0-9]*",
  "\\bgithub_pat_[A-Za-z0-9_]{22}[A-Za-z0-9_]*",
  "\\bglpat-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",
  "\\bxox[abeprs]-[A-Za-z0-9-]{10}[A-Za-z0-9-]*",
  "\\bAIza[0-9A-Za-z_-]{35}",
  "\\bya29\\.[0-9A-Za-z_-]{20}[0-9A-Za-z_-]*",
  "\\bnpm_[A-Za-z0-9]{36}\\b",
  "\\bhf_[A-Za-z0-9]{30}[A-Za-z0-9]*",
  "\\bSG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"
].map((source): Pattern => ({ source }))

const longSecrets: ReadonlyArray<Pattern> = [
  {
    source: "\\beyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*\\.eyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]+",
    longest: 4096
  },
  { source: "(?s)-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.*?-----END [A-Z ]{0,20}PRIVATE KEY-----", longest: 8192 }
]

const nationalIds: ReadonlyArray<Pattern> = [
  // United States
  { source: "\\b[0-9]{3}-[0-9]{2}-[0-9]{4}\\b", matches: Check.isUsSocialSecurity },
  // Germany
  { source: "\\b[1-9][0-9](?: ?[0-9]{3}){3}\\b", matches: Check.isGermanTaxId },
  // Spain
  { source: "\\b(?:[0-9]{8}|[XYZ][0-9]{7})[ -]?[A-Z]\\b", caseInsensitive: true, matches: Check.isSpanishId },
  // France
  {
    source: "\\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\\b",
    matches: Check.isFrenchSocialSecurity
  },
  // Italy
  {
    source: "\\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\\b",
    caseInsensitive: true,
    matches: Check.isItalianTaxCode
  },
  // Brazil
  { source: "\\b[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-[0-9]{2}\\b", matches: Check.isBrazilianCpf },
  // Poland
  { source: "\\b[0-9]{11}\\b", matches: Check.isPesel },
  // United Kingdom: national insurance, health service
  { source: "\\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\\b" },
  { source: "\\b[0-9]{3} [0-9]{3} [0-9]{4}\\b", matches: Check.isNhsNumber },
  // Canada
  { source: "\\b[1-9][0-9]{2}[ -][0-9]{3}[ -][0-9]{3}\\b", matches: Check.luhn },
  // India
  { source: "\\b[2-9][0-9]{3} [0-9]{4} [0-9]{4}\\b", matches: Check.isAadhaar },
  // Sweden
  { source: "\\b[0-9]{6}[-+][0-9]{4}\\b", matches: Check.luhn }
]

/** What the redacting filter knows to look for, in the order of precedence. */
export const packs = {
  "api-key": { label: "API_KEY", patterns: [...secrets, ...longSecrets], shown: 0 },
  iban: {
    label: "IBAN",
    patterns: [
      { source: `\\b[A-Z]{2}[0-9]{2}(?:${gap}[A-Z0-9]){11,30}\\b`, caseInsensitive: true, matches: Check.isIban }
    ],
    shown: 4
  },
  card: {
    label: "CARD",
    patterns: [{ source: `\\b[0-9](?:${gap}[0-9]){12,18}\\b`, matches: Check.isCard }],
    shown: 4
  },
  email: {
    label: "EMAIL",
    patterns: [
      {
        source:
          "[\\p{L}\\p{N}_](?:[\\p{L}\\p{M}\\p{N}._%+'-])*@(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-])*\\.)+[\\p{L}\\p{M}]{2,24}\\b",
        longest: 320
      }
    ],
    shown: 0
  },
  ip: {
    label: "IP",
    patterns: [
      { source: `\\b(?:${octet}\\.){3}${octet}\\b`, matches: (text) => isIP(text) === 4 },
      {
        source: "(?:\\b[0-9A-Fa-f]{1,4})?(?:::?[0-9A-Fa-f]{1,4}\\b){1,7}(?:(?:\\.[0-9]{1,3}){3}\\b|::)?",
        matches: (text) => text.length > 5 && /\d/.test(text) && isIPv6(text)
      }
    ],
    shown: 0
  },
  "national-id": { label: "NATIONAL_ID", patterns: nationalIds, shown: 0 },
  phone: {
    label: "PHONE",
    patterns: [
      { source: `(?:\\+|\\b00)[1-9](?:[${blank}()./-]{0,2}[0-9]){6,14}\\b`, matches: Check.isPhone },
      { source: `(?:\\([0-9]{3}\\)[${blank}]?|\\b[0-9]{3}[${blank}.-])[0-9]{3}[${blank}.-][0-9]{4}\\b` }
    ],
    guesses: [{ source: `\\b0[1-9](?:[${blank}()/-]{0,3}[0-9]){7,11}\\b`, matches: Check.isPhone }],
    shown: 2
  }
} satisfies { readonly [name: string]: Pack }

export type PackName = keyof typeof packs

/** The names of the packs, in the order of precedence. */
// The keys of the object just above.
export const packNames = Object.keys(packs) as ReadonlyArray<PackName>
