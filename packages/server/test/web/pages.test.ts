import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import type { Locale, Messages } from '../../src/web/pages/locale.ts'
import { renderLogin } from '../../src/web/pages/login.ts'
import { en, english } from '../../src/web/pages/messages/en.ts'
import { all, type Element, only, readPage, textOf } from './page-reader.ts'
import { ada, type SampleWords, samplePages } from './page-samples.ts'

const frame: PageFrame = {
  locale: english,
  tenantName: 'Acme',
  host: 'id.acme.example',
  assets: { stylesheet: '/assets/tenon.css?v=1', icon: '/assets/favicon.svg?v=1', passkeys: '/assets/passkeys.js?v=1' },
}

const attribute = (name: string, value?: string) => (element: Element) =>
  value === undefined ? element.attributes.has(name) : element.attributes.get(name) === value

function sample(name: string, words: SampleWords = ada): Element {
  const found = samplePages(frame, words).find((page) => page.name === name)
  assert.ok(found, `no sample ${name}`)
  return readPage(String(found.html))
}

const buttonsOf = (form: Element): readonly string[] =>
  all(form, 'button').map((button) => `${button.attributes.get('name')}=${button.attributes.get('value')}`)

const formNamed = (root: Element, name: string): Element => only(root, attribute('data-form', name))
const fieldNames = (form: Element): readonly string[] =>
  all(form, 'input')
    .map((input) => input.attributes.get('name') ?? '')
    .filter((name) => !['state', 'csrf'].includes(name))

suite('the structure of pages', () => {
  for (const { name, html } of samplePages(frame)) {
    test(`${name}: one document that works without scripts and reads aloud`, () => {
      const root = readPage(String(html))
      assert.equal(only(root, 'html').attributes.get('lang'), 'en')
      assert.ok(textOf(only(root, 'title')).endsWith(' · Acme'))
      assert.ok(textOf(only(root, 'h1')))
      only(root, 'main')
      only(root, attribute('name', 'viewport'))
      assert.match(textOf(only(root, 'footer')), /Identity by Tenon at id\.acme\.example/)
      assertDistinctIds(root)
      assertNothingInline(root)
      assertOwnResources(root)
      assertForms(root)
      assertLabels(root)
    })

    test(`${name}: at most one filled button, and none where yes and no weigh the same`, () => {
      const root = readPage(String(html))
      const filled = all(root, (element) => /\bgo\b/.test(element.attributes.get('class') ?? ''))
      const choices = all(root, attribute('class', 'choice'))
      assert.ok(filled.length <= (choices.length > 0 ? 0 : 1), `${filled.length} filled buttons`)
    })
  }

  function assertDistinctIds(root: Element): void {
    const ids = all(root, attribute('id')).map((element) => element.attributes.get('id') ?? '')
    assert.deepEqual(ids, [...new Set(ids)])
    for (const name of ['aria-labelledby', 'aria-describedby', 'for']) {
      for (const element of all(root, attribute(name))) {
        for (const id of element.attributes.get(name)?.split(' ') ?? [])
          assert.ok(ids.includes(id), `${name} names ${id}`)
      }
    }
  }

  function assertNothingInline(root: Element): void {
    assert.equal(all(root, (element) => element.name === 'style').length, 0)
    // One script, of our own: what it says stands in a file.
    for (const script of all(root, 'script')) {
      assert.match(script.attributes.get('src') ?? '', /^\/assets\/passkeys\.js/)
      assert.equal(textOf(script), '')
    }
    for (const element of all(root, () => true)) {
      for (const name of element.attributes.keys())
        assert.ok(name !== 'style' && !name.startsWith('on'), `${name} on ${element.name}`)
    }
  }

  function assertOwnResources(root: Element): void {
    for (const element of all(root, (one) => one.name === 'link' || one.name === 'img')) {
      assert.match(element.attributes.get('href') ?? element.attributes.get('src') ?? '', /^\/assets\//)
    }
  }

  function assertForms(root: Element): void {
    for (const form of all(root, 'form')) {
      // A form that looks for something changes nothing: its address can be kept.
      const searches = form.attributes.get('role') === 'search'
      assert.equal(form.attributes.get('method'), searches ? 'get' : 'post')
      assert.equal(all(form, 'form').length, 0, 'a form within a form')
      // Nor does one that is another site's get the secret that makes ours ours.
      const isOurs = !/^https?:/.test(form.attributes.get('action') ?? '')
      assert.equal(all(form, attribute('name', 'csrf')).length, searches || !isOurs ? 0 : 1)
      const buttons = all(form, 'button')
      assert.ok(buttons.length > 0, 'a form without a button')
      for (const button of buttons) assert.ok(textOf(button))
    }
  }

  function assertLabels(root: Element): void {
    const labelled = all(root, 'label')
      .filter(textOf)
      .map((label) => label.attributes.get('for'))
    for (const input of all(root, 'input')) {
      if (input.attributes.get('type') === 'hidden') continue
      assert.ok(
        input.attributes.has('aria-label') || labelled.includes(input.attributes.get('id')),
        `${input.attributes.get('name')} has no label`,
      )
    }
  }
})

suite('text from outside', () => {
  const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>' \u202egnp.exe\u202c\u200b\u2066\u0000\u0007 ${'long '.repeat(2000)}`
  const hostile = mapWords(ada, () => attack)

  for (const { name, html } of samplePages({ ...frame, tenantName: attack, host: attack }, hostile)) {
    test(`${name}: T-WEB-03 stays text, T-WEB-06 is stripped and capped`, () => {
      // The reader refuses every tag that is not well formed, so markup from outside cannot hide.
      const root = readPage(String(html))
      const isOurs = ({ attributes }: Element) => attributes.get('src') === frame.assets.passkeys
      const foreign = all(root, (one) => ['script', 'img', 'style'].includes(one.name) && !isOurs(one))
      assert.equal(foreign.length, 0)
      const shown = withoutHiddenValues(String(html))
      assert.doesNotMatch(shown, /[^\P{Cc}\n]|\p{Cf}/u)
      for (const bdi of all(root, 'bdi')) assert.ok(textOf(bdi).length <= 330, textOf(bdi))
      assert.ok(shown.length < 40_000, `${shown.length} characters`)
    })
  }

  // Hidden fields, and links of the console, carry ids and addresses back exactly as they were.
  const withoutHiddenValues = (source: string) =>
    source.replace(/<input type="(hidden|text)"[^>]*>| href="\/console\/[^"]*"/g, '')

  test('a name that is drawn as nothing is shown as a question mark, never as an empty space', () => {
    const root = sample('consent', { ...ada, app: '\u200b\u3164\u202e' })
    assert.equal(textOf(only(root, 'h1')), 'May ? know who you are?')
  })

  test('links never lead to a script', () => {
    const view = {
      frame,
      form: { action: 'javascript:alert(1)', csrf: 'x' },
      connections: [],
      password: { forgotUrl: 'data:text/html,x', signupUrl: '//evil.example' },
    }
    const root = readPage(String(renderLogin(view)))
    assert.equal(formNamed(root, 'login').attributes.get('action'), '#')
    for (const link of all(root, 'a')) assert.match(link.attributes.get('href') ?? '', /^#/)
  })
})

suite('the message files', () => {
  test('every sentence on every page comes from them: a page in a pseudo-locale holds no other words', () => {
    const digits = mapWords({ ...ada, address: '1@2.3', otherAddress: '4@5.6', workAddress: '7@8.9' }, (value) =>
      value.includes('@') ? value : '777',
    )
    const pseudoFrame = { ...frame, locale: pseudo, tenantName: '999', host: '0.0.0.0' }
    for (const { name, html } of samplePages(pseudoFrame, digits)) {
      const root = readPage(
        String(html).replace(/<(time|code|text|span class="id"|bdi class="id")[^>]*>[^<]*<\/\w+>/g, ''),
      )
      assert.equal(only(root, 'html').attributes.get('dir'), 'rtl')
      const spoken = all(root, attribute('aria-label')).map((element) => element.attributes.get('aria-label') ?? '')
      for (const text of [textOf(root), ...spoken]) {
        assert.doesNotMatch(withoutMessages(text), /\p{L}/u, `words of no message on ${name}`)
      }
    }
  })

  const accents = (text: string) => text.replace(/[aeiouAEIOU]/g, (vowel) => `${vowel}\u0301`)
  const pseudoText = (text: string) =>
    `⟦${text
      .split(/(\{\w+\}|<\/?b>)/)
      .map((part, at) => (at % 2 === 0 ? accents(part) : part))
      .join('')}⟧`
  // The mapped object has exactly the keys of the English one.
  const pseudoMessages = Object.fromEntries(
    Object.entries(en).map(([key, text]) => [key, pseudoText(text)]),
  ) as Messages
  // Japanese lists and numbers hold no letters, so that none comes from the formats.
  const pseudo: Locale = { lang: 'en-XA', dir: 'rtl', formats: 'ja', messages: pseudoMessages }

  function withoutMessages(text: string): string {
    const shorter = text.replace(/⟦[^⟦⟧]*⟧/g, '')
    return shorter === text ? text : withoutMessages(shorter)
  }

  test('nobody is shouted at, and the words that persons need not know stay away', () => {
    for (const [key, text] of Object.entries(en)) {
      assert.doesNotMatch(text, /!|oops/i, key)
      // Operators know the words of the reference.
      if (!key.startsWith('console.')) assert.doesNotMatch(text, /\b(link identity|primary|token|scope)\b/i, key)
    }
  })
})

suite('the marks of the contract', () => {
  test('login: fields username and password, a form for each connection, no password sent back', () => {
    const root = sample('login-error')
    const form = formNamed(root, 'login')
    assert.deepEqual(fieldNames(form), ['username', 'password'])
    const password = only(form, attribute('name', 'password'))
    assert.equal(password.attributes.get('type'), 'password')
    assert.equal(password.attributes.get('autocomplete'), 'current-password')
    assert.equal(password.attributes.has('value'), false)
    assert.equal(only(form, attribute('name', 'username')).attributes.get('value'), ada.address)
    assert.equal(all(root, attribute('data-form', 'connection')).length, 6)
  })

  test('login: what is wrong is tied to its field, focused, and said first in the title', () => {
    const root = sample('login-error')
    const password = only(root, attribute('name', 'password'))
    assert.equal(password.attributes.get('aria-invalid'), 'true')
    assert.ok(password.attributes.has('autofocus'))
    assert.equal(
      textOf(only(root, attribute('id', password.attributes.get('aria-describedby')))),
      en['field-error.credentials_wrong'],
    )
    assert.match(textOf(only(root, 'title')), /^Error: /)
  })

  test('login: the connection that was used last stands first and is marked', () => {
    const [first] = all(only(sample('login-last-used'), 'main'), 'form')
    assert.equal(first?.attributes.get('data-connection'), 'connection-0')
    assert.match(first ? textOf(first) : '', /Used last, on 22 November 2025/)
    const [other] = all(only(sample('login-last-password'), 'main'), 'form')
    assert.match(other ? textOf(other) : '', /Used last/)
  })

  test('login: without the password connection there is no link to a password or a sign-up', () => {
    assert.equal(all(only(sample('login-connections'), 'main'), 'a').length, 0)
  })

  test('signup, verify and reset have the fields that their names promise', () => {
    assert.deepEqual(fieldNames(formNamed(sample('signup'), 'signup')), ['email', 'password', 'name'])
    assert.deepEqual(fieldNames(formNamed(sample('verify-email'), 'verify')), ['code'])
    assert.deepEqual(fieldNames(formNamed(sample('reset-ask'), 'reset')), ['email'])
    assert.deepEqual(fieldNames(formNamed(sample('reset-choose'), 'reset')), ['username', 'password'])
    assert.ok(all(sample('verify-email'), attribute('name', 'resend')).length === 1)
  })

  test('consent: allow and deny, the app named, scopes in words', () => {
    const root = sample('consent')
    assert.deepEqual(buttonsOf(formNamed(root, 'consent')), ['action=deny', 'action=allow'])
    const text = textOf(root)
    for (const words of [ada.app, en['scope.profile'], en['scope.email']]) assert.ok(text.includes(words), words)
  })

  test('link-confirm: confirm, cancel, another account; nothing but masked addresses; who asks and for what', () => {
    const root = sample('link-confirm')
    assert.deepEqual(buttonsOf(formNamed(root, 'link-confirm')), ['action=cancel', 'action=confirm'])
    assert.equal(only(root, attribute('name', 'prompt')).attributes.get('value'), 'select_account')
    const text = textOf(root)
    for (const words of [
      ada.app,
      ada.account,
      ada.purpose,
      'a•••e@gmail.com',
      'a•••@analytical.example',
      en['scope.repo.write'],
      ada.scope,
      '20 February 2026',
    ]) {
      assert.ok(text.includes(words), words)
    }
    for (const address of [ada.address, ada.otherAddress]) assert.ok(!text.includes(address))
  })

  test('link-confirm: says whether the account signs in, and asks for nothing when nothing is asked', () => {
    const text = textOf(sample('link-confirm-sign-in'))
    assert.ok(text.includes('Yes. From then on this account signs you in to Acme.'))
    assert.ok(text.includes(en['link.may.nothing']))
    // A provider without scopes gives a key that is good for something all the same.
    assert.match(
      textOf(sample('link-confirm-unnamed')),
      /gives no single permissions. It reaches whatever you chose at/,
    )
  })

  test('error: the stable code as a mark, the request id in the text, that nothing was changed', () => {
    const root = sample('error')
    assert.equal(only(root, 'body').attributes.get('data-error'), 'wrong_browser')
    assert.ok(textOf(root).includes(ada.requestId))
    assert.ok(textOf(root).includes(en['error.nothing-changed']))
  })

  test('error: a code without words of its own still shows itself, and does not claim that nothing changed', () => {
    const root = sample('error-unknown')
    assert.equal(only(root, 'body').attributes.get('data-error'), 'no_words_for_this')
    assert.ok(textOf(root).includes(en['error.other.title']) && textOf(root).includes('no_words_for_this'))
    assert.ok(!textOf(root).includes(en['error.nothing-changed']))
  })

  test('logout: confirm and cancel', () => {
    assert.deepEqual(buttonsOf(formNamed(sample('logout'), 'logout')), ['action=cancel', 'action=confirm'])
  })

  test('account: only an address that nobody proved can be proved, and the navigation lists the pages there are', () => {
    const root = sample('account')
    const verify = formNamed(root, 'verify')
    assert.equal(verify.attributes.get('action'), '/account')
    assert.equal(only(verify, attribute('name', 'email')).attributes.get('value'), ada.otherAddress)
    assert.deepEqual(all(only(root, 'nav'), 'a').map(textOf), ['Profile'])
  })

  test('account: this session cannot be ended here, the others can', () => {
    const forms = all(sample('account'), attribute('data-form', 'end-session'))
    assert.deepEqual(
      forms.map((form) => only(form, attribute('name', 'session')).attributes.get('value')),
      ['a', 'b', 'c', 'd'],
    )
    assert.equal(all(sample('account-bare'), attribute('data-form', 'end-other-sessions')).length, 0)
  })

  test('history: what can be taken back has its form, with what ends said before', () => {
    const root = sample('account-connections')
    const forms = all(root, attribute('data-form', 'undo-link'))
    assert.equal(forms.length, 4)
    for (const form of forms) assert.deepEqual(buttonsOf(form), ['action=undo'])
    assert.match(textOf(root), /the accounts are two again/)
  })

  test('deleting names each thing that ends before its one button', () => {
    const root = sample('account-delete')
    assert.deepEqual(buttonsOf(formNamed(root, 'delete-account')), ['action=confirm'])
    for (const name of [ada.provider, ada.app, ada.account]) assert.ok(textOf(root).includes(name), name)
  })
})

/** The same words, each passed through `change`. */
function mapWords(words: SampleWords, change: (value: string) => string): SampleWords {
  const mapped = Object.entries(words).map(([key, value]) => [
    key,
    typeof value === 'string' ? change(value) : value.map(change),
  ])
  // The same keys with values of the same kind.
  return Object.fromEntries(mapped) as SampleWords
}
