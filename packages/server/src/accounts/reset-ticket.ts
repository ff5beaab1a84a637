// What tells a link that an operator hands out from one that we mailed.

/** `boundTo` of a reset whose link may have come by any way: using it proves no mailbox. */
export const RESET_BY_TICKET = 'ticket'
