// What Tenon does not do yet, and SDKs can ask for: the reason that the table gives for each call that is refused.
export const NOT_YET = {
  passwordless: 'codes by mail are for our pages alone',
  secondSteps: 'half a sign-in changes no second step; a whole one of a moment ago does, over the My Account API',
  federatedDomains: 'no answer to which domains have a provider of their own yet',
  clientDocuments: 'no clients that are described by a document elsewhere yet',
  apiSearch: 'no search of APIs besides their list yet',
} as const
