import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CredentialUnusable, TargetRefused } from '../../domain/errors';
import type { RotatorContext } from '../rotator';
import type { AccessKeySecret, AccessKeySettings } from './definition';
import { classified, isAbsent, isUnknownKey } from './errors';

/** An access key as IAM lists it. */
export interface ListedKey {
  readonly accessKeyId: string;
  readonly isActive: boolean;
}

/** The last use that IAM has recorded of a key. */
export interface LastUse {
  readonly at: Date;
  readonly service: string;
  readonly region: string;
}

type Context = Pick<RotatorContext<AccessKeySecret, AccessKeySettings>, 'settings' | 'signal'>;

/** Works on the access keys of the policy's user, and closes what it took. */
export async function withKeys<Result>(
  context: Context,
  work: (keys: AccessKeys) => Promise<Result>,
): Promise<Result> {
  const keys = new AccessKeys(context);
  try {
    return await work(keys);
  } finally {
    keys.close();
  }
}

/** The access keys of one user, by the credentials of the function's own role. */
export class AccessKeys {
  private readonly client = new IAMClient({ customUserAgent: 'rotor' });
  /** Not tried again by the SDK: where the answer was lost, a second request would mint a second key, and the first be nobody's. */
  private readonly minting = new IAMClient({ customUserAgent: 'rotor', maxAttempts: 1 });
  private readonly userName: string;

  constructor(private readonly context: Context) {
    this.userName = context.settings.user.split('/').at(-1) ?? '';
  }

  async list(): Promise<readonly ListedKey[]> {
    // A user has two keys at most, so that there is one page.
    const { AccessKeyMetadata = [] } = await this.send('ListAccessKeys', (options) =>
      this.client.send(new ListAccessKeysCommand({ UserName: this.userName }), options),
    );
    return AccessKeyMetadata.map(({ AccessKeyId = '', Status }) => ({
      accessKeyId: AccessKeyId,
      isActive: Status !== 'Inactive',
    }));
  }

  /** Mints a key. OverlapExhausted where the user has two already. */
  async create(): Promise<AccessKeySecret> {
    const { AccessKey } = await this.send('CreateAccessKey', (options) =>
      this.minting.send(new CreateAccessKeyCommand({ UserName: this.userName }), options),
    );
    const { AccessKeyId, SecretAccessKey } = AccessKey ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined)
      throw new TargetRefused(`CreateAccessKey for ${this.userName}: the answer holds no key`);
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
  }

  /** Removes a key; one that is gone already is removed. */
  async remove(accessKeyId: string): Promise<void> {
    const input = { UserName: this.userName, AccessKeyId: accessKeyId };
    await this.send('DeleteAccessKey', (options) =>
      this.client.send(new DeleteAccessKeyCommand(input), options).catch(unlessAbsent),
    );
  }

  /** Sets a key active or inactive, and says whether it is there at all. */
  async set(accessKeyId: string, status: 'Active' | 'Inactive'): Promise<boolean> {
    const input = { UserName: this.userName, AccessKeyId: accessKeyId, Status: status };
    const answer = await this.send('UpdateAccessKey', (options) =>
      this.client.send(new UpdateAccessKeyCommand(input), options).catch(unlessAbsent),
    );
    return answer !== undefined;
  }

  /** The last use that IAM has recorded; undefined for a key that was never used, or is no more. */
  async lastUse(accessKeyId: string): Promise<LastUse | undefined> {
    const answer = await this.send('GetAccessKeyLastUsed', (options) =>
      this.client
        .send(new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId }), options)
        .catch(unlessAbsent),
    );
    const { LastUsedDate, ServiceName = 'N/A', Region = 'N/A' } = answer?.AccessKeyLastUsed ?? {};
    return LastUsedDate === undefined
      ? undefined
      : { at: LastUsedDate, service: ServiceName, region: Region };
  }

  close(): void {
    this.client.destroy();
    this.minting.destroy();
  }

  private async send<Answer>(
    operation: string,
    call: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await call({ abortSignal: this.context.signal });
    } catch (error) {
      throw classified(error, `${operation} for ${this.userName}`, 'function');
    }
  }
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
  return undefined;
}

/**
 * Asks AWS whose key this is, signed with the key itself, which needs no permission.
 *
 * `customUserAgent` stands in CloudTrail, where a call that only waits for a new key can be told by it.
 *
 * @returns whether AWS knows the key. CredentialRejected for a wrong secret part, CredentialUnusable for another user's.
 */
export async function isAccepted(
  { accessKeyId, secretAccessKey }: AccessKeySecret,
  { settings, signal }: Context,
  customUserAgent = 'rotor',
): Promise<boolean> {
  const client = new STSClient({ credentials: { accessKeyId, secretAccessKey }, customUserAgent });
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    if (Arn === settings.user) return true;
    throw new CredentialUnusable(
      `access key ${accessKeyId} is that of ${Arn ?? 'nobody'}, and the policy names ${settings.user}`,
    );
  } catch (error) {
    if (isUnknownKey(error)) return false;
    throw classified(error, `GetCallerIdentity with access key ${accessKeyId}`, 'secret');
  } finally {
    client.destroy();
  }
}
