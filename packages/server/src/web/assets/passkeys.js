// Passkeys are the one thing that a form cannot do: hands what the page asks for to the browser, and posts what it answers.
// Where there is no script, or no passkey, these forms stay hidden, and the other ways are there.
const credentials = window.PublicKeyCredential

const ask = {
  create: async (options) =>
    navigator.credentials.create({ publicKey: credentials.parseCreationOptionsFromJSON(options) }),
  get: async (options) => navigator.credentials.get({ publicKey: credentials.parseRequestOptionsFromJSON(options) }),
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!credentials?.parseRequestOptionsFromJSON) continue
  for (const part of document.querySelectorAll('[data-with-passkey]')) part.hidden = false
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    const answer = form.elements.namedItem('passkey')
    if (answer.value !== '') return
    event.preventDefault()
    const failed = form.querySelector('[data-passkey-failed]')
    failed.hidden = true
    try {
      const credential = await ask[form.dataset.passkey](JSON.parse(form.dataset.options))
      answer.value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch {
      failed.hidden = false
      failed.focus()
    }
  })
}

for (const part of document.querySelectorAll('[data-without-passkey]')) {
  if (credentials?.parseRequestOptionsFromJSON) part.hidden = true
}
