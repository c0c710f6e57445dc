import type { RotatorName } from '../../rotators/registry';
import { mysqlKind } from './mysql-target';
import { postgresKind } from './postgres-target';
import { redisKind } from './redis-target';
import { sshKind } from './ssh-target';
import { generatedKind } from './generated-target';
import { httpKind } from './http-target';
import { oauthKind } from './oauth-target';
import { iamKind } from './iam-target';
import { lambdaKind } from './lambda-target';
import type { TargetKind } from './target';

/** A real target for every rotator: the contract suite and the rehearsal run against these. */
export const targets = {
  'postgres-alternating': postgresKind,
  'postgres-single': postgresKind,
  'mysql-alternating': mysqlKind,
  'mysql-single': mysqlKind,
  'redis-acl': redisKind,
  'ssh-key': sshKind,
  'http-api-key': httpKind,
  'oauth-client-secret': oauthKind,
  'iam-access-key': iamKind,
  lambda: lambdaKind,
  generated: generatedKind,
} as const satisfies Readonly<Record<RotatorName, TargetKind>>;
