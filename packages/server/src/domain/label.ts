// What a person calls an account of theirs. Pure.

export const LABEL_LENGTH = 40

export const tidyLabel = (typed: string | undefined): string =>
  (typed ?? '').normalize('NFC').replaceAll(/\s+/g, ' ').trim()

/** One line of visible text. */
export const isLabel = (label: string): boolean =>
  label !== '' && [...label].length <= LABEL_LENGTH && !/[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Co}]/u.test(label)

/** What to call an account that has no name: the provider's, numbered where the person has that already. */
export function freeLabel(provider: string, taken: readonly string[]): string {
  const base = [...tidyLabel(provider)].slice(0, LABEL_LENGTH - 4).join('')
  const free = Array.from({ length: taken.length }, (_, at) => `${base} ${at + 2}`).find((one) => !taken.includes(one))
  return taken.includes(base) && free !== undefined ? free : base
}
