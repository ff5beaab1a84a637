// Every sentence of our mails, in English. Keys are stable; `{names}` are values; an empty line parts paragraphs.

export const mailMessages = {
  'verify-code.subject': 'Your code for {tenant}',
  'verify-code.sign-up': 'With this code you finish creating your account at {tenant}:',
  'verify-code.sign-up-for': 'With this code you finish creating your account at {tenant}, to go on to {app}:',
  'verify-code.address': 'With this code you show {tenant} that this address is yours:',
  'verify-code.address-for': 'With this code you show {tenant} that this address is yours, to go on to {app}:',
  'verify-code.connect':
    'With this code you show {tenant} that this address is yours, before another account is connected to it:',
  'verify-code.connect-for':
    'With this code you show {tenant} that this address is yours, before another account is connected to it for {app}:',
  'verify-code.change': 'With this code you show {tenant} that it is still you, before your account is changed:',
  'verify-code.change-for':
    'With this code you show {tenant} that it is still you, before your account is changed for {app}:',
  'verify-code.sign-in': 'With this code you sign in to {tenant}:',
  'verify-code.sign-in-for': 'With this code you sign in to {tenant}, to go on to {app}:',
  'verify-code.link': 'In the browser in which you asked for it, this link fills it in:',
  'verify-code.code': '    {code}',
  'verify-code.use.one':
    'It works once, for {minutes} minute. Type it only on the page that asked for it: nobody of {tenant} ever asks you to say it.',
  'verify-code.use.other':
    'It works once, for {minutes} minutes. Type it only on the page that asked for it: nobody of {tenant} ever asks you to say it.',
  'verify-code.not-you': 'If this was not you, ignore this mail. Nothing happens without the code.',

  'reset-link.subject': 'Choose a new password for {tenant}',
  'reset-link.lead':
    'Somebody, most likely you, asked for a new password for your account at {tenant}. Choose it here:',
  'reset-link.use.one': 'The link works once, for {minutes} minute.',
  'reset-link.use.other': 'The link works once, for {minutes} minutes.',
  'reset-link.not-you': 'If this was not you, ignore this mail. Your password stays as it is.',

  'verify-link.subject': 'Show {tenant} that this address is yours',
  'verify-link.lead': 'With this link you show {tenant} that this address is yours:',
  'verify-link.lead-for': 'With this link you show {tenant} that this address is yours, to go on to {app}:',
  'verify-link.use':
    'It works once, for {days} days, in a browser where you are signed in to your own account; you are asked to sign in first.',
  'verify-link.not-you':
    'If this was not you, or you have no account there, ignore this mail. Nothing happens without the link.',

  'finish-sign-up.subject': 'Finish creating your account at {tenant}',
  'finish-sign-up.lead':
    'Somebody, most likely you, wanted to create an account at {tenant} with this address. Choose your password, and it is made:',
  'finish-sign-up.use': 'The link works once, for {hours} hours.',
  'finish-sign-up.not-you': 'If this was not you, ignore this mail. No account is made without the link.',

  'account-exists.subject': 'You already have an account at {tenant}',
  'account-exists.lead':
    'Somebody, most likely you, wanted to create an account at {tenant} with this address. There already is one.',
  'account-exists.lead-for':
    'Somebody, most likely you, came from {app} and wanted to create an account at {tenant} with this address. There already is one.',
  'account-exists.do':
    'Sign in to it as you did before. If you do not know the password any more, choose a new one here:',
  'account-exists.not-you':
    'If this was not you, ignore this mail. Nothing was changed, and nobody was told that the account exists.',

  'password-changed.subject': 'Your password for {tenant} was changed',
  'password-changed.lead': 'The password of your account at {tenant} was changed on {time}.',
  'password-changed.was-you': 'If this was you, there is nothing to do.',
  'password-changed.not-you':
    'If it was not, choose a new password at once, which ends every session that somebody else may have:',

  'accounts-joined.subject': 'Two accounts at {tenant} became one',
  'accounts-joined.lead':
    'On {time}, two accounts at {tenant} were joined. Signing in to either of them now leads to the same account.',
  'accounts-joined.was-you': 'If this was you, there is nothing to do.',
  'accounts-joined.not-you': 'If it was not, look at it at once, and undo it there:',

  'accounts-parted.subject': 'Your accounts at {tenant} were parted',
  'accounts-parted.lead':
    'On {time}, accounts at {tenant} that had been joined were parted again. Each way to sign in leads to its own account as before.',
  'accounts-parted.was-you': 'If this was you, there is nothing to do.',
  'accounts-parted.not-you': 'If it was not, look at your account at once:',

  'sign-in-added.subject': 'A way to sign in to {tenant} was added',
  'sign-in-added.lead': 'On {time}, a way to sign in was added to your account at {tenant}: {connection}.',
  'sign-in-added.was-you': 'If this was you, there is nothing to do.',
  'sign-in-added.not-you': 'If it was not, look at it at once, and undo it there:',

  'sign-in-removed.subject': 'A way to sign in to {tenant} was removed',
  'sign-in-removed.lead': 'On {time}, a way to sign in was removed from your account at {tenant}: {connection}.',
  'sign-in-removed.was-you': 'If this was you, there is nothing to do.',
  'sign-in-removed.not-you': 'If it was not, look at your account at once:',

  'address-proven.subject': 'An address was proved for your account at {tenant}',
  'address-proven.lead':
    'On {time}, somebody used what we had mailed, and so proved an address of your account at {tenant}.',
  'address-proven.was-you': 'If this was you, there is nothing to do.',
  'address-proven.not-you': 'If it was not, look at your account at once:',

  'address-changed.subject': 'Your account at {tenant} goes by another address',
  'address-changed.lead':
    'On {time}, the address of your account at {tenant} was changed. Mail about it goes to the new one from now on.',
  'address-changed.was-you': 'If this was you, there is nothing to do.',
  'address-changed.not-you':
    'If it was not, sign in at once by another way, change it back, and end every session that is not yours:',

  'address-left.subject': 'Your account at {tenant} goes by another address',
  'address-left.lead':
    'On {time}, the address of your account at {tenant} was changed. Mail about it goes to the new one from now on.',
  'address-left.was-you': 'If this was you, there is nothing to do.',
  'address-left.not-you':
    'If it was not, take it back within a week. The account goes by this address again, and every session ends:',

  'second-step-added.subject': 'A second step was added to your account at {tenant}',
  'second-step-added.lead':
    'On {time}, a second step was added to your account at {tenant}. Signing in asks for it from now on, and every other browser was signed out.',
  'second-step-added.was-you': 'If this was you, there is nothing to do. Keep your recovery codes where you find them.',
  'second-step-added.not-you': 'If it was not, take it back within a week. Every session ends:',

  'second-step-removed.subject': 'A second step was removed from your account at {tenant}',
  'second-step-removed.lead':
    'On {time}, a second step was removed from your account at {tenant}. Signing in does not ask for it any more.',
  'second-step-removed.was-you': 'If this was you, there is nothing to do.',
  'second-step-removed.not-you':
    'If it was not, look at your account at once, and end every session that is not yours:',

  'recovery-codes-renewed.subject': 'New recovery codes for your account at {tenant}',
  'recovery-codes-renewed.lead':
    'On {time}, new recovery codes were made for your account at {tenant}. Those of before do not work any more.',
  'recovery-codes-renewed.was-you': 'If this was you, there is nothing to do.',
  'recovery-codes-renewed.not-you':
    'If it was not, look at your account at once, and end every session that is not yours:',

  'account-deleted.subject': 'Your account at {tenant} is deleted',
  'account-deleted.lead':
    'On {time}, your account at {tenant} was deleted, with its ways to sign in, its connected accounts and what agents were given. It cannot be brought back.',
  'account-deleted.was-you': 'If this was you, there is nothing to do, and this is the last mail about it.',
  'account-deleted.not-you': 'If it was not, tell the people who run {tenant}:',

  'approval-asked.subject': 'A program asks for your yes at {tenant}',
  'approval-asked.subject-for': '{app} asks for your yes at {tenant}',
  'approval-asked.lead':
    'A program that you may know wants to do something for you at {tenant}. What it asks stands here, and you say yes or no there:',
  'approval-asked.lead-for':
    '{app} wants to do something for you at {tenant}. What it asks stands here, and you say yes or no there:',
  'approval-asked.until': 'Nothing happens without your yes. The question ends on {time}.',
  'approval-asked.not-you':
    'If you did not expect this, say no, or ignore this mail. On the page of your agents you can stop it for good.',

  'mail.link': '{link}',
} as const

export type MailMessageKey = keyof typeof mailMessages
