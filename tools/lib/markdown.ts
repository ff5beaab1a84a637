// As much of Markdown as the checks need: fenced blocks, links, headings.

export type Block = { readonly language: string; readonly code: string; readonly line: number }
export type Link = { readonly target: string; readonly line: number }

const FENCE = /^\s*(`{3,}|~{3,})\s*(\S*)/

/** Fenced blocks in order; `line` is the one of the opening fence, counted from 1. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let open: { fence: string; language: string; line: number; code: string[] } | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, language = ''] = FENCE.exec(line) ?? []
    if (open === undefined) {
      if (fence !== undefined) open = { fence, language, line: index + 1, code: [] }
    } else if (fence?.startsWith(open.fence) && language === '') {
      blocks.push({ language: open.language, code: open.code.join('\n'), line: open.line })
      open = undefined
    } else open.code.push(line)
  }
  return blocks
}

/** Targets of inline links, images and reference definitions outside of code. */
export function linksOf(text: string): Link[] {
  return withoutCode(text).flatMap(({ content, line }) => {
    const inline = [...content.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
    const defined = [...content.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/g)]
    const html = [...content.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)]
    return [...inline, ...defined, ...html].map((match) => ({ target: match[1] ?? '', line }))
  })
}

/** Anchors of the headings, as code hosts derive them. */
export function headingsOf(text: string): string[] {
  return withoutCode(text, false)
    .flatMap(({ content }) => /^#{1,6}\s+(.*?)\s*#*$/.exec(content)?.[1] ?? [])
    .map((heading) =>
      heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    )
}

function withoutCode(text: string, dropInline = true): { content: string; line: number }[] {
  let fence: string | undefined
  return text.split('\n').flatMap((content, index) => {
    const mark = FENCE.exec(content)?.[1]
    if (mark !== undefined) {
      if (fence === undefined) fence = mark
      else if (mark.startsWith(fence)) fence = undefined
      return []
    }
    return fence === undefined
      ? [{ content: dropInline ? content.replace(/`[^`]*`/g, '') : content, line: index + 1 }]
      : []
  })
}
