// English, for what agents and devices ask a person apart from any app's own page. Part of `en.ts`.

export const enApprove = {
  'reauth.wish.approve': 'say yes to an agent or a device',

  'approve.title': 'May {app} do this for you?',
  'approve.title.device': 'Let {app} in on your device?',
  'approve.lead': 'Asked on {asked}. The question ends on {until}.',
  'approve.what': 'What it may do',
  'approve.nothing': 'It asks for nothing but to know that it is you.',
  'approve.by': 'Made by',
  'approve.by.other': 'somebody else than {tenant}',
  'approve.at': 'For',
  'approve.once': 'How often',
  'approve.once.yes': 'For this one question. If it asks again, you are asked again.',
  'approve.same': 'Same words there',
  'approve.same.yes': '{app} should show you the same words. If it shows something else, say no.',
  'approve.code': 'The code there',
  'approve.code.yes':
    'Your device shows <b>{code}</b>. If it shows something else, or you hold no such device, say no: somebody may want to come in as you.',
  'approve.deny': 'Do not allow',
  'approve.allow': 'Allow',
  'approve.unexpected': 'Did you not expect this? Say no.',
  'approve.agents': 'See your agents',
  'approve.allowed.title': 'You said yes',
  'approve.allowed.lead': '{app} may go on. You can close this page.',
  'approve.denied.title': 'You said no',
  'approve.denied.lead': 'We did not change anything. {app} is told.',
  'approve.over.title': 'This question is over',
  'approve.over.lead': 'It was not answered in time. We did not change anything.',

  'activate.title': 'Let a device in',
  'activate.lead': 'Type the code that the device shows. You see what it asks before anything happens.',
  'activate.field': 'Code on the device',
  'activate.submit': 'Go on',
  'activate.warning': 'Only for a device that you hold yourself. Whoever sends you a code wants to come in as you.',
  'field-error.device_code_missing': 'Please write the code that the device shows.',
  'field-error.device_code_unknown':
    'No device waits with this code. It may be mistyped, or too old: the device shows a new one.',

  'activity.approval.allowed': 'You said yes to <b>{who}</b>',
  'activity.approval.denied': 'You said no to <b>{who}</b>',

  'agents.waiting': 'Waiting for your answer',
  'agents.waiting.line': '<b>{app}</b> asked on {asked}. The question ends on {until}.',
  'agents.waiting.open': 'See what it asks',
} as const
