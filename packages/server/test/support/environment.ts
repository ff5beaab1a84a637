/** The tester's own settings must not leak into the programs that tests start; what others compiled may serve them. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string) => name === 'NODE_COMPILE_CACHE' || !/^(TENON_|NODE_)/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isOurs(name)))
}
