// What a client may do with what people connected, as the tenant file and the Management API hold it.
import { z } from 'zod'
import { isTimeZone, parseMinutes, WEEK_DAYS } from '../lib/week-hours.ts'
import { flag, member, scopeValue, text } from './fields.ts'

/** Methods that the proxy knows. */
export const PROXY_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const access = () => z.enum(['token', 'proxy'])
const scopes = () => z.array(scopeValue()).max(100)
const methods = () => z.array(z.enum(PROXY_METHODS)).min(1).max(PROXY_METHODS.length)
const minutes = () => z.string().refine((value) => parseMinutes(value) !== undefined, { error: 'a time such as 08:30' })
const pathPattern = () =>
  z.string().regex(/^\/(?:(?:\*|[\w.~!$&'()+,;=:@-]+)\/)*(?:\*\*|\*|[\w.~!$&'()+,;=:@-]+)?$/, {
    error: 'a path such as /repos/*/*/pulls, * for one segment and ** at the end for what is left',
  })

const connectionRule = z.strictObject({
  connection: text(128),
  scopes: scopes().optional(),
  access: access().optional(),
  methods: methods().optional(),
})

const approvalRule = z.strictObject({
  connection: text(128).optional(),
  scopes: scopes().min(1).optional(),
  methods: methods().optional(),
  paths: z.array(pathPattern()).min(1).max(50).optional(),
  valid_seconds: z.int().min(0).max(86_400).optional(),
})

const hours = z.strictObject({
  time_zone: member(
    text(64).refine(isTimeZone, { error: 'a time zone such as Europe/Berlin' }),
    'By whose clocks. Default: UTC.',
  ),
  days: member(z.array(z.enum(WEEK_DAYS)).min(1).max(7), 'Days on which the hours begin. Default: every day.'),
  from: member(minutes(), 'When they begin. Default: 00:00.'),
  to: member(minutes(), 'When they end; on the next day when that is not after `from`. Default: 24:00.'),
})

/** Without defaults of its own: a client that says nothing has no policy. */
export const agentPolicyDocument = z.strictObject({
  mode: member(
    z.enum(['enforce', 'observe']),
    '`observe`: refusals are recorded in events and not carried out. Default: enforce.',
  ),
  connections: member(
    z
      .array(connectionRule)
      .max(100)
      .refine((rules) => new Set(rules.map(({ connection }) => connection)).size === rules.length, {
        error: 'each connection once',
      }),
    'Connections that it may use. `scopes`: what a token that it uses may reach at most; `access`: `token`, or `proxy` alone; `methods`: of calls through the proxy, which then is the only way. Default: all that are enabled for it.',
  ),
  hours: hours.optional().meta({ description: 'When it may use and connect accounts. Default: always.' }),
  rate: z
    .strictObject({
      per_minute: member(
        z.int().min(1).max(6000),
        "Uses of one person's accounts in a minute, counted in each process.",
      ),
    })
    .optional()
    .meta({ description: 'How often.' }),
  connect: member(flag(), 'May start connecting an account. Default: true.'),
  access: member(access(), '`proxy`: it calls providers through the server alone, and sees no token. Default: token.'),
  approvals: member(
    z.array(approvalRule).max(50),
    "What needs the person's yes: a connection, tokens that reach one of `scopes`, calls of these `methods` and `paths` (`*` one segment, `**` the rest), which keep the token here. `valid_seconds`: how long a yes serves, up to a day; 0 is once, for the very request.",
  ),
})
