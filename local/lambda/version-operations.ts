import * as z from 'zod';
import type { Timer } from '../kernel/clock';
import { ServiceError, type Call, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { configurationOf, updateConfigurationInput, updated } from './configuration';
import type { Fleet } from './fleet';
import type { LambdaFunction } from './function';
import type { LambdaPorts } from './ports';
import { type Alias, type FunctionRecord, notFound, type Published, publishedBy } from './record';

const publishInput = z.object({
  FunctionName: z.string(),
  CodeSha256: z.string().optional(),
  Description: z.string().optional(),
  RevisionId: z.string().optional(),
});
const aliasName = z.string().regex(/^(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}$/);
const routing = z.strictObject({
  AdditionalVersionWeights: z.record(z.string(), z.number().min(0).max(1)).optional(),
});
const createAliasInput = z.object({
  FunctionName: z.string(),
  Name: aliasName,
  FunctionVersion: z.string(),
  Description: z.string().optional(),
  RoutingConfig: routing.optional(),
});
const getAliasInput = z.object({ FunctionName: z.string(), Name: z.string() });
const updateAliasInput = z.object({
  FunctionName: z.string(),
  Name: z.string(),
  FunctionVersion: z.string().optional(),
  Description: z.string().optional(),
  RoutingConfig: routing.optional(),
  RevisionId: z.string().optional(),
});

/** How long Lambda takes to apply a configuration, or to make a version ready, in milliseconds of the cloud's clock. */
const applyingMs = 3_000;

/** Changed configurations, published versions and aliases: asynchronous where AWS is. */
export class VersionOperations {
  private readonly timers = new Set<Timer>();

  constructor(
    private readonly surroundings: Surroundings,
    private readonly ports: LambdaPorts,
    private readonly fleet: Fleet,
    private readonly find: (reference: string, call: Call, action: string) => FunctionRecord,
  ) {}

  createAlias(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('CreateAlias', createAliasInput, input);
    const record = this.find(request.FunctionName, call, 'lambda:CreateAlias');
    const arn = `${record.latest.arn}:${request.Name}`;
    if (record.aliases.has(request.Name))
      throw new ServiceError('ResourceConflictException', `Alias already exists: ${arn}`, 409);
    return this.putAlias(record, {
      name: request.Name,
      arn,
      version: request.FunctionVersion,
      description: request.Description ?? '',
      weights: request.RoutingConfig?.AdditionalVersionWeights ?? {},
    });
  }

  getAlias(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('GetAlias', getAliasInput, input);
    return describeAlias(aliasOf(this.find(request.FunctionName, call, 'lambda:GetAlias'), request.Name));
  }

  updateAlias(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('UpdateAlias', updateAliasInput, input);
    const record = this.find(request.FunctionName, call, 'lambda:UpdateAlias');
    const alias = aliasOf(record, request.Name);
    assertRevision(request.RevisionId, alias.revisionId, 'GetAlias');
    return this.putAlias(record, {
      ...alias,
      version: request.FunctionVersion ?? alias.version,
      description: request.Description ?? alias.description,
      weights: request.RoutingConfig?.AdditionalVersionWeights ?? alias.weights,
    });
  }

  /** Ends every wait. */
  stop(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  /** Callers run the configuration from before until the new one is applied. */
  update(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('UpdateFunctionConfiguration', updateConfigurationInput, input);
    const record = this.find(request.FunctionName, call, 'lambda:UpdateFunctionConfiguration');
    assertRevision(request.RevisionId, record.latest.revisionId, 'GetFunction');
    assertIdle(record);
    record.latest = updated(record.latest, request, this.surroundings.clock.now());
    record.status = { State: 'Active', LastUpdateStatus: 'InProgress' };
    this.later(() => this.apply(record));
    return configurationOf(record.latest, {
      ...record.status,
      LastUpdateStatusReason: 'The function is being created.',
      LastUpdateStatusReasonCode: 'Creating',
    });
  }

  private apply(record: FunctionRecord): void {
    // Applying is a change of its own: what was read before it is out of date.
    record.latest = { ...record.latest, revisionId: crypto.randomUUID() };
    const failure = this.ports.refuseUpdate?.(record.latest.name);
    if (failure !== undefined) {
      record.status = {
        State: 'Active',
        LastUpdateStatus: 'Failed',
        LastUpdateStatusReason: failure.reason,
        LastUpdateStatusReasonCode: failure.code,
      };
      return;
    }
    const before = record.running;
    record.running = record.latest;
    record.status = { State: 'Active', LastUpdateStatus: 'Successful' };
    this.fleet.retire(before);
  }

  /** Publishes what $LATEST is; nothing where that is the newest version already. */
  publish(input: Readonly<Record<string, unknown>>, call: Call): object {
    const request = parseInput('PublishVersion', publishInput, input);
    const record = this.find(request.FunctionName, call, 'lambda:PublishVersion');
    const { latest } = record;
    assertRevision(request.RevisionId, latest.revisionId, 'GetFunction');
    assertIdle(record);
    if (request.CodeSha256 !== undefined && request.CodeSha256 !== latest.codeSha256)
      throw new ServiceError(
        'InvalidParameterValueException',
        `CodeSHA256 (${request.CodeSha256}) is different from current CodeSHA256 in $LATEST (${latest.codeSha256}). Please try again with the CodeSHA256 in $LATEST.`,
      );
    const last = record.versions.at(-1);
    // Nothing has changed since: Lambda publishes nothing, and answers what is there.
    if (last !== undefined && isSame(last.fn, latest)) return describeVersion(last);
    const version = String(record.versions.length + 1);
    const published: Published = {
      fn: {
        ...latest,
        version,
        arn: `${latest.arn}:${version}`,
        description: request.Description ?? latest.description,
        revisionId: crypto.randomUUID(),
        modifiedAt: this.surroundings.clock.now(),
      },
      state: 'Pending',
    };
    record.versions = [...record.versions, published];
    this.later(() => (published.state = 'Active'));
    return describeVersion(published);
  }

  private putAlias(record: FunctionRecord, alias: Omit<Alias, 'revisionId'>): object {
    for (const version of [alias.version, ...Object.keys(alias.weights)]) publishedBy(record, version);
    const put = { ...alias, revisionId: crypto.randomUUID() };
    record.aliases.set(alias.name, put);
    return describeAlias(put);
  }

  private later(run: () => void): void {
    const timer = this.surroundings.clock.after(this.ports.applyingMs ?? applyingMs, () => {
      this.timers.delete(timer);
      run();
    });
    this.timers.add(timer);
  }
}

/** A published version as GetFunctionConfiguration shows it. */
export function describeVersion({ fn, state }: Published): object {
  return configurationOf(fn, { State: state, LastUpdateStatus: 'Successful' });
}

/** ResourceConflictException while a version cannot be run yet. */
export function assertActive({ state }: Published): void {
  if (state === 'Active') return;
  throw new ServiceError(
    'ResourceConflictException',
    'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    409,
  );
}

function assertIdle({ status, latest }: FunctionRecord): void {
  if (status.LastUpdateStatus !== 'InProgress') return;
  throw new ServiceError(
    'ResourceConflictException',
    `The operation cannot be performed at this time. An update is in progress for resource: ${latest.arn}`,
    409,
  );
}

function assertRevision(given: string | undefined, present: string, operation: string): void {
  if (given === undefined || given === present) return;
  throw new ServiceError(
    'PreconditionFailedException',
    `The Revision Id provided does not match the latest Revision Id. Call the ${operation} API to retrieve the latest Revision Id`,
    412,
  );
}

function aliasOf(record: FunctionRecord, name: string): Alias {
  const alias = record.aliases.get(name);
  if (alias === undefined) throw notAlias(`${record.latest.arn}:${name}`);
  return alias;
}

function notAlias(arn: string): ServiceError {
  const { code, statusCode, members } = notFound(arn);
  return new ServiceError(code, `Cannot find alias arn: ${arn}`, statusCode, members);
}

function describeAlias({ name, arn, version, description, weights, revisionId }: Alias): object {
  return {
    AliasArn: arn,
    Name: name,
    FunctionVersion: version,
    Description: description,
    ...(Object.keys(weights).length === 0 ? {} : { RoutingConfig: { AdditionalVersionWeights: weights } }),
    RevisionId: revisionId,
  };
}

/** Whether a version is what $LATEST is now, in everything that is versioned. */
function isSame(version: LambdaFunction, latest: LambdaFunction): boolean {
  const content = ({
    name: _name,
    arn: _arn,
    version: _version,
    revisionId: _r,
    modifiedAt: _m,
    ...rest
  }: LambdaFunction) => JSON.stringify({ ...rest, description: '' });
  return content(version) === content(latest);
}
