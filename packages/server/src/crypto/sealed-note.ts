// What somebody carries along for us by themselves: sealed for one context and a while, and kept nowhere.
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { EnvelopeError } from './envelope.ts'
import type { Keyring } from './keyring.ts'

export interface NoteDeps {
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
}

/** In base64url. */
export function sealNote({ keyring }: NoteDeps, context: string, members: JsonObject, at: EpochSeconds): string {
  const text = JSON.stringify({ ...members, at })
  return Buffer.from(keyring.seal(context, Buffer.from(text))).toString('base64url')
}

/** Undefined when it is not of this context, or `seconds` old. */
export function openNote(
  { keyring }: NoteDeps,
  context: string,
  { note, seconds, now }: { readonly note: string; readonly seconds: number; readonly now: EpochSeconds },
): JsonObject | undefined {
  try {
    const text = keyring.open(context, Buffer.from(note, 'base64url')).toString('utf8')
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && Number(value.at) + seconds > now ? value : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
