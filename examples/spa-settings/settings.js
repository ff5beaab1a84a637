// A settings page that adds and takes away accounts, with the person's own token for the Management API.
import { Auth0Client } from '/auth0-spa-js.js'

const { domain, clientId } = await (await fetch('/config.json')).json()
const api = `https://${domain}/api/v2/`
const at = (id) => document.getElementById(id)

const client = new Auth0Client({
  domain,
  clientId,
  cacheLocation: 'localstorage',
  useRefreshTokens: true,
  authorizationParams: {
    redirect_uri: location.origin,
    audience: api,
    scope: 'openid profile email offline_access read:current_user update:current_user_identities',
  },
})
// For the second sign-in: what it brings must not take the place of what the first one brought.
const second = new Auth0Client({ domain, clientId, authorizationParams: { redirect_uri: location.origin } })

async function callApi(method, path, body) {
  const response = await fetch(api + path, {
    method,
    headers: { authorization: `Bearer ${await client.getTokenSilently()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.message)
  return answer
}

const own = async () => `users/${encodeURIComponent((await client.getUser()).sub)}`

/** The person proves the other account by signing in with it; its ID token is the proof. */
async function add(connection) {
  await second.loginWithPopup({ authorizationParams: { connection, prompt: 'login' } })
  const { __raw } = await second.getIdTokenClaims()
  show(await callApi('POST', `${await own()}/identities`, { link_with: __raw }))
}

async function remove({ provider, user_id }) {
  show(await callApi('DELETE', `${await own()}/identities/${provider}/${encodeURIComponent(user_id)}`))
}

function show(identities) {
  at('own').hidden = false
  at('identities').replaceChildren(
    ...identities.map((identity, index) => {
      const item = document.createElement('li')
      item.dataset.connection = identity.connection
      item.textContent = `${identity.connection} `
      // The first is who the person is; it cannot go.
      if (index > 0) {
        const button = document.createElement('button')
        button.textContent = 'Remove'
        button.addEventListener('click', () => attempt(() => remove(identity)))
        item.append(button)
      }
      return item
    }),
  )
}

async function attempt(action) {
  at('said').textContent = ''
  try {
    await action()
  } catch (error) {
    at('said').textContent = error.message
  }
}

at('sign-in').addEventListener('click', () =>
  client.loginWithRedirect({ authorizationParams: { connection: 'calendar' } }),
)
at('add').addEventListener('click', () => attempt(() => add('code')))

await attempt(async () => {
  if (location.search.includes('state=')) {
    await client.handleRedirectCallback()
    history.replaceState({}, '', '/')
  }
  const signedIn = await client.isAuthenticated()
  at('sign-in').hidden = signedIn
  if (signedIn) show((await callApi('GET', await own())).identities)
})
