// Logs: JSON lines on standard error, with a net under the rule that no secret or address ever gets there.
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { isJsonObject } from './json.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>

const SECRET_KEYS = [
  'access_token',
  'refresh_token',
  'id_token',
  'subject_token',
  'actor_token',
  'client_secret',
  'client_assertion',
  'code',
  'code_verifier',
  'password',
  'secret',
  'token',
  'cookie',
  'set-cookie',
  'authorization',
  'dpop',
  'email',
  'login_hint',
  'accessToken',
  'refreshToken',
  'clientSecret',
  'databaseUrl',
]

/** Every line on its own when written, so that lines of several processes on one pipe do not cut into each other. */
const PIPE_BUFFER_BYTES = 4096

export interface LogOptions {
  readonly name?: string
  /** Standard error when absent. */
  readonly stream?: DestinationStream
}

/** Makes the log of one process. Lines are written at once when `stream` is absent: logs are few, and a crash loses none. */
export function createLog({ name = 'tenon', stream }: LogOptions = {}): Log {
  return pino(
    {
      name,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap(pathsOf), censor: '[redacted]' },
      serializers: { err: serializeError, error: serializeError },
      hooks: {
        streamWrite: scrub,
        logMethod(args, method, level) {
          Reflect.apply(level === ERROR && saysWhenAgain(args[0]) ? this.warn : method, this, args)
        },
      },
    },
    stream ?? destination({ fd: 2, sync: true, maxWrite: PIPE_BUFFER_BYTES }),
  )
}

const ERROR = pino.levels.values.error

/** More was asked than gets done at once, here or elsewhere: that is no fault. */
const saysWhenAgain = (first: unknown): boolean =>
  isJsonObject(first) && first.err instanceof Error && 'retryAfterSeconds' in first.err

function pathsOf(key: string): string[] {
  const name = /^\w+$/.test(key) ? key : `["${key}"]`
  const below = name.startsWith('[') ? name : `.${name}`
  // `code` at the top and in errors is our own word for an outcome; only a request's parameters hold the secret one.
  return key === 'code' ? ['body.code', 'query.code', 'params.code'] : [name, `*${below}`, `*.*${below}`]
}

/** The parts of an error that are ours to show: drivers put values of rows into `detail` and the like. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) }
  return { type: error.name, ...code, message: error.message, stack: error.stack, ...cause }
}

const JWT = /eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*/g
const CREDENTIALS = /\b(Bearer|DPoP|Basic)\s+[\w.~+/=-]{8,}/gi
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/"'@\\]+@/gi
const ADDRESS = /[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+/gi

/** Takes what looks like a token, a credential or an address out of a line, whatever key it stands under. */
export function scrub(line: string): string {
  return line
    .replace(JWT, '[token]')
    .replace(CREDENTIALS, '$1 [redacted]')
    .replace(USER_INFO, '$1[redacted]@')
    .replace(ADDRESS, '[address]')
}
