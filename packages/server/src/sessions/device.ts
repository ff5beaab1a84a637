// Which kind of browser a session began in, for the person to know it again. Only what is named here is ever kept: what a
// browser says of itself is text from outside, and tells more of a person than they need.

export interface Device {
  readonly browser: string | undefined
  readonly system: string | undefined
}

/** In this order: later ones also name earlier ones' engines. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?(?:iOS)?\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chromium|HeadlessChrome)\//, 'Chromium'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\b(?:Macintosh|Mac OS X)\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]
/** No browser says more of itself; the rest would only cost time. */
const LONGEST = 512

export function deviceOf(userAgent: string | undefined): Device {
  const text = (userAgent ?? '').slice(0, LONGEST)
  const named = (names: typeof BROWSERS) => names.find(([pattern]) => pattern.test(text))?.[1]
  return { browser: named(BROWSERS), system: named(SYSTEMS) }
}
