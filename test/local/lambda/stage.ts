import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ScaledClock, VirtualClock, type Clock } from '../../../local/kernel/clock';
import { ServiceError, type Access, type Call, type Surroundings } from '../../../local/kernel/service';
import { LambdaService } from '../../../local/lambda/lambda-service';
import type { InvocationRecord, LambdaPorts } from '../../../local/lambda/ports';

export const account = '111122223333';
export const operator: Call = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${account}:root`, account },
  requestId: '00000000-0000-4000-8000-000000000000',
  userAgent: 'test',
  conditions: {},
};
export const roleArn = `arn:aws:iam::${account}:role/worker`;

/** What Invoke answers, as the tests look at it. */
export interface Answer {
  readonly StatusCode: number;
  readonly FunctionError?: string;
  readonly Payload: string;
}

/** A Lambda service on a folder of its own, with ports that keep what they are given. */
export class Stage {
  private made: string | undefined;
  readonly lines: { readonly group: string; readonly stream: string; readonly line: string }[] = [];
  readonly records: InvocationRecord[] = [];
  readonly warnings: string[] = [];
  readonly sent: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[] = [];
  readonly asked: { readonly call: Call; readonly access: Access }[] = [];
  readonly assumed: (readonly [string, string, string])[] = [];
  denied: (access: Access, call: Call) => boolean = () => false;
  expiresAt: number | undefined;
  readonly lambda: LambdaService;

  constructor(ports: Partial<LambdaPorts> = {}, clock: Clock = new ScaledClock()) {
    const surroundings: Surroundings = {
      account,
      region: 'us-east-1',
      partition: 'aws',
      clock,
      authorize: (call, access) => {
        this.asked.push({ call, access });
        if (this.denied(access, call)) throw new ServiceError('AccessDeniedException', 'not allowed', 403);
      },
      callService: async (service, operation, input) => {
        this.sent.push({ operation: `${service}:${operation}`, input });
        return operation === 'GetQueueUrl' ? { QueueUrl: `http://queue/${String(input['QueueName'])}` } : {};
      },
    };
    this.lambda = new LambdaService(surroundings, {
      endpoint: () => 'http://127.0.0.1:4566',
      assume: async (role, service, session) => {
        this.assumed.push([role, service, session]);
        return {
          accessKeyId: 'ASIAEXAMPLE',
          secretAccessKey: 'example',
          sessionToken: 'token',
          expiresAt: this.expiresAt,
        };
      },
      appendLog: (group, stream, line) => this.lines.push({ group, stream, line }),
      locateCode: (bucket, key) => (bucket === 'assets' ? join(this.folder, key) : undefined),
      observe: (record) => this.records.push(record),
      warn: (message) => this.warnings.push(message),
      // Time limits are what a test makes of them: none is hit because the machine is slow.
      limits: new VirtualClock(),
      ...ports,
    });
  }

  /** The folder of this stage's code; made when first asked for, gone after `close`. */
  get folder(): string {
    return (this.made ??= mkdtempSync(join(tmpdir(), 'rotor-lambda-')));
  }

  /** Bundles the source as the infrastructure does and creates a function of it. */
  async deploy(
    name: string,
    source: string,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const entry = join(this.folder, `${name}.ts`);
    writeFileSync(entry, source);
    mkdirSync(join(this.folder, name), { recursive: true });
    buildSync({
      entryPoints: [entry],
      outfile: join(this.folder, name, 'index.js'),
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      nodePaths: [join(process.cwd(), 'node_modules')],
    });
    await this.create(name, settings);
  }

  /** Creates a function of a folder that is already there. */
  async create(name: string, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.lambda.operations.CreateFunction(
      {
        FunctionName: name,
        Runtime: 'nodejs22.x',
        Role: roleArn,
        Handler: 'index.handler',
        Code: { S3Bucket: 'assets', S3Key: name },
        Timeout: 30,
        ...settings,
      },
      operator,
    );
  }

  async invoke(
    name: string,
    event: unknown = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer> {
    const answer = await this.lambda.operations.Invoke(
      { FunctionName: name, Payload: JSON.stringify(event), ...more },
      operator,
    );
    return answer as Answer;
  }

  /** The answer's payload, read. */
  async result(name: string, event: unknown = {}): Promise<unknown> {
    return JSON.parse((await this.invoke(name, event)).Payload) as unknown;
  }

  text(): string {
    return this.lines.map(({ line }) => line).join('\n');
  }

  async close(): Promise<void> {
    await this.lambda.close();
    if (this.made !== undefined) rmSync(this.made, { recursive: true, force: true });
  }
}
