import { NotFound } from '../../domain/errors.ts'

export const inexistentUser = () => new NotFound('inexistent_user', 'The user does not exist.')
