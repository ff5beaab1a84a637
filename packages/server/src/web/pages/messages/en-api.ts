// English, for the page that describes the JSON interfaces. Part of `en.ts`. What each operation does is said once, in the
// document that the page is made of.
export const enApi = {
  'api.title': 'The interfaces',
  'api.lead': 'Every operation, as the server itself checks and answers it.',
  'api.document': 'As OpenAPI 3.1',
  'api.scopes': 'Any one of these scopes',
  'api.parameters': 'Parameters',
  'api.required': 'required',
  'api.body': 'Body',
  'api.answers': 'Answers',
  'api.shared': 'Shared shapes',
} as const
