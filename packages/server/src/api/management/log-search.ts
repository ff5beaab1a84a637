// `q` of the log (auth0-wire.md §6.4): which fields there are, and what their values mean.

import type { LuceneTerm } from '../../domain/lucene.ts'
import { allOf, anyOf, type EventSearch, type EventTest, NOTHING, type TextMatch, testOf } from '../../domain/search.ts'
import { invalidQuery } from '../refusal.ts'
import { eventsOfLogType, isOtherLogType, NAMED_EVENTS, seqOf } from './log-types.ts'
import { instantSearch, readSearch, textMatch } from './search-values.ts'

type TextField = Extract<EventTest, { on: 'text' }>['field']

/** `description` is our own name of the event; `type` is Auth0's code for it. */
const FIELDS: Readonly<Record<string, TextField>> = {
  description: 'type',
  user_id: 'user_id',
  client_id: 'client_id',
  connection_id: 'connection_id',
  'details.outcome': 'outcome',
  'details.event': 'type',
}

/**
 * Entries for which the text holds.
 *
 * @param connections ids by their names.
 * @throws {ApiRefusal} 400 `invalid_query_string`.
 */
export const parseLogSearch = (q: string, connections: ReadonlyMap<string, string>): EventSearch =>
  readSearch(q, (term) => meaningOf(term, connections))

function meaningOf(term: LuceneTerm, connections: ReadonlyMap<string, string>): EventSearch {
  const name = term.field.join('.')
  if (Object.hasOwn(FIELDS, name)) {
    const field = FIELDS[name]
    if (field !== undefined) return text(field, textMatch(term.value))
  }
  if (name === 'date') return instantSearch(term.value, (match) => testOf({ on: 'number', field: 'at', match }))
  if (name === 'type') return anyOf(valuesOf(term).map(typeSearch))
  if (name === 'connection') return anyOf(valuesOf(term).map((one) => connectionSearch(connections.get(one))))
  if (name === 'log_id' || name === '_id') return anyOf(valuesOf(term).map((one) => idSearch(seqOf(one))))
  throw invalidQuery('The search is not valid: a field is not known.', 'q')
}

function valuesOf({ value }: LuceneTerm): readonly string[] {
  if (value.kind !== 'text') throw invalidQuery('The search is not valid: this field takes whole words.', 'q')
  return [value.text]
}

const text = (field: TextField, match: TextMatch): EventSearch => testOf<EventTest>({ on: 'text', field, match })

const is = (field: TextField, word: string): EventSearch => text(field, { kind: 'is', text: word })

const connectionSearch = (id: string | undefined): EventSearch => (id === undefined ? NOTHING : is('connection_id', id))

function idSearch(seq: number | undefined): EventSearch {
  if (seq === undefined) return NOTHING
  const bound = { value: seq, inclusive: true }
  return testOf<EventTest>({ on: 'number', field: 'seq', match: { kind: 'within', from: bound, to: bound } })
}

function typeSearch(code: string): EventSearch {
  const named = eventsOfLogType(code).flatMap(({ types, outcome }) =>
    types.map((type) => allOf([is('type', type), is('outcome', outcome)])),
  )
  if (!isOtherLogType(code)) return anyOf(named)
  const others: EventSearch = { kind: 'not', of: anyOf(NAMED_EVENTS.map((type) => is('type', type))) }
  return anyOf([...named, allOf([others, is('outcome', code === 'sapi' ? 'ok' : 'refused')])])
}
