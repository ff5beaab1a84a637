/** What a page of a client may read of our answers (auth0-wire.md §0 rule 12). */
export const EXPOSED_HEADERS = [
  'dpop-nonce',
  'www-authenticate',
  'location',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'retry-after',
  'x-request-id',
].join(', ')
