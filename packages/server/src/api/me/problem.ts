// How the My Account API says no.
import { type ApiRefusal, STATUS_NAMES } from '../refusal.ts'

/** RFC 9457 with Auth0's members: SDKs read `type`, `title`, `detail` and `status` of every refusal. */
export function serializeProblem({ status, code, message, faults, reason, details }: ApiRefusal) {
  return {
    type: `https://auth0.com/api-errors/A0E-${status}-${PROBLEM_NUMBERS[code] ?? '0001'}`,
    title: TITLES[code] ?? STATUS_NAMES[status] ?? 'Error',
    detail: message,
    status,
    code,
    ...details,
    ...(reason === undefined ? {} : { reason }),
    ...(faults.length === 0 ? {} : { validation_errors: faults.map(serializeFault) }),
  }
}

/** The one number that SDKs know. */
const PROBLEM_NUMBERS: Readonly<Record<string, string>> = { insufficient_scope: '0002' }
const TITLES: Readonly<Record<string, string>> = {
  insufficient_scope: 'Insufficient Scope',
  invalid_body: 'Invalid Request Payload',
  invalid_query_string: 'Invalid Query String',
}

const serializeFault = ({ pointer, detail, in: source }: ApiRefusal['faults'][number]) => ({
  detail,
  source,
  ...(pointer === '' ? {} : { pointer, field: pointer.replace(/^\//, '').replaceAll('/', '.') }),
})
