// The pages of the examples: plain HTML, with everything that is not theirs escaped.

/** Text as HTML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** @param name for tests, `data-page` of the body */
export const page = (name: string, content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Example</title><link rel="icon" href="data:,"></head>
<body data-page="${name}"><main>${content}</main></body></html>`
