// Agents that a person has stopped. docs/formats/storage.md explains the table.
import type { ColumnTypes } from '../migrations.ts'

export const agentStops = ({ text, integer, tableEnd }: ColumnTypes): readonly string[] => [
  `create table agent_stops (
    user_id ${text} not null references users (user_id) on delete cascade,
    client_id ${text} not null,
    stopped_at ${integer} not null,
    primary key (user_id, client_id)
  ${tableEnd}`,
]
