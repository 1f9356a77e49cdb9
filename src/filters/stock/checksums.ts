const digitsOf = (text: string): ReadonlyArray<number> => Array.from(text.replace(/\D/g, ""), Number)

const weighted = (digits: ReadonlyArray<number>, weights: ReadonlyArray<number>): number =>
  weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0)

/** The digits of a text pass the check that card numbers have. */
export const luhn = (text: string): boolean => {
  const digits = digitsOf(text)
  let sum = 0
  for (const [index, digit] of digits.toReversed().entries()) {
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  // Zeros alone pass and are nobody's.
  return sum > 0 && sum % 10 === 0
}

/** A card number: 13 to 19 digits that pass the Luhn check. */
export const isCard = (text: string): boolean => {
  const { length } = digitsOf(text)
  return length >= 13 && length <= 19 && luhn(text)
}

const remainder97 = (text: string): number => {
  let remainder = 0
  for (const character of text) remainder = Number(`${remainder}${Number.parseInt(character, 36)}`) % 97
  return remainder
}

/** How long an IBAN is, by its country. */
const ibanLengths: { readonly [country: string]: number } = Object.fromEntries(
  (
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27" +
    "GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22" +
    "MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28" +
    "TL23TN24TR26UA29VA22VG24XK20YE30"
  )
    .match(/.{4}/g)
    ?.map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]) ?? []
)

/** An IBAN: its country's length, and the check digits. */
export const isIban = (text: string): boolean => {
  const plain = text.replace(/[^0-9A-Za-z]/g, "").toUpperCase()
  return plain.length === ibanLengths[plain.slice(0, 2)] && remainder97(plain.slice(4) + plain.slice(0, 4)) === 1
}

/** A number of the social security of the United States that can have been given out. */
export const isUsSocialSecurity = (text: string): boolean =>
  !/^(?:000|666|9)/.test(text) && !/-00-/.test(text) && !text.endsWith("0000")

/** A tax number of Germany: the check digit of ISO 7064, and one digit of the first ten twice or thrice. */
export const isGermanTaxId = (text: string): boolean => {
  const digits = digitsOf(text)
  const first = digits.slice(0, 10)
  const distinct = new Set(first).size
  if (digits.length !== 11 || distinct < 8 || distinct > 9) return false
  let product = 10
  for (const digit of first) {
    const sum = (digit + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digits[10]
}

/** A Spanish DNI or NIE by its letter. */
export const isSpanishId = (text: string): boolean => {
  const plain = text.replace(/[ -]/g, "").toUpperCase()
  const number = plain.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter)))
  return "TRWAGMYFPDXBNJZSQVHLCKE"[Number(number) % 23] === plain.at(-1)
}

/** A French social security number by its key. */
export const isFrenchSocialSecurity = (text: string): boolean => {
  const plain = text.replace(/ /g, "").toUpperCase().replace("2A", "19").replace("2B", "18")
  return plain.length === 15 && 97 - (Number(plain.slice(0, 13)) % 97) === Number(plain.slice(13))
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** An Italian codice fiscale by its last letter. */
export const isItalianTaxCode = (text: string): boolean => {
  const plain = text.toUpperCase()
  const valueOf = (character: string) => (/\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65)
  let sum = 0
  for (const [index, character] of Array.from(plain.slice(0, 15)).entries()) {
    const value = valueOf(character)
    sum += index % 2 === 0 ? (oddValues[value] ?? 0) : value
  }
  return String.fromCharCode(65 + (sum % 26)) === plain[15]
}

/** A Brazilian CPF by its two check digits. */
export const isBrazilianCpf = (text: string): boolean => {
  const digits = digitsOf(text)
  if (digits.length !== 11 || new Set(digits).size === 1) return false
  const check = (count: number) => {
    const weights = Array.from({ length: count }, (_, index) => count + 1 - index)
    return ((weighted(digits, weights) * 10) % 11) % 10
  }
  return check(9) === digits[9] && check(10) === digits[10]
}

/** A Polish PESEL by its check digit and the month in it. */
export const isPesel = (text: string): boolean => {
  const digits = digitsOf(text)
  const month = Number(text.slice(2, 4)) % 20
  const day = Number(text.slice(4, 6))
  const sum = weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
  return (
    digits.length === 11 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && (10 - (sum % 10)) % 10 === digits[10]
  )
}

/** A number of the British health service by its check digit. */
export const isNhsNumber = (text: string): boolean => {
  const digits = digitsOf(text)
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return digits.length === 10 && check !== 10 && check % 11 === digits[9]
}

const verhoeffProduct = (a: number, b: number): number =>
  a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5
const verhoeffSteps = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

/** An Indian Aadhaar number by its check digit, which is Verhoeff's. */
export const isAadhaar = (text: string): boolean => {
  let check = 0
  for (const [index, digit] of digitsOf(text).toReversed().entries()) {
    let moved = digit
    for (let times = index % 8; times > 0; times--) moved = verhoeffSteps[moved] ?? 0
    check = verhoeffProduct(check, moved)
  }
  return check === 0
}

/** A telephone number has 7 to 15 digits. */
export const isPhone = (text: string): boolean => {
  const { length } = digitsOf(text)
  return length >= 7 && length <= 15
}
