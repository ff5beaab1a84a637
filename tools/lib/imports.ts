// The specifiers that a TypeScript file imports, read without running it.

const COMMENTS = /\/\*[\s\S]*?\*\/|(^|[\s;{}()])\/\/[^\n]*/g
const STATEMENT = /(?:^|\n)\s*(?:import|export)\b(?:[^'"`;]*?\bfrom\s*)?\s*['"]([^'"\n]+)['"]/g
const CALL = /\b(?:import|require\.resolve|require)\(\s*['"]([^'"\n]+)['"]\s*[),]/g

/** Returns what `import`, `export … from` and `import('…')` name, type-only ones too, in no order that matters. */
export function importsOf(text: string): string[] {
  const code = text.replace(COMMENTS, '$1')
  return [...code.matchAll(STATEMENT), ...code.matchAll(CALL)].map((match) => match[1] ?? '')
}
