import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CATALOGUE } from '../../src/upstream/registry.ts'
import { loadAssets } from '../../src/web/assets.ts'
import { isOwnPath, safeUrl } from '../../src/web/pages/html.ts'
import { listOf, pluralKey, say, sayPlain } from '../../src/web/pages/locale.ts'
import { english } from '../../src/web/pages/messages/en.ts'
import { askedAt, describeScopes } from '../../src/web/pages/scopes.ts'
import { hueOf, maskAddress, monogramLetters, plainText } from '../../src/web/pages/text.ts'
import { decideTheme } from '../../src/web/pages/theme.ts'
import { frameableBy, pageHeaders } from '../../src/web/security-headers.ts'

const speaker = { locale: english }

suite('text fit to be shown', () => {
  test('an address is masked so that only its owner knows it again', () => {
    const vectors = [
      ['ada.lovelace@gmail.com', 'a•••e@gmail.com'],
      ['abcd@example.test', 'a•••d@example.test'],
      ['ada@analytical.example', 'a•••@analytical.example'],
      ['ab@example.test', 'a•••@example.test'],
      ['a@example.test', '•••@example.test'],
      ['@example.test', '•••@example.test'],
      ['"odd@local"@example.test', '"•••"@example.test'],
      ['😀😀😀😀@example.test', '😀•••😀@example.test'],
      ['ada\u202elovelace@example.test', 'a•••e@example.test'],
      ['no address', '•••'],
      ['', '•••'],
    ] as const
    for (const [address, masked] of vectors) assert.equal(maskAddress(address), masked)
  })

  test('controls, bidi overrides, zero-width and blank characters go; white space becomes one space', () => {
    assert.equal(plainText('Goo\u200bgle\u202e \u2066x\u2069\u0000'), 'Google x')
    assert.equal(plainText(' a\n\tb\u3000\u00a0c '), 'a b c')
    assert.equal(plainText('\u3164\u2800\u115f\ufeff'), '')
    assert.equal(plainText('Zoë 李 محمد'), 'Zoë 李 محمد')
  })

  test('eighty characters, whole ones, with an ellipsis; marks do not stack', () => {
    assert.equal(Array.from(plainText('😀'.repeat(200))).length, 80)
    assert.ok(plainText('a'.repeat(81)).endsWith('a…'))
    assert.equal(plainText('a'.repeat(80)), 'a'.repeat(80))
    assert.ok(plainText(`x${'\u0336'.repeat(500)}`).length <= 4)
  })

  test('a monogram is two letters, and its colour belongs to the name', () => {
    assert.deepEqual(['Google', 'Ada Lovelace', 'x', 'the big one', '李小龍', '', '***'].map(monogramLetters), [
      'Go',
      'AL',
      'X',
      'To',
      '李小',
      '?',
      '?',
    ])
    assert.equal(hueOf('github'), hueOf('github'))
    const hues = new Set(
      ['github', 'google-oauth2', 'slack', 'acme', 'calendar', 'code', 'work', 'apple', 'windowslive'].map(hueOf),
    )
    assert.ok(hues.size >= 4 && [...hues].every((hue) => hue >= 1 && hue <= 6))
  })
})

suite('sentences', () => {
  test('a value is escaped, cleaned and isolated; emphasis comes from the message alone', () => {
    const sentence = say(speaker, 'login.for-app', { app: '<b>x</b>\u202e' })
    assert.equal(String(sentence), 'so that <b><bdi>&lt;b&gt;x&lt;/b&gt;</bdi></b> knows who you are')
    assert.equal(sayPlain(speaker, 'login.title', { tenant: 'A\u200bcme' }), 'Sign in to Acme')
  })

  test('numbers and lists follow the language', () => {
    assert.equal(pluralKey(speaker, 'notice.too-many', 1), 'notice.too-many.one')
    assert.equal(pluralKey(speaker, 'notice.too-many', 2), 'notice.too-many.other')
    assert.equal(String(listOf(speaker, ['<', 'b', 'c'])), '&lt;, b and c')
  })
})

suite('links', () => {
  test('a path of ours and http(s) pass; everything else becomes #', () => {
    assert.equal(safeUrl('/a?b=c'), '/a?b=c')
    assert.equal(safeUrl('https://x.test/a'), 'https://x.test/a')
    for (const url of [
      'javascript:alert(1)',
      'JaVaScRiPt:1',
      'data:text/html,x',
      '//evil.test',
      '/\\evil.test',
      'a/b',
      '',
      '/a\nb',
      ' javascript:1',
    ]) {
      assert.equal(safeUrl(url), '#', url)
    }
    assert.equal(isOwnPath('/logo.svg'), true)
  })
})

suite('scopes in words', () => {
  const groups = (...values: string[]) =>
    describeScopes(values.map((value) => ({ value }))).items.map((item) => item.group)

  test('what can be read, changed and lost is told apart', () => {
    assert.deepEqual(groups('calendar.read'), ['read'])
    assert.deepEqual(groups('repo', 'delete_repo'), ['read', 'change', 'danger'])
    assert.deepEqual(groups('https://www.googleapis.com/auth/calendar'), ['read', 'change', 'danger'])
  })

  test('a stranger’s scope stays as it is, even when its name sounds harmless', () => {
    assert.deepEqual(describeScopes([{ value: 'read:everything' }]).items, [
      { group: 'other', words: { scope: 'read:everything' } },
    ])
  })

  test('what every provider of the catalogue is asked for by itself has words, and short words only where they are said', () => {
    for (const { strategy, scopes } of CATALOGUE) {
      const { items } = describeScopes(askedAt(strategy, [...scopes.defaults, ...scopes.always]))
      assert.ok(!items.some(({ group }) => group === 'other'), `${strategy}: ${scopes.defaults.join(' ')}`)
    }
    const salesforce = describeScopes(askedAt('salesforce', ['id', 'api', 'refresh_token']))
    assert.deepEqual(
      [salesforce.items.map(({ group }) => group), salesforce.whileAway],
      [['read', 'read', 'change'], true],
    )
    assert.deepEqual(groups('id', 'api', 'read'), ['other', 'other', 'other'])
  })

  test('a scope of our own APIs speaks in the operator’s words', () => {
    const described = describeScopes([{ value: 'delete:orders', description: 'cancel orders' }])
    assert.deepEqual(described.items, [{ group: 'danger', words: { description: 'cancel orders' } }])
  })

  test('the same thing is said once, and being away is not a thing that is read', () => {
    assert.deepEqual(groups('email', 'email', 'https://www.googleapis.com/auth/userinfo.email'), ['read'])
    assert.deepEqual(describeScopes([{ value: 'offline_access' }]), { items: [], whileAway: true })
  })
})

suite('headers', () => {
  test('pages inside a journey send no form-action and no opener policy; own pages send both', () => {
    const journey = pageHeaders({ kind: 'interaction', https: true })
    assert.doesNotMatch(journey['Content-Security-Policy'] ?? '', /form-action/)
    assert.equal(journey['Cross-Origin-Opener-Policy'], undefined)
    const account = pageHeaders({ kind: 'account', https: true })
    assert.match(account['Content-Security-Policy'] ?? '', /form-action 'self'/)
    assert.equal(account['Cross-Origin-Opener-Policy'], 'same-origin')
    const leadsUpstream = pageHeaders({ kind: 'account-upstream', https: true })
    assert.doesNotMatch(leadsUpstream['Content-Security-Policy'] ?? '', /form-action/)
    assert.equal(leadsUpstream['Cross-Origin-Opener-Policy'], 'same-origin')
  })

  test('T-WEB-02: every kind forbids framing, foreign sources and inline scripts', () => {
    for (const kind of ['interaction', 'account', 'account-upstream', 'console', 'engine'] as const) {
      const headers = pageHeaders({ kind, https: false })
      const policy = headers['Content-Security-Policy'] ?? ''
      assert.match(policy, /^default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.match(policy, /base-uri 'none'/)
      assert.doesNotMatch(policy, /unsafe|\*|https?:/)
      assert.equal(headers['Cache-Control'], 'no-store')
      assert.equal(headers['X-Content-Type-Options'], 'nosniff')
      assert.equal(headers['Referrer-Policy'], 'same-origin')
      assert.equal(headers['Content-Type'], 'text/html; charset=utf-8')
      assert.equal(headers['Strict-Transport-Security'], undefined)
    }
    assert.match(
      pageHeaders({ kind: 'interaction', https: true })['Strict-Transport-Security'] ?? '',
      /^max-age=\d{8,}/,
    )
  })

  test('only registered origins may frame a silent answer', () => {
    const policy = "default-src 'none';script-src 'sha256-x';frame-ancestors 'none'"
    assert.equal(
      frameableBy(policy, ['https://app.test', 'https://a.test/path', '*', 'javascript:1']),
      "default-src 'none'; script-src 'sha256-x'; frame-ancestors https://app.test",
    )
    assert.match(frameableBy(policy, []), /frame-ancestors 'none'$/)
  })
})

suite('assets and colours', () => {
  test('what pages link to exists, has a type, and changes its name with its content', () => {
    const { files, hrefs } = loadAssets()
    for (const href of Object.values(hrefs)) {
      const file = files.get(href.split('?')[0] ?? '')
      assert.ok(file && file.body.length > 0)
      assert.equal(`"${href.split('?v=')[1]}"`, file.etag)
    }
    const css = files.get('/assets/tenon.css')
    assert.match(css?.contentType ?? '', /^text\/css/)
    assert.match(new TextDecoder().decode(css?.body), /prefers-color-scheme: dark/)
  })

  test('an accent that can be read is taken, in both schemes; another is refused with its contrast', () => {
    const taken = decideTheme('#1d5a41')
    assert.ok(
      taken.kind === 'ok' && /prefers-color-scheme: dark/.test(taken.css) && taken.css.includes('--accent: #1d5a41'),
    )
    const refused = decideTheme('#ffcc00')
    assert.ok(refused.kind === 'refuse' && refused.reason === 'too-little-contrast' && (refused.contrast ?? 9) < 4.5)
    for (const text of ['red', '#fff', '#12345g', '#1d5a41; } body { display: none'])
      assert.equal(decideTheme(text).kind, 'refuse')
  })
})
