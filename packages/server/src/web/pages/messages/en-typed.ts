// English: keys and passwords that a person types for an account, and which of several accounts is meant.
export const enTyped = {
  'typed.title.api_key': 'Your {connection} key',
  'typed.title.basic': 'Your {connection} account',
  'typed.title.replace.api_key': 'Replace your {connection} key',
  'typed.title.replace.basic': 'Replace your {connection} password',
  'typed.lead.replace': 'Agents go on using {account}, with what you type here.',
  'typed.label': 'What you call this account',
  'typed.label.hint': 'Agents ask for an account by its label.',
  'typed.username': 'User name',
  'typed.secret.api_key': 'API key',
  'typed.secret.basic': 'Password, or app password',
  'typed.hint.api_key': 'Make one at {connection} that can do no more than agents need.',
  'typed.hint.basic': 'An app password, if {connection} has them: you can end it there without changing your own.',
  'typed.help': 'Open the page for that at {connection}',
  'typed.key': '{tenant} keeps it, encrypted. No page shows it again, and {client} uses it without seeing it.',
  'typed.key.given': '{tenant} keeps it, encrypted, and gives it to {client} as well. No page shows it again.',
  'typed.key.own':
    '{tenant} keeps it, encrypted. No page shows it again, and agents use it without seeing it, unless {tenant} lets one have it.',
  'typed.sent': 'Where it goes',
  'typed.sent.text': 'To {hosts}, with what agents that you allow do there.',
  'typed.how-long':
    'Until you disconnect it. We cannot renew it, nor cancel it at {connection}: to end it for good, delete it there.',
  'typed.may': 'What it is used for',
  'typed.if-no': 'If you choose Not now, nothing is connected and we take you back to {client}.',
  'typed.if-no.confirm': 'If you choose Not now, we delete what you typed and take you back to {client}.',
  'typed.if-no.own': 'If you choose Not now, we delete what you typed.',
  'typed.instead':
    '<b>This is not {meant}.</b> What you typed belongs to another {connection} account. {meant} stays as it is.',
  'field-error.label_bad': 'A label is one line of 1 to 40 characters.',
  'field-error.username_bad': 'Please write the user name here: one line, without a colon.',
  'field-error.secret_missing': 'Please write it here. We do not keep what was typed before.',
  'field-error.secret_bad': 'This cannot be one: it is too long, or has characters in it that no request can carry.',
  'field-error.secret_refused': 'This was not accepted there. <b>We did not change anything.</b>',
  'field-error.secret_unchecked':
    'We could not ask whether it is accepted there. <b>We did not change anything.</b> Please try again later.',

  'which.title': 'Which {connection} account?',
  'which.lead': '<b>{client}</b> asks for one, and you have connected some. Nothing is changed yet.',
  'which.choose': 'Use this one',
  'which.unused': 'not used yet',
  'which.renews': 'Choose one, and you go to {connection} to renew it. The others stay as they are.',
  'which.typed': 'Choose one to replace its key or password. The others stay as they are.',
  'which.another': 'Connect another {connection} account',

  'link.another.first': '{connection} does not ask which one. Sign out there first.',
  'link.instead':
    '<b>This is not {meant}.</b> You are signed in at {connection} with another account. {meant} stays as it is.',
  'link.instead.confirm': 'Add it as another',

  'account-notice.disconnected-typed':
    '<b>{thing} is disconnected.</b> No agent can use it any more. To end the key or password itself, delete it at the provider.',
  'connected.typed.replace': 'Replace the key or password',
  'connected.end.typed':
    'If you disconnect it, we delete the key or password, and no agent can use it any more. At {connection} it still works, until you delete it there.',
} as const
