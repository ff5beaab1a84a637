// Codes for whoever lost what they prove their second step with. Each has 79 random bits, so that a plain hash keeps it.
import { randomReadable, sha256Hex } from './hashing.ts'

const COUNT = 10
const LENGTH = 16
const GROUP = /.{4}(?=.)/g

/** `abcd-efgh-jkmn-pqrs`, ten of them. */
export const newRecoveryCodes = (): readonly string[] =>
  Array.from({ length: COUNT }, () => randomReadable(LENGTH).replaceAll(GROUP, '$&-'))

/** The same for every way to write a code. */
export const recoveryCodeHash = (typed: string): string => sha256Hex(typed.toLowerCase().replaceAll(/[\s-]/g, ''))
