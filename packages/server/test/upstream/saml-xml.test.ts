import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { everyElement, readXml } from '../../src/upstream/saml-xml.ts'

const refuses = (text: string, detail?: string): void => {
  assert.throws(
    () => readXml(text),
    (error) =>
      error instanceof UpstreamRefused &&
      error.code === 'saml_xml_refused' &&
      (detail === undefined || error.detail === detail),
    text.slice(0, 60),
  )
}

test('namespaces count by what they are bound to where a name stands', () => {
  const root = readXml(
    `<?xml version='1.0' encoding="UTF-8" standalone="yes"?>\n<a xmlns="urn:a" xmlns:b='urn:b'><b:c/><c xmlns=""/><b:d xmlns:b="urn:d"><b:e/></b:d><b:f/></a>\n`,
  )
  assert.deepEqual(
    [...everyElement(root)].map(({ namespace, name }) => `${namespace} ${name}`),
    ['urn:a a', 'urn:b c', ' c', 'urn:d d', 'urn:d e', 'urn:b f'],
  )
})

test('text and attributes are unescaped once', () => {
  const { text, attributes } = readXml(`<a b="&lt;&#x41;&quot;'" c='"'>x &amp;lt; &#65;&apos;&gt; <d/>]] y</a>`)
  assert.equal(text, "x &lt; A'> ]] y")
  assert.deepEqual(
    [...attributes],
    [
      ['b', `<A"'`],
      ['c', '"'],
    ],
  )
})

test('what is not plain, well-formed XML is refused', () => {
  for (const text of [
    '',
    ' ',
    'a',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>x',
    '<a b=c/>',
    '<a b/>',
    '<a b="<"/>',
    '<a b="1" b="2"/>',
    '<a b="1"c="2"/>',
    '</a>',
    '<a></a b="c">',
    '< a/>',
    '<1/>',
    '<a:b:c/>',
    '<a:b/>',
    '<a xmlns:b=""/>',
    '<a xmlns:xml="urn:x"/>',
    '<a xmlns:xmlns="urn:x"/>',
    '<a>&</a>',
    '<a>&amp</a>',
    '<a>&nbsp;</a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a>&#x110000;</a>',
    '<a>&toString;</a>',
    '<a>\u0001</a>',
    '<a>\ufffe</a>',
    '<a><!----></a>',
    '<a><![CDATA[]]></a>',
    '<!DOCTYPE a><a/>',
    '<?xml version="1.0"?><?xml version="1.0"?><a/>',
    ' <?xml version="1.0"?><a/>',
    '<?xml version="1.0" encoding="latin1"?><a/>',
    '\ufeff<a/>',
  ])
    refuses(text)
})

test('size, depth and number of parts have ends', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  const many = (count: number) => `<r>${'<a/>'.repeat(count - 1)}</r>`
  const attributes = (count: number) => `<a${Array.from({ length: count }, (_, one) => ` b${one}=""`).join('')}/>`
  const prefixes = (count: number) =>
    `<a${Array.from({ length: count }, (_, one) => ` xmlns:b${one}="urn:b"`).join('')}/>`
  for (const text of [nested(24), many(1000), attributes(32), prefixes(23), `<a>${'x'.repeat(260_000)}</a>`])
    readXml(text)
  for (const text of [nested(25), many(1001), prefixes(24), `<a>${'x'.repeat(262_144)}</a>`]) refuses(text, 'size')
  refuses(attributes(33), 'tag')
})
