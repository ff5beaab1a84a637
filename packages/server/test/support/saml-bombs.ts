// Messages that are made to exhaust whoever reads them, or to have it call somewhere.
import { NAMESPACES } from './saml-messages.ts'

const inRoot = (inner: string, attributes = ''): string =>
  `<samlp:Response xmlns:samlp="${NAMESPACES.samlp}" ID="_r" Version="2.0"${attributes}>${inner}</samlp:Response>`

const attributes = (count: number): string => Array.from({ length: count }, (_, at) => ` a${at}=""`).join('')

const namespaces = (count: number): string => Array.from({ length: count }, (_, at) => ` xmlns:a${at}="urn:a"`).join('')

/** Each is short enough to be looked at; XML by what it is, `outside` being an address that must never be called. */
export function readBombs(outside: string): Readonly<Record<string, string>> {
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('')
  return {
    'billion laughs': `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]>${inRoot('&l9;')}`,
    'an external entity': `<!DOCTYPE a [<!ENTITY x SYSTEM "${outside}">]>${inRoot('&x;')}`,
    'an external document type': `<!DOCTYPE a SYSTEM "${outside}">${inRoot('')}`,
    'a parameter entity': `<!DOCTYPE a [<!ENTITY % x SYSTEM "${outside}"> %x;]>${inRoot('')}`,
    'a stylesheet': `<?xml-stylesheet href="${outside}"?>${inRoot('')}`,
    'ten thousand levels': inRoot('<samlp:a>'.repeat(10_000) + '</samlp:a>'.repeat(10_000)),
    'many elements': inRoot('<samlp:a/>'.repeat(20_000)),
    'many attributes': inRoot('', attributes(20_000)),
    'many namespaces': inRoot('', namespaces(10_000)),
    'a long text': inRoot('x'.repeat(250_000)),
    'white space without end': `<samlp:Response${' '.repeat(250_000)}`,
    'a tag that does not end': `<samlp:Response ${'a="b" '.repeat(40_000)}`,
    'entities in a row': inRoot('&'.repeat(200_000)),
  }
}

/** Each is longer than any answer may be. */
export const hugeBombs = (): Readonly<Record<string, string>> => ({
  'a million attributes': inRoot('', attributes(1_000_000)),
  'a million elements': inRoot('<samlp:a/>'.repeat(1_000_000)),
  'fifty megabytes': inRoot('x'.repeat(50 * 1024 * 1024)),
})
