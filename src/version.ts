import packageJson from '../package.json' with { type: 'json' }

/** edgeadm's own version, without a leading "v". */
export const VERSION: string = packageJson.version
