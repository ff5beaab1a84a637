// Where a browser goes once a ticket of an operator's has served. docs/formats/storage.md explains the column.
import type { ColumnTypes } from '../migrations.ts'

export const ticketEnds = ({ text }: ColumnTypes): readonly string[] => [
  `alter table proofs add column goes_to ${text}`,
]
