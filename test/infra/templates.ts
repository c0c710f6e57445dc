import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { exampleApp } from '../../infra/example-app';
import { RotatedSecret, type RotatedSecretProps } from '../../infra/rotated-secret';
import { RotationOrchestrator, type RotationOrchestratorProps } from '../../infra/rotation-orchestrator';

/** Any JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A resource of a template, by its logical id. */
export interface Resource {
  readonly id: string;
  readonly Type: string;
  readonly Properties: Json;
  readonly DependsOn?: readonly string[];
}

// What apps synthesise is left behind by CDK; here it goes with the tests of a file.
const workshop = mkdtempSync(path.join(os.tmpdir(), 'rotor-infra-'));
afterAll(() => rmSync(workshop, { recursive: true }));
let apps = 0;

// CDK's own check of templates takes a second each time; the tests of the example let it run.
process.env['CDK_VALIDATION'] = 'false';
// cdk-nag reads a deprecated property of event bus policies.
process.env['JSII_DEPRECATED'] = 'quiet';

function outdir(): string {
  return path.join(workshop, (apps++).toString());
}

/** An empty app. */
export function newApp(): App {
  return new App({ outdir: outdir() });
}

/** The example, with choices in its context. */
export function example(context: Readonly<Record<string, string>> = {}): App {
  return exampleApp({ outdir: outdir(), context });
}

/** The example's two templates, as they would be deployed. */
export function exampleTemplates(context: Readonly<Record<string, string>> = {}) {
  const assembly = example(context).synth();
  const templateOf = (stack: string) => Template.fromJSON(assembly.getStackByName(stack).template as Json);
  return { rotor: templateOf('RotorStack'), consumers: templateOf('RotorConsumers') };
}

/** A stack of its own, for a construct under test. */
export function stack(id = 'Stack', app: App = newApp()): Stack {
  return new Stack(app, id);
}

/** An orchestrator in a stack of its own. */
export function orchestratorIn(
  scope: Stack,
  props: Partial<RotationOrchestratorProps> = {},
): RotationOrchestrator {
  return new RotationOrchestrator(scope, 'Rotor', {
    rotators: ['postgres-alternating', 'postgres-single'],
    runbookUrl: 'https://example.com/errors',
    ...props,
  });
}

/** A secret and an admin secret, rotated by alternating users. */
export function rotatedSecretIn(
  scope: Stack,
  orchestrator: RotationOrchestrator,
  props: Partial<RotatedSecretProps> = {},
): RotatedSecret {
  return new RotatedSecret(scope, 'Rotated', {
    orchestrator,
    secret: new Secret(scope, 'Secret', { secretName: 'team/app' }),
    secretName: 'team/app',
    rotator: 'postgres-alternating',
    admin: new Secret(scope, 'Admin', { secretName: 'team/app-admin' }),
    schedule: { expression: 'rate(30 days)' },
    ...props,
  });
}

/** Every resource of a type. */
export function resources(template: Template, type: string): Resource[] {
  return Object.entries(template.toJSON()['Resources'] as Readonly<Record<string, Omit<Resource, 'id'>>>)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => ({ ...resource, id }));
}

/** The only resource of a type, or the only one whose properties hold a text. */
export function resource(template: Template, type: string, holding = ''): Resource {
  const found = resources(template, type).filter(({ Properties }) =>
    JSON.stringify(Properties).includes(holding),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length.toString()} resources of type ${type} hold ${holding}`);
  }
  return only;
}

/** One statement of a policy, with its lists as lists and its references readable. */
export interface Statement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly effect: string;
  readonly condition: Json | undefined;
}

/** The statements of a policy document. */
export function statements(document: unknown): Statement[] {
  return (document as { readonly Statement: readonly Json[] }).Statement.map((statement) => ({
    actions: [statement['Action']].flat().map(String),
    resources: [statement['Resource']].flat().map(written),
    effect: String(statement['Effect']),
    condition: statement['Condition'] as Json | undefined,
  }));
}

/** Everything that the role with this description is allowed by the policies of a template. */
export function allowedTo(template: Template, description: string): Statement[] {
  const role = resource(template, 'AWS::IAM::Role', `"${description}"`);
  return resources(template, 'AWS::IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties['Roles']).includes(`"${role.id}"`))
    .flatMap(({ Properties }) => statements(Properties['PolicyDocument']));
}

/** An ARN with references by their logical ids. */
export function written(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as Json;
  if ('Ref' in reference) return `<${String(reference['Ref'])}>`;
  if ('Fn::GetAtt' in reference) return `<${(reference['Fn::GetAtt'] as readonly string[]).join('.')}>`;
  const join = reference['Fn::Join'] as readonly [string, readonly unknown[]] | undefined;
  return join === undefined ? JSON.stringify(value) : join[1].map(written).join(join[0]);
}
