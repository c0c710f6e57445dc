import type { Clock } from '../kernel/clock';
import { ServiceError, type Access, type Authorize, type Call, type Principal } from '../kernel/service';
import { ConditionContext } from './condition';
import { evaluate, type Finding } from './evaluate';
import { parsePolicy, type PolicyDocument } from './policy-document';

/** Where the evaluator finds the policies of roles and users. */
export interface IdentityPolicies {
  /** Inline and managed policies of a role or user, by its ARN; empty for one that does not exist (any more). */
  identityPolicies(arn: string): readonly PolicyDocument[];
}

/** What an evaluator is built with. */
export interface AuthorizeOptions {
  readonly roles: IdentityPolicies;
  readonly account: string;
  readonly region: string;
  readonly clock: Clock;
  /** The organisation of a caller's account; none by default. */
  readonly organisationOf?: (account: string) => string | undefined;
  /** Error code of a refusal; services of the query protocol have their own. */
  readonly code?: string;
  readonly statusCode?: number;
}

const nothing: Finding = { denied: false, allowed: undefined, unknown: [] };

/**
 * Builds the check that every operation of the embedded cloud makes before it acts.
 *
 * Same account: the caller's own policies or the resource's policy must allow; a resource policy that names only the account
 * root allows nobody by itself. For `kms:*` and `sts:AssumeRole` the resource's policy must allow, by naming the
 * caller or by handing the decision to the account. Another account: both must allow. Services are allowed by the
 * resource's policy alone. The operator may do everything in the own account. An explicit deny always wins.
 *
 * AWS evaluates https calls; aws:SecureTransport is therefore `true` although the loopback speaks http.
 */
export function createAuthorize(options: AuthorizeOptions): Authorize {
  return (call, access) => {
    if (call.principal.kind === 'operator' && isOwn(access.resource, call.principal)) return;
    const request = {
      principal: call.principal,
      action: access.action,
      resource: access.resource,
      context: contextOf(call, access, options),
    };
    const holder = holderOfPolicies(call.principal);
    const identity =
      holder === undefined ? nothing : evaluate(options.roles.identityPolicies(holder), request, 'identity');
    const resource =
      access.resourcePolicy === undefined
        ? nothing
        : evaluate([parsePolicy(access.resourcePolicy)], request, 'resource');
    if (isAllowed(call.principal, access, identity, resource)) return;
    throw new ServiceError(
      options.code ?? 'AccessDeniedException',
      refusal(call.principal, access, identity, resource),
      options.statusCode ?? 400,
    );
  };
}

/** ARN of the identity whose policies count for this caller; a service has none. */
function holderOfPolicies(principal: Principal): string | undefined {
  if (principal.kind === 'role') return principal.roleArn;
  return principal.kind === 'user' ? principal.arn : undefined;
}

function isAllowed(principal: Principal, access: Access, identity: Finding, resource: Finding): boolean {
  if (identity.denied || resource.denied) return false;
  if (principal.kind === 'service') return resource.allowed === 'caller';
  const byIdentity = principal.kind === 'operator' || identity.allowed !== undefined;
  if (!isOwn(access.resource, principal)) return byIdentity && resource.allowed !== undefined;
  if (isDecidedByResource(access.action))
    return resource.allowed === 'caller' || (resource.allowed === 'account' && byIdentity);
  return byIdentity || resource.allowed === 'caller';
}

/** Whether a resource is in its caller's own account, or in none. */
function isOwn(resource: string, principal: Principal): boolean {
  const owner = accountOf(resource);
  return owner === undefined || owner === principal.account;
}

function isDecidedByResource(action: string): boolean {
  return action.startsWith('kms:') || action === 'sts:AssumeRole';
}

/** Words a refusal as AWS does, and adds what could not be judged, because that is this evaluator's own doing. */
function refusal(principal: Principal, access: Access, identity: Finding, resource: Finding): string {
  const { action } = access;
  const user = principal.kind === 'service' ? principal.service : principal.arn;
  const on = access.resource === '*' ? '' : ` on resource: ${access.resource}`;
  const unknown = [...new Set([...identity.unknown, ...resource.unknown])];
  const note = unknown.length === 0 ? '' : ` (the embedded cloud does not know ${unknown.join(', ')})`;
  // STS gives no reason, so that nobody learns which roles exist.
  if (action === 'sts:AssumeRole') return `User: ${user} is not authorized to perform: ${action}${on}${note}`;
  const because = identity.denied
    ? 'with an explicit deny in an identity-based policy'
    : resource.denied
      ? 'with an explicit deny in a resource-based policy'
      : principal.kind === 'service' || needsResourcePolicy(principal, access, identity)
        ? `because no resource-based policy allows the ${action} action`
        : `because no identity-based policy allows the ${action} action`;
  return `User: ${user} is not authorized to perform: ${action}${on} ${because}${note}`;
}

function needsResourcePolicy(principal: Principal, access: Access, identity: Finding): boolean {
  if (identity.allowed === undefined && principal.kind !== 'operator') return false;
  return isDecidedByResource(access.action) || !isOwn(access.resource, principal);
}

function accountOf(resource: string): string | undefined {
  const account = resource.split(':')[4];
  return account === undefined || !/^\d{12}$/u.test(account) ? undefined : account;
}

function contextOf(call: Call, access: Access, options: AuthorizeOptions): ConditionContext {
  const { principal } = call;
  const now = options.clock.now();
  return new ConditionContext(
    {
      'aws:CurrentTime': new Date(now).toISOString(),
      'aws:EpochTime': String(Math.floor(now / 1000)),
      'aws:RequestedRegion': options.region,
      'aws:ResourceAccount': accountOf(access.resource) ?? options.account,
      'aws:SecureTransport': 'true',
      'aws:ViaAWSService': 'false',
      'aws:PrincipalIsAWSService': String(principal.kind === 'service'),
    },
    principalKeys(principal),
    // A service that calls for itself belongs to no organisation.
    {
      'aws:PrincipalOrgID':
        principal.kind === 'service' ? undefined : options.organisationOf?.(principal.account),
    },
    call.conditions,
    access.conditions ?? {},
  );
}

function principalKeys(principal: Principal): Readonly<Record<string, string>> {
  switch (principal.kind) {
    case 'service':
      return { 'aws:PrincipalServiceName': principal.service };
    case 'operator':
      return { 'aws:PrincipalArn': principal.arn, 'aws:PrincipalAccount': principal.account };
    case 'role':
      return {
        'aws:PrincipalArn': principal.roleArn,
        'aws:PrincipalAccount': principal.account,
        'aws:PrincipalType': 'AssumedRole',
      };
    case 'user':
      return {
        'aws:PrincipalArn': principal.arn,
        'aws:PrincipalAccount': principal.account,
        'aws:PrincipalType': 'User',
        'aws:username': principal.userName,
      };
  }
}
