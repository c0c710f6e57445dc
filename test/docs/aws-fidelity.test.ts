import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { embeddedServices } from './embedded-services';
import { read, root, section } from './markdown';
import { deployedResourceTypes } from '../../local/cloudformation/gaps';

const page = read('docs/aws-fidelity.md');

/** Every folder of the embedded cloud that lists gaps, and its heading on the page. */
const headings: Readonly<Record<string, string>> = {
  gateway: 'Gateway',
  cloudformation: 'CloudFormation',
  iam: 'IAM',
  'secrets-manager': 'Secrets Manager',
  'step-functions': 'Step Functions',
  lambda: 'Lambda',
  events: 'EventBridge',
  sns: 'SNS',
  sqs: 'SQS',
  ssm: 'Parameter Store',
  logs: 'CloudWatch Logs',
  kms: 'KMS',
  sts: 'STS',
  rds: 'RDS',
  ecs: 'Amazon ECS',
};

/** Headings of the services that have an API, by their ids. */
const services: Readonly<Record<string, string>> = {
  secretsmanager: 'Secrets Manager',
  sfn: 'Step Functions',
  lambda: 'Lambda',
  eventbridge: 'EventBridge',
  sns: 'SNS',
  sqs: 'SQS',
  ssm: 'Parameter Store',
  logs: 'CloudWatch Logs',
  kms: 'KMS',
  sts: 'STS',
  iam: 'IAM',
  rds: 'RDS',
  ecs: 'Amazon ECS',
};

test('every folder with a list of gaps has its section', () => {
  const folders = readdirSync(path.join(root, 'local')).filter((folder) =>
    existsSync(path.join(root, 'local', folder, 'gaps.ts')),
  );
  expect(folders.sort()).toEqual(Object.keys(headings).sort());
});

test.each(Object.entries(headings))(
  'the differences of %s are those of its list, both ways',
  async (folder, heading) => {
    const [, differences = ''] = (section(page, heading) ?? '').split(/^Differences .*$/m);
    const told = [...differences.matchAll(/^- (.+)$/gm)].map((match) => match[1]);
    expect(told).toEqual(await gapsOf(folder));
  },
);

test('the operations of every service are those that it has, both ways', () => {
  const told = Object.fromEntries(
    embeddedServices().map(({ id }) => [id, listed(services[id] ?? '', 'Operations')]),
  );
  const real = Object.fromEntries(
    embeddedServices().map(({ id, operations }) => [id, Object.keys(operations).sort()]),
  );
  expect(told).toEqual(real);
});

test('the resource types are those that can be deployed, both ways', () => {
  expect(listed('CloudFormation', 'Resource types')).toEqual([...deployedResourceTypes].sort());
});

async function gapsOf(folder: string): Promise<unknown> {
  const exports = (await import(`../../local/${folder}/gaps`)) as Readonly<Record<string, unknown>>;
  return Object.entries(exports).find(([name]) => name.endsWith('Gaps'))?.[1];
}

/** The names in the item of a section that begins with `title:`. */
function listed(heading: string, title: string): readonly string[] {
  const item = new RegExp(`\\n- ${title}:([\\s\\S]*?)\\n\\n`).exec(section(page, heading) ?? '');
  return [...(item?.[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}
