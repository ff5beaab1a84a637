// An operator's accent, as a stylesheet of ours: a strict policy allows nothing inline.

export type ThemeDecision =
  | { readonly kind: 'ok'; readonly css: string }
  | { readonly kind: 'refuse'; readonly reason: 'not-a-colour' | 'too-little-contrast'; readonly contrast?: number }

/** Text and buttons in the accent stay readable (WCAG 2.2 AA, 1.4.3). */
const LEAST_CONTRAST = 4.5
const LIGHT_SHEET: Rgb = [255, 253, 248]
const LIGHT_PAPER: Rgb = [244, 240, 230]
const DARK_SHEET: Rgb = [30, 28, 23]
const WHITE: Rgb = [255, 255, 255]
const BLACK: Rgb = [0, 0, 0]

type Rgb = readonly [red: number, green: number, blue: number]

/**
 * The rules that put an accent in the place of ours, in the light scheme as it is and in the dark scheme lightened as far
 * as it must be. An accent that cannot be read on our light paper is refused, with the contrast it has.
 *
 * @param accent `#rrggbb`.
 */
export function decideTheme(accent: string): ThemeDecision {
  const colour = parseHex(accent)
  if (!colour) return { kind: 'refuse', reason: 'not-a-colour' }
  const papers = [LIGHT_SHEET, LIGHT_PAPER, washOf(LIGHT_SHEET, colour)]
  const contrast = Math.min(...papers.map((paper) => contrastOf(colour, paper)))
  if (contrast < LEAST_CONTRAST) {
    return { kind: 'refuse', reason: 'too-little-contrast', contrast: Math.round(contrast * 100) / 100 }
  }
  const bright = lightened(colour)
  const light = declarations({ accent: colour, sheet: LIGHT_SHEET })
  const dark = declarations({ accent: bright, sheet: DARK_SHEET })
  return { kind: 'ok', css: `:root { ${light} }\n@media (prefers-color-scheme: dark) { :root { ${dark} } }\n` }
}

function declarations({ accent, sheet }: { accent: Rgb; sheet: Rgb }): string {
  const on = contrastOf(accent, WHITE) >= contrastOf(accent, BLACK) ? WHITE : BLACK
  return `--accent: ${hex(accent)}; --on-accent: ${hex(on)}; --wash: ${hex(washOf(sheet, accent))};`
}

/** Towards white until it can be read on the dark sheet and on the wash made from itself. */
function lightened(colour: Rgb): Rgb {
  for (let step = 0; step < 20; step++) {
    const candidate = mixed(colour, WHITE, step / 20)
    const wash = washOf(DARK_SHEET, candidate)
    if (contrastOf(candidate, DARK_SHEET) >= LEAST_CONTRAST && contrastOf(candidate, wash) >= LEAST_CONTRAST)
      return candidate
  }
  return WHITE
}

/** The tint of what is marked as this person's own. */
const washOf = (sheet: Rgb, accent: Rgb): Rgb => mixed(sheet, accent, 0.08)

function parseHex(text: string): Rgb | undefined {
  const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text) ?? []
  if (red === undefined || green === undefined || blue === undefined) return undefined
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)]
}

const hex = (colour: Rgb): string => `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`

function mixed([r, g, b]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const between = (from: number, to: number) => Math.round(from + (to - from) * share)
  return [between(r, r2), between(g, g2), between(b, b2)]
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
function contrastOf(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  const linear = (part: number) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}
