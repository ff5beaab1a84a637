/** The page on which a provider asks its user. It works without scripts. */
import { STYLESHEET_PATH } from './consent-style.ts'
import { type Answer, type Fields, textAnswer } from './http.ts'
import type { Provider, ProviderClient } from './provider.ts'
import type { ProviderUser } from './users.ts'

/** Prefix of the hidden fields that carry the authorization request through the form. */
export const CARRIED = 'request.'

interface ConsentView {
  readonly provider: Provider
  readonly client: ProviderClient
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly fields: Fields
  /** Key of the user who is chosen at first. */
  readonly chosen: string | undefined
}

const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  openid: 'Know which account is yours',
  profile: 'See your name and picture',
  email: 'See your email address',
  offline_access: 'Keep this access while you are away',
  'calendar.read': 'See the events in your calendar',
  'calendar.write': 'Add and change events in your calendar',
  'read:user': 'See your profile',
  'user:email': 'See your email addresses',
  repo: 'See and change your repositories and pull requests',
  'files.read': 'See your files',
}

export function consentPage({ provider, client, redirectUri, scopes, fields, chosen }: ConsentView): Answer {
  const app = escapeHtml(client.name)
  const title = escapeHtml(provider.title)
  const main = `<h1>${app} asks to use your ${title} account</h1>
<form method="post" action="${provider.endpoint('consent')}" data-form="provider-consent">
${Object.entries(fields).map(hiddenField).join('\n')}
<fieldset><legend>Which account?</legend>
${provider.users
  .list()
  .map((user) => userChoice(user, user.key === chosen))
  .join('\n')}
</fieldset>
${scopeList(provider, app, scopes)}
<p class="soft">You go back to ${escapeHtml(new URL(redirectUri).host)} either way.</p>
<div class="choice"><button name="action" value="deny">Deny</button><button name="action" value="allow">Allow</button></div>
</form>`
  return page(200, { title: `${app} asks to use your ${title} account`, brand: title, name: 'provider-consent', main })
}

/** The answer on its way by POST (OAuth 2.0 Form Post Response Mode), sent by a button as long as there are no scripts. */
export function answerPage(brand: string, redirectUri: string, fields: Fields): Answer {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  const main = `<h1>Almost there</h1>
<form method="post" action="${escapeHtml(redirectUri)}" data-form="provider-answer">
${inputs.join('\n')}
<div class="choice"><button>Continue</button></div>
</form>`
  return page(200, { title: 'Almost there', brand: escapeHtml(brand), name: 'provider-answer', main })
}

/** A page for requests that cannot be sent back to any app. */
export function errorPage(status: number, brand: string, message: string): Answer {
  const main = `<h1>This does not work</h1>\n<p>${escapeHtml(message)}</p>`
  return page(status, { title: 'This does not work', brand: escapeHtml(brand), name: 'provider-error', main })
}

function scopeList(provider: Provider, app: string, scopes: readonly string[]): string {
  if (scopes.length === 0) return `<p>${app} only learns that the account is yours.</p>`
  const texts = { ...SCOPE_TEXTS, ...provider.options.scopeTexts }
  const say = (scope: string) => {
    const [text, code] = [texts[scope], `<code>${escapeHtml(scope)}</code>`]
    return text === undefined ? code : `${escapeHtml(text)} ${code}`
  }
  if (!provider.granularConsent) {
    return `<h2>${app} would be able to</h2>\n<ul>${scopes.map((scope) => `<li>${say(scope)}</li>`).join('\n')}</ul>`
  }
  const box = (scope: string) =>
    `<label><input type="checkbox" name="scope" value="${escapeHtml(scope)}" checked><span>${say(scope)}</span></label>`
  return `<fieldset><legend>${app} would be able to</legend>\n${scopes.map(box).join('\n')}</fieldset>`
}

function userChoice(user: ProviderUser, isChosen: boolean): string {
  const address = user.email === undefined ? '' : `<small>${escapeHtml(user.email)}</small>`
  const checked = isChosen ? ' checked' : ''
  return `<label><input type="radio" name="user" value="${escapeHtml(user.key)}" required${checked}><span>${escapeHtml(user.name)}${address}</span></label>`
}

function hiddenField([name, value]: readonly [string, string]): string {
  return `<input type="hidden" name="${CARRIED}${escapeHtml(name)}" value="${escapeHtml(value)}">`
}

function page(
  status: number,
  view: { readonly title: string; readonly brand: string; readonly name: string; readonly main: string },
): Answer {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${view.title}</title>
<link rel="stylesheet" href="${STYLESHEET_PATH}">
<link rel="icon" href="data:,">
</head>
<body data-page="${view.name}" data-provider="${view.brand}">
<main>
<p class="brand">${view.brand}</p>
<div class="card">
${view.main}
</div>
</main>
</body>
</html>
`
  return textAnswer(status, html, {
    'content-type': 'text/html; charset=utf-8',
    // No form-action: it would also govern the redirect back to the app.
    'content-security-policy':
      "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  })
}

function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (one) => names[one] ?? one)
}
