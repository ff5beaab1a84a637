// Drawings, all in `currentColor` so that they follow the colour scheme and forced colours.
import { html } from './html.ts'

/** A tenon entering a mortise. */
export const mark = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path class="tongue" d="M2 4h8v5h6.5v6H10v5H2z"/><path d="M12 4h10v16H12v-3.5h6.5v-9H12z"/></svg>`

const eye = html`<path fill-rule="evenodd" d="M10 4c4 0 7 2.8 8.6 6-1.6 3.2-4.6 6-8.6 6S3 13.2 1.4 10C3 6.8 6 4 10 4zm0 1.8C7 5.8 4.7 7.7 3.4 10 4.7 12.3 7 14.2 10 14.2s5.3-1.9 6.6-4.2C15.3 7.7 13 5.8 10 5.8zM10 7.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z"/>`
const pencil = html`<path fill-rule="evenodd" d="M13.6 2.6 17.4 6.4 7 16.8 2.5 17.5 3.2 13zM4.9 13.8l-.3 1.6 1.6-.3 8.7-8.7-1.3-1.3z"/>`
const triangle = html`<path fill-rule="evenodd" d="M10 2 19 17.5H1zm0 3.7L4.2 15.7h11.6zM9.1 8.5h1.8v3.8H9.1zm0 4.6h1.8v1.6H9.1z"/>`
const question = html`<path fill-rule="evenodd" d="M10 1.8a8.2 8.2 0 1 1 0 16.4 8.2 8.2 0 0 1 0-16.4zm0 1.8a6.4 6.4 0 1 0 0 12.8 6.4 6.4 0 0 0 0-12.8zM9.1 13h1.8v1.7H9.1zM7 8c0-1.7 1.3-2.8 3-2.8s3 1 3 2.6c0 2.2-2.1 2.2-2.1 4H9.1c0-2.6 2.1-2.7 2.1-4 0-.6-.5-1-1.2-1s-1.2.5-1.2 1.2z"/>`
const barred = html`<path fill-rule="evenodd" d="M10 1.8a8.2 8.2 0 1 1 0 16.4 8.2 8.2 0 0 1 0-16.4zM5.5 14.5a6.4 6.4 0 0 1 9-9.1zM6.8 15.6l9-9a6.4 6.4 0 0 1-9 9z"/>`

const SHAPES = { eye, pencil, triangle, question, barred } as const

export const icon = (shape: keyof typeof SHAPES) =>
  html`<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">${SHAPES[shape]}</svg>`
