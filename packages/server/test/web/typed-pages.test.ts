// The marks of the pages on which a credential is typed, or an account is chosen, and what they say before anything happens.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { english } from '../../src/web/pages/messages/en.ts'
import { all, type Element, only, readPage, textOf } from './page-reader.ts'
import { ada } from './page-samples.ts'
import { typedSamples } from './typed-samples.ts'

const frame = {
  locale: english,
  tenantName: 'Acme',
  host: 'id.acme.example',
  assets: { stylesheet: '/assets/tenon.css', icon: '/assets/favicon.svg' },
}

function sample(name: string): Element {
  const found = typedSamples(frame, ada).find((page) => page.name === name)
  assert.ok(found)
  return readPage(String(found.html))
}

const marked = (name: string, value: string) => (element: Element) => element.attributes.get(name) === value
const heldIn = (root: Element, name: string) => only(root, marked('name', name)).attributes.get('value')

test('enter-credential: the field for the secret holds nothing, is no text, and no browser is asked to keep it', () => {
  for (const name of ['enter-credential', 'enter-credential-basic', 'enter-credential-secret_refused']) {
    const secret = only(sample(name), marked('name', 'secret'))
    assert.equal(secret.attributes.get('type'), 'password')
    assert.equal(secret.attributes.get('autocomplete'), 'off')
    assert.equal(secret.attributes.get('value'), undefined)
  }
  assert.equal(heldIn(sample('enter-credential'), 'label'), ada.account)
  assert.equal(heldIn(sample('enter-credential-basic'), 'username'), ada.account)
})

test('enter-credential: says where it goes, that nothing ends by itself, and whether the client sees it', () => {
  const text = textOf(sample('enter-credential'))
  assert.ok(text.includes(ada.host))
  assert.match(text, /We cannot renew it, nor cancel it/)
  assert.match(text, /uses it without seeing it/)
  assert.match(textOf(sample('enter-credential-label')), /gives it to .* as well/)
})

test('which-account: each account by its id, another one, and not now; who cannot be asked there is told so', () => {
  const root = sample('which-account')
  const accounts = all(root, marked('data-form', 'which-account')).map((form) => form.attributes.get('data-account'))
  assert.deepEqual(accounts, ['cac_aaaaaaaaaaaaaaaaaaaaaaaa', 'cac_b'])
  assert.deepEqual(
    all(root, marked('name', 'action')).map((button) => button.attributes.get('value')),
    ['continue', 'continue', 'another', 'cancel'],
  )
  assert.match(textOf(root), /Sign out there first/)
  assert.doesNotMatch(textOf(sample('which-account-typed')), /Sign out there first/)
})
